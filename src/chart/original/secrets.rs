//! What a rebuilt chart must not give away.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::proof::Objects;
use super::{Unusable, Wanted, unusable};
use crate::app::{Object, SecretsPolicy, scan};

/// Whether values and files are free of credentials, as far as the scanner sees.
pub(super) fn check_texts(
    values: &Value,
    files: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Unusable> {
    // A kind that nobody knows: in it the names of all fields mean something.
    let values = json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "Values",
        "metadata": {"name": "values"}, "values": values});
    // Templates fill in what looks like a pair, and the values are looked at by themselves.
    let texts: serde_json::Map<String, Value> = files
        .iter()
        .filter(|(path, _)| *path != super::VALUES)
        .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into()))
        .collect();
    let texts = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files"},
        "data": texts});
    for object in [values, texts].into_iter().filter_map(|object| Object::new(object).ok()) {
        if let Some(found) = scan::scan(std::slice::from_ref(&object)).into_iter().next() {
            let place = found.field.unwrap_or_default();
            let of = if object.kind() == "Values" { "its values" } else { "its files" };
            return Err(unusable(format!("{of} hold what looks like a credential: {place}")));
        }
    }
    Ok(())
}

/// Whether the chart makes only Secrets that the policy allows, and all that it has to.
pub(super) fn check_objects(wanted: Wanted<'_>, objects: &Objects) -> Result<(), Unusable> {
    let is_secret = |object: &&Object| object.kind() == "Secret" && object.group().is_empty();
    let made: Vec<&Object> = objects.iter().filter(is_secret).collect();
    let holds = |object: &&&Object| {
        let filled =
            |field| object.at(field).and_then(Value::as_object).is_some_and(|it| !it.is_empty());
        filled("/data") || filled("/stringData")
    };
    if wanted.secrets != SecretsPolicy::Include
        && let Some(secret) = made.iter().find(holds)
    {
        return Err(unusable(format!("it makes Secret {} from its values", secret.name())));
    }
    let mut used = wanted.app.secrets.iter();
    match used.find(|secret| !made.iter().any(|made| made.name() == secret.name)) {
        Some(secret) if wanted.secrets != SecretsPolicy::Reference => Err(unusable(format!(
            "it does not make Secret {}, which the policy for Secrets takes along",
            secret.name
        ))),
        _ => Ok(()),
    }
}
