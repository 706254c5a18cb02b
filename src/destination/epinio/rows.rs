//! The labelled Secrets of a namespace as rows.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::{CERTS, read};
use crate::app::Object;
use crate::cluster::{Error, SecretObject, SecretReader};
use crate::destination::secret::LABELS;
use crate::destination::systems::Read;

/// Reads the Secrets with one of the labels, and those with certificates that they name. Without
/// any, there are no rows.
///
/// # Errors
/// When the Secrets cannot be read. One with certificates that may not be read is a finding, as
/// one that is not there.
pub async fn rows(reader: &dyn SecretReader, namespace: &str) -> Result<Read, Error> {
    let mut secrets = BTreeMap::new();
    for label in LABELS {
        let labelled = reader.labelled_secrets(namespace, label).await?;
        secrets.extend(labelled.into_iter().map(|secret| (secret.name.clone(), secret)));
    }
    let named = |secret: &SecretObject| {
        let name = secret.data.get(CERTS.0)?.expose_secret();
        Some(std::str::from_utf8(name).ok()?.trim().to_owned())
    };
    let certs: Vec<_> = secrets.values().filter_map(named).collect();
    for name in certs.into_iter().filter(|name| crate::destination::systems::is_subdomain(name)) {
        match reader.secret(namespace, &name).await {
            Ok(found) => secrets.extend(found.map(|found| (name, found))),
            Err(Error::Forbidden { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let documents: Vec<_> = secrets.values().map(|secret| document(secret, namespace)).collect();
    // There is nothing else to be refused: all are Secrets.
    Ok(read(documents).unwrap_or_default())
}

/// Whether an object has one of the labels that make it a destination.
pub fn is_labelled(object: &Object) -> bool {
    LABELS.iter().any(|label| object.label(label) == Some("true"))
}

/// It as the API server has it.
fn document(secret: &SecretObject, namespace: &str) -> Value {
    let data: Map<String, Value> = secret
        .data
        .iter()
        .map(|(key, value)| (key.clone(), STANDARD.encode(value.expose_secret()).into()))
        .collect();
    json!({
        "kind": "Secret",
        "metadata": {
            "name": secret.name,
            "namespace": namespace,
            "labels": secret.labels,
            "annotations": secret.annotations,
        },
        "data": data,
    })
}
