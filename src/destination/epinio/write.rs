//! From rows to labelled Secrets.

use std::collections::BTreeSet;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::{CERTS, LABEL, NAMESPACE, annotation};
use crate::destination::secret::{DOCKER_CONFIG, EPINIO_NAMESPACE};
use crate::destination::systems::{
    Document, Login, Registries, Row, Username, WriteOptions, fill, fill_username, is_subdomain,
    slug,
};

/// Secrets with the label, each after the Secret of its certificates. `auth` is left out: user name
/// and password say the same, and what is filled in by hand would contradict it.
pub fn write(registries: &Registries, options: &WriteOptions) -> Vec<Document> {
    let mut taken = BTreeSet::new();
    let rows = registries.rows.iter().filter(|row| row.is_usable() && !row.is_cache());
    rows.flat_map(|row| documents(row, &name(row, &mut taken), options)).collect()
}

/// The row's name, else one of its host; a second of the same gets its number.
fn name(row: &Row, taken: &mut BTreeSet<String>) -> String {
    let given = row.name.clone().filter(|name| is_subdomain(name));
    let first = given.unwrap_or_else(|| slug(&row.address.host));
    let mut name = first.clone();
    let mut number = 1;
    while !taken.insert(name.clone()) {
        number += 1;
        name = format!("{first}-{number}");
    }
    name
}

fn documents(row: &Row, name: &str, options: &WriteOptions) -> Vec<Document> {
    let namespace = options.namespace.as_deref().or(row.namespace.as_deref());
    let namespace = namespace.unwrap_or(NAMESPACE);
    let certs = row.ca.as_ref().map(|pem| {
        let name = row.ca_secret.clone().unwrap_or_else(|| format!("{name}-certs"));
        (name.clone(), certificates(&name, namespace, pem))
    });
    let (certs_name, certs) = certs.unzip();
    let mut documents: Vec<Document> = certs.into_iter().collect();
    let certs_name = certs_name.or_else(|| row.ca_secret.clone());
    documents.push(destination(row, name, namespace, certs_name, options));
    documents
}

fn certificates(name: &str, namespace: &str, pem: &str) -> Document {
    Document::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": {CERTS.1: pem},
    }))
}

fn destination(
    row: &Row,
    name: &str,
    namespace: &str,
    certs: Option<String>,
    options: &WriteOptions,
) -> Document {
    let rule = row.credentials.iter().find(|rule| rule.scope.as_str() == "*");
    let login = rule.and_then(|rule| rule.login.as_ref());
    let entry = if rule.is_some() { entry(login, options.with_secrets) } else { json!({}) };
    let key = format!("{}{}", row.address.host, row.address.rest);
    let config = json!({"auths": {key: entry}});
    // Pretty, as whoever fills it in reads it.
    let config = serde_json::to_string_pretty(&config).unwrap_or_default() + "\n";
    let mut data = Map::new();
    data.insert(DOCKER_CONFIG.to_owned(), config.into());
    data.extend(certs.map(|name| (CERTS.0.to_owned(), name.into())));
    let document = Document::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {LABEL: "true"},
            "annotations": annotations(row),
        },
        "stringData": data,
    }));
    let open = rule.is_some() && !(options.with_secrets && Login::is_known(login));
    if open { document.comment("Fill in user name and password.") } else { document }
}

fn entry(login: Option<&Login>, with: bool) -> Value {
    match login.map(|login| (&login.username, &login.password)) {
        Some((Username::Token, Some(token))) if with => {
            json!({"identitytoken": token.expose_secret()})
        }
        Some((Username::Token, _)) => json!({"identitytoken": fill(None, "token", false)}),
        _ => json!({
            "username": fill_username(login, "username", with),
            "password": fill(login, "password", with),
        }),
    }
}

fn annotations(row: &Row) -> Map<String, Value> {
    let mut notes = Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            notes.insert(key.to_owned(), value.into());
        }
    };
    put(EPINIO_NAMESPACE, Some(row.path.clone().unwrap_or_default()));
    let yes = |flag: bool| flag.then(|| "true".to_owned());
    put(annotation::PLAIN_HTTP, yes(row.address.plain_http()));
    put(annotation::SKIP_VERIFY, yes(row.skip_tls_verify));
    put(annotation::DESCRIPTION, row.title.clone());
    put(annotation::ID, row.id.map(|id| id.to_string()));
    put(annotation::EMAIL, row.email.clone());
    put(annotation::PUBLIC, row.is_public.map(|flag| flag.to_string()));
    put(annotation::REQUIRES_CERT, yes(row.requires_cert == Some(true)));
    notes
}
