//! The REST of Control Tower, as far as its API reference says: `Remote-Registries`,
//! `Subtenant-Remote-Registry-Settings`, `Vault` and `Policy`. A field that is not in it is refused, so
//! that a test sees what we made up. What an answer's body says is not documented, and it has none.

use axum::http::request::Parts;
use axum::http::{Method, header};
use serde_json::{Map, Value};

use super::{State, TOKEN};

/// What is made at a path: `*` stands for one segment.
struct Collection {
    path: &'static str,
    key: &'static str,
    fields: &'static [&'static str],
}

const COLLECTIONS: [Collection; 4] = [
    Collection {
        path: "image-registry/remote-registries",
        key: "address",
        fields: &["address", "override-address", "ca-cert", "credentials"],
    },
    Collection {
        path: "strongbox/vaults",
        key: "name",
        fields: &["name", "max-versions", "cas-required", "delete-version-after", "distribute"],
    },
    Collection {
        path: "strongbox/vaults/*/secrets",
        key: "name",
        fields: &["name", "allow-image-access", "data", "base64-data"],
    },
    Collection {
        path: "policy/policies",
        key: "name",
        fields: &["name", "rest-api", "capabilities", "volga"],
    },
];

const SETTINGS: &str = "image-registry/settings";

/// The status of the answer.
pub(super) fn answer(state: &mut State, parts: &Parts, body: &[u8]) -> u16 {
    let bearer = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if bearer.and_then(|value| value.strip_prefix("Bearer ")) != Some(TOKEN) {
        return 401;
    }
    if state.is_pull_only {
        return 403;
    }
    let path = parts.uri.path().trim_start_matches("/v1/config/");
    let text = std::str::from_utf8(body).unwrap_or_default();
    let Ok(Value::Object(document)) = serde_saphyr::from_str::<Value>(text) else { return 400 };
    if path == SETTINGS && [Method::PUT, Method::PATCH].contains(&parts.method) {
        let is_known = document.keys().all(|key| key == "default-remote-registry");
        return if is_known { keep(state, parts, path, document, 204) } else { 400 };
    }
    let collection = COLLECTIONS.iter().find(|of| matches(of.path, path));
    let Some(collection) = collection.filter(|_| parts.method == Method::POST) else { return 404 };
    if let Some((vault, _)) = path.split_once("/secrets")
        && !state.made.contains_key(vault)
    {
        return 404;
    }
    let Some(key) = document.get(collection.key).and_then(Value::as_str) else { return 400 };
    if !is_valid(collection, key, &document) {
        return 400;
    }
    let made = format!("{path}/{key}");
    match state.made.contains_key(&made) {
        true => 409,
        false => keep(state, parts, &made, document, 201),
    }
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.split('/'), path.split('/'));
    pattern.clone().count() == path.clone().count()
        && pattern.zip(path).all(|(of, segment)| of == "*" || of == segment)
}

fn is_valid(collection: &Collection, key: &str, document: &Map<String, Value>) -> bool {
    let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = !key.starts_with('-') && !key.ends_with('-') && key.chars().all(name);
    let is_address = !key.is_empty() && !key.contains('/');
    let of_credentials = |entry: &Value| {
        let needs = ["repository", "vault", "secret"];
        entry.as_object().is_some_and(|of| of.len() == needs.len())
            && needs.iter().all(|field| entry[field].is_string())
    };
    let credentials = document.get("credentials").and_then(Value::as_array);
    (if collection.key == "name" { is_name } else { is_address })
        && document.keys().all(|field| collection.fields.contains(&field.as_str()))
        && credentials.is_none_or(|all| all.iter().all(of_credentials))
}

/// Keeps a document, unless it was only to be validated.
fn keep(
    state: &mut State,
    parts: &Parts,
    path: &str,
    document: Map<String, Value>,
    status: u16,
) -> u16 {
    if parts.uri.query() != Some("validate=true") {
        state.made.insert(path.to_owned(), document.into());
    }
    status
}
