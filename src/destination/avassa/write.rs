//! From rows to documents, each with the line of `supctl` that takes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::VAULT;
use crate::destination::systems::{
    Document, Login, Registries, Row, Rule, SecretName, Username, WriteOptions, fill,
    fill_username, slug,
};

/// Vaults and secrets first, then remote registries, then the setting that names the default: each
/// only refers to what is there already.
pub fn write(registries: &Registries, options: &WriteOptions) -> Vec<Document> {
    let rows: Vec<_> =
        registries.rows.iter().filter(|row| row.is_usable() && !row.is_cache()).collect();
    let mut secrets: BTreeMap<SecretName, Option<&Login>> = BTreeMap::new();
    for row in &rows {
        for rule in row.used() {
            secrets.entry(secret_name(row, rule, options)).or_insert(rule.login.as_ref());
        }
    }
    let mut documents = vaults(&secrets);
    documents.extend(secrets.iter().map(|(name, login)| secret(name, *login, options)));
    documents.extend(rows.iter().map(|row| registry(row, options)));
    documents.extend(registries.default_address.as_ref().map(|host| {
        Document::new(json!({"default-remote-registry": host}))
            .comment("supctl topdc create image-registry settings")
    }));
    documents
}

/// Where the secret of a rule is kept: the name that it has, or one of the registry's.
fn secret_name(row: &Row, rule: &Rule, options: &WriteOptions) -> SecretName {
    let vault = options.vault.clone();
    match &rule.secret {
        Some(SecretName { vault: Some(vault), name }) => {
            SecretName { vault: Some(vault.clone()), name: name.clone() }
        }
        other => {
            let name = other.as_ref().map_or_else(
                || row.name.as_deref().map_or_else(|| slug(&row.address.host), slug),
                |secret| slug(&secret.name),
            );
            SecretName { vault: Some(vault.unwrap_or_else(|| VAULT.to_owned())), name }
        }
    }
}

fn vaults(secrets: &BTreeMap<SecretName, Option<&Login>>) -> Vec<Document> {
    let mut names: Vec<_> = secrets.keys().filter_map(|name| name.vault.clone()).collect();
    names.dedup();
    // Sites pull from Control Tower, so no vault of these has to leave it.
    let vault =
        |name| Document::new(json!({"name": name})).comment("supctl create strongbox vaults");
    names.into_iter().map(vault).collect()
}

fn secret(name: &SecretName, login: Option<&Login>, options: &WriteOptions) -> Document {
    let with = options.with_secrets;
    let token = matches!(login.map(|login| &login.username), Some(Username::Token));
    let data = if token {
        json!({"token": fill(login, "token", with)})
    } else {
        json!({
            "username": fill_username(login, "username", with),
            "password": fill(login, "password", with),
        })
    };
    let vault = name.vault.as_deref().unwrap_or(VAULT);
    // Without `allow-image-access`: no container has to read it, only Control Tower.
    let value = json!({"name": name.name, "data": data});
    let document = Document::new(value)
        .comment(format!("supctl create strongbox vaults {vault} secrets"))
        .comment(format!("The path of the secret is {name}."));
    if with && Login::is_known(login) { document } else { document.comment("Fill in its data.") }
}

fn registry(row: &Row, options: &WriteOptions) -> Document {
    let mut fields = Map::new();
    fields.insert("address".to_owned(), row.address.host.as_str().into());
    if let Some(mirror) = &row.mirror {
        fields.insert("override-address".to_owned(), bare(mirror));
    }
    if let Some(pem) = &row.ca {
        fields.insert("ca-cert".to_owned(), pem.as_str().into());
    }
    if !row.used().is_empty() {
        let rules = row.used().iter().map(|rule| {
            let SecretName { vault, name } = secret_name(row, rule, options);
            json!({"repository": rule.scope.as_str(), "vault": vault, "secret": name})
        });
        fields.insert("credentials".to_owned(), rules.collect());
    }
    fields.extend(row.unknown.written(options.with_secrets));
    Document::new(fields.into()).comment("supctl create image-registry remote-registries")
}

/// A registry address has no scheme and no path.
fn bare(mirror: &str) -> Value {
    let address = crate::destination::systems::Address::parse(mirror);
    if address.host.is_empty() { mirror.into() } else { address.host.into() }
}
