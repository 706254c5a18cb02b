//! From rows to resources.

use serde_json::{Map, Value, json};

use super::{API_VERSION, LABEL, LONGEST_TITLE, NAMESPACE};
use crate::destination::systems::{
    Document, Login, Registries, Row, Rule, WriteOptions, fill, fill_username, is_subdomain, slug,
};

/// `Registry` resources that the definition accepts, each after its Secret, with the label that
/// the EDA Store asks for. Rows without an address, and ioFog's cache, are left out.
pub fn write(registries: &Registries, options: &WriteOptions) -> Vec<Document> {
    let rows = registries.rows.iter().filter(|row| row.is_usable() && !row.is_cache());
    rows.flat_map(|row| documents(row, options)).collect()
}

fn documents(row: &Row, options: &WriteOptions) -> Vec<Document> {
    let name = name(row);
    let namespace = options.namespace.as_deref().or(row.namespace.as_deref());
    let namespace = namespace.unwrap_or(NAMESPACE);
    let mut documents = Vec::new();
    // The one for everything, or the only one there is to choose.
    let rule = row.general().or_else(|| row.used().first());
    let reference = rule.map(|rule| secret_name(rule, &name));
    if let (Some(rule), Some(reference)) = (rule, &reference) {
        documents.push(secret(rule, reference, namespace, options));
    }
    documents.push(registry(row, &name, namespace, reference.as_deref(), options));
    documents
}

fn name(row: &Row) -> String {
    let given = row.name.as_deref().filter(|name| is_subdomain(name));
    given.map_or_else(|| slug(&row.address.host), str::to_owned)
}

/// Never the Registry's own name: a Catalog may have the same, and its Secret must be another one.
fn secret_name(rule: &Rule, registry: &str) -> String {
    let given = rule.secret.as_ref().map(|secret| secret.name.as_str());
    let given = given.filter(|name| is_subdomain(name));
    given.map_or_else(|| format!("{registry}-credentials"), str::to_owned)
}

fn registry(
    row: &Row,
    name: &str,
    namespace: &str,
    secret: Option<&str>,
    options: &WriteOptions,
) -> Document {
    let mut spec = Map::new();
    spec.insert("remoteURL".to_owned(), row.address.written().into());
    if let Some(secret) = secret {
        spec.insert("authSecretRef".to_owned(), secret.into());
    }
    spec.insert("skipTLSVerify".to_owned(), row.skip_tls_verify.into());
    if let Some(mirror) = &row.mirror {
        spec.insert("mirror".to_owned(), mirror.as_str().into());
    }
    if let Some(title) = &row.title {
        spec.insert("title".to_owned(), cut(title, LONGEST_TITLE));
    }
    spec.extend(row.unknown.written(options.with_secrets));
    Document::new(json!({
        "apiVersion": API_VERSION,
        "kind": "Registry",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }))
}

fn secret(rule: &Rule, name: &str, namespace: &str, options: &WriteOptions) -> Document {
    let (login, with) = (rule.login.as_ref(), options.with_secrets);
    let document = Document::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": name, "namespace": namespace, "labels": {LABEL: "true"}},
        "stringData": {
            "username": fill_username(login, "username", with),
            "password": fill(login, "password or token", with),
        },
    }));
    if with && Login::is_known(login) {
        document
    } else {
        document.comment("Fill in user name and password.")
    }
}

/// The first bytes of a text, whole characters of it.
fn cut(text: &str, most: usize) -> Value {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].into()
}
