//! Rows as YAML for iofogctl, and as the JSON of edgectl.

use serde_json::{Map, Value, json};

use super::{UNUSED, is_system};
use crate::destination::systems::{
    Document, Registries, Row, Rule, Username, WriteOptions, fill, fill_username, placeholder,
};

/// `Registry` documents of `iofog.org/v3` for the rows that an ioFog does not have by itself:
/// `private`, `certificate` and `requiresCert` are explicit, as what is left out means public. A
/// row with several credentials becomes several, as an application chooses by id.
pub fn write_yaml(registries: &Registries, options: &WriteOptions) -> Vec<Document> {
    let own = |row: &&Row| row.is_usable() && !row.is_cache() && !is_system(row);
    let rows = registries.rows.iter().filter(own);
    rows.flat_map(|row| {
        let rules = row.credentials.iter().map(Some).enumerate();
        let documents: Vec<_> =
            rules.map(|(at, rule)| document(row, rule, at == 0, options)).collect();
        if documents.is_empty() { vec![document(row, None, true, options)] } else { documents }
    })
    .collect()
}

fn document(row: &Row, rule: Option<&Rule>, first: bool, options: &WriteOptions) -> Document {
    let with = options.with_secrets;
    let login = rule.and_then(|rule| rule.login.as_ref());
    let private = rule.is_some() && row.is_public != Some(true)
        || rule.is_none() && row.is_public == Some(false);
    let mut spec = Map::new();
    let mut put = |name: &str, value: Value| spec.insert(name.to_owned(), value);
    put("url", row.address.written().into());
    put("private", private.into());
    if rule.is_some() || private {
        put("username", fill_username(login, "username", with).into());
        put("password", fill(login, "password", with).into());
    } else {
        put("username", UNUSED.into());
        put("password", UNUSED.into());
    }
    let email = row.email.clone().unwrap_or_else(|| placeholder("e-mail address"));
    put("email", email.into());
    put("requiresCert", row.requires_cert.unwrap_or_default().into());
    put("certificate", row.ca.as_deref().unwrap_or_default().into());
    // iofogctl changes the row of this id, and makes one without it.
    if let Some(id) = row.id.filter(|_| first) {
        put("id", id.into());
    }
    spec.extend(row.unknown.written_beside_secrets(with));
    let value = json!({"apiVersion": "iofog.org/v3", "kind": "Registry", "spec": spec});
    let document = Document::new(value);
    match row.id {
        Some(_) => document,
        None => {
            document.comment("The Controller gives the id: `iofogctl get registries` shows it.")
        }
    }
}

/// The array that `edgectl -j get registries` prints, with all rows and without any password
/// ("View Current Registry Content").
pub fn write_json(registries: &Registries) -> Value {
    registries.rows.iter().filter(|row| row.is_usable()).map(json_row).collect()
}

/// With the name of its object behind what edgectl prints, where it has one.
fn json_row(row: &Row) -> Value {
    let mut value = json!({
        "id": row.id,
        "url": row.address.written(),
        "isPublic": row.is_public.unwrap_or_default(),
        "isSecure": row.is_secure.unwrap_or_default(),
        "certificate": row.ca.as_deref().unwrap_or_default(),
        "requiresCert": row.requires_cert.unwrap_or_default(),
        "username": shown(row),
        "email": row.email.as_deref().unwrap_or_default(),
    });
    if let Some(name) = &row.name {
        value["name"] = name.as_str().into();
    }
    value
}

/// The user name, if it stands in the open.
pub(crate) fn shown(row: &Row) -> &str {
    let login = row.credentials.first().and_then(|rule| rule.login.as_ref());
    match login.map(|login| &login.username) {
        Some(Username::Shown(name)) => name,
        _ => "",
    }
}
