//! The Secrets that the policy has a chart make, as they have to be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use crate::app::{Object, SecretUse, SecretsPolicy};
use crate::chart::input::Input;
use crate::chart::manifest::{is_asked_for, secret_type};

/// The Secret of this name, as it ran: with the values that were read, or with those made up for
/// `require`; without any if a controller fills it. `None` if the chart is to make none.
pub(super) fn made(input: &Input<'_>, rendered: &Object) -> Option<Object> {
    if rendered.kind() != "Secret" || rendered.api_version() != "v1" {
        return None;
    }
    let secret = input.app.secrets.iter().find(|secret| secret.name == rendered.name())?;
    let mut object = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": secret.name}, "type": secret_type(input.app, secret),
        "data": data(input, secret, rendered)?});
    for (field, texts) in [("labels", &secret.labels), ("annotations", &secret.annotations)] {
        if !texts.is_empty() {
            object["metadata"][field] = json!(texts);
        }
    }
    if secret.immutable {
        object["immutable"] = Value::Bool(true);
    }
    Object::new(object).ok()
}

/// Its values; `None` if it is to have none, and not to be made.
fn data(input: &Input<'_>, secret: &SecretUse, rendered: &Object) -> Option<Map<String, Value>> {
    if secret.is_filled() {
        return Some(Map::new());
    }
    match input.secrets {
        SecretsPolicy::Include => {
            let values = input.secret_values.0.get(&secret.name)?.iter();
            let encoded = |value: &[u8]| STANDARD.encode(value).into();
            Some(values.map(|(key, of)| (key.clone(), encoded(of.expose_secret()))).collect())
        }
        SecretsPolicy::Require if is_asked_for(secret) => {
            let made_up = rendered.at("/data").and_then(Value::as_object);
            let of = |key: &String| made_up?.get(key).cloned();
            Some(secret.keys.iter().map(|key| (key.clone(), of(key).unwrap_or_default())).collect())
        }
        SecretsPolicy::Require | SecretsPolicy::Reference | SecretsPolicy::Encrypt => None,
    }
}
