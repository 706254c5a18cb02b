//! Secrets of the strongbox: `name`, `data` and `base64-data`, which wins for the same key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::read::object;
use crate::app::{Code, Finding};
use crate::destination::systems::{Fields, Login, SecretName, Username};

/// The secrets that were given. A single one does not name its vault: that is in the path of the
/// command that takes it.
#[derive(Debug, Default)]
pub(super) struct Strongbox {
    secrets: BTreeMap<String, Vec<(Option<String>, Login)>>,
}

/// What a vault says of itself (API reference, "Vault").
const FIELDS: [&str; 5] =
    ["name", "max-versions", "cas-required", "delete-version-after", "distribute"];

impl Strongbox {
    /// Whether this is a vault, with its secrets or by itself.
    pub(super) fn is_vault(map: &Map<String, Value>) -> bool {
        let is_field = |key: &String| FIELDS.contains(&key.as_str());
        map.contains_key("secrets") || (map.contains_key("name") && map.keys().all(is_field))
    }

    /// Whether this is a secret.
    pub(super) fn is_secret(map: &Map<String, Value>) -> bool {
        map.contains_key("name") && (map.contains_key("data") || map.contains_key("base64-data"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// What is known of a secret.
    pub(super) fn login(&self, name: &SecretName) -> Option<Login> {
        let found = self.secrets.get(&name.name)?;
        let of_vault = found.iter().find(|(vault, _)| *vault == name.vault);
        let (_, login) = of_vault.or_else(|| found.iter().find(|(vault, _)| vault.is_none()))?;
        Some(login.clone())
    }

    /// Takes a vault or a secret in.
    pub(super) fn take(
        &mut self,
        mut map: Map<String, Value>,
        vault: Option<&str>,
        findings: &mut Vec<Finding>,
    ) {
        let name = map.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(Value::Array(secrets)) = map.get_mut("secrets").map(Value::take) {
            for secret in secrets {
                if let Value::Object(secret) = secret {
                    self.take(secret, Some(&name), findings);
                }
            }
            return;
        }
        let login = login(map, &name, findings);
        self.secrets.entry(name).or_default().push((vault.map(str::to_owned), login));
    }
}

fn login(mut map: Map<String, Value>, name: &str, findings: &mut Vec<Finding>) -> Login {
    // Also where a placeholder stands for it.
    let has = |data: &str| map.get(data).is_some_and(|data| data.get("token").is_some());
    let is_token = has("data") || has("base64-data");
    let mut take = |key: &str| map.shift_remove(key).unwrap_or_default();
    let (encoded, plain) = (take("base64-data"), take("data"));
    let id = object("secrets", name);
    let mut encoded = Fields::new(encoded, "base64-data.", id.clone(), findings);
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for key in ["username", "password", "token"] {
        let Some(text) = encoded.text(key) else { continue };
        match STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(value) => drop(values.insert(key, value)),
            None => {
                encoded.odd(
                    Code::RegistryFieldInvalid,
                    key,
                    "it is not base64 of text",
                    "encode it",
                );
            }
        }
    }
    drop(encoded);
    let mut plain = Fields::new(plain, "data.", id, findings);
    for key in ["username", "password", "token"] {
        if let Some(text) = plain.text(key) {
            values.entry(key).or_insert(text);
        }
    }
    drop(plain);
    rest(map, name, findings);
    of_values(values, is_token)
}

/// What else a secret has: who may use it, and fields that belong elsewhere.
fn rest(map: Map<String, Value>, name: &str, findings: &mut Vec<Finding>) {
    let mut fields = Fields::new(map.into(), "", object("secrets", name), findings);
    for known in ["name", "creation-time", "version"] {
        drop(fields.value(known));
    }
    if fields.value("allow-image-access").is_some() {
        let text = "which images may read the secret is left out: only Control Tower has to";
        fields.odd(Code::RegistryFieldLost, "allow-image-access", text, "");
    }
    fields.pass_over();
}

fn of_values(mut values: BTreeMap<&str, String>, is_token: bool) -> Login {
    let mut secret = |key: &str| values.remove(key).map(SecretString::from);
    match is_token {
        true => Login { username: Username::Token, password: secret("token") },
        false => Login {
            username: secret("username").map(Username::Hidden).unwrap_or_default(),
            password: secret("password"),
        },
    }
}
