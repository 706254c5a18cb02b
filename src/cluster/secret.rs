//! Single Secrets, for destinations: from the API and from manifests alike.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretSlice;
use serde_json::Value;

use super::discover::{Resource, segment};
use super::list::{self, Budget, Query};
use super::source::{SecretObject, SecretReader};
use super::{Error, Live};
use crate::app::Object;

impl SecretObject {
    /// Reads a Secret's `data` (base64) and `stringData` (text), which wins, as on the API server.
    /// A value that is neither is noted in [`SecretObject::malformed`].
    pub(super) fn new(object: &Object) -> Self {
        let mut secret = Self {
            name: object.name().to_owned(),
            labels: texts(object.at("/metadata/labels")),
            annotations: texts(object.at("/metadata/annotations")),
            data: BTreeMap::new(),
            malformed: Vec::new(),
        };
        secret.add(object.at("/data"), |text| {
            // Line breaks come from YAML block scalars; the API server takes them, too.
            let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
            STANDARD.decode(text).ok()
        });
        secret.add(object.at("/stringData"), |text| Some(text.as_bytes().to_vec()));
        secret
    }

    fn add(&mut self, values: Option<&Value>, decode: impl Fn(&str) -> Option<Vec<u8>>) {
        for (key, value) in values.and_then(Value::as_object).into_iter().flatten() {
            let text = if value.is_null() { Some("") } else { value.as_str() };
            match text.and_then(&decode) {
                Some(bytes) => drop(self.data.insert(key.clone(), SecretSlice::from(bytes))),
                None => self.malformed.push(key.clone()),
            }
        }
    }
}

fn texts(map: Option<&Value>) -> BTreeMap<String, String> {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[async_trait]
impl SecretReader for Live {
    async fn has_namespace(&self, name: &str) -> Result<bool, Error> {
        Ok(self.namespace(name).await?.is_some())
    }

    async fn labelled_secrets(
        &self,
        namespace: &str,
        label: &str,
    ) -> Result<Vec<SecretObject>, Error> {
        let labels = format!("{label}=true");
        let query = Query { namespace: Some(namespace), labels: &labels };
        let secrets = list::objects(&self.api, &secrets(), query, &Budget::new()).await?;
        let mut secrets: Vec<_> = secrets.iter().map(SecretObject::new).collect();
        secrets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(secrets)
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, Error> {
        let found = self.object(&secret_path(namespace, name)).await?;
        Ok(found.as_ref().map(SecretObject::new))
    }
}

/// Path of one Secret.
pub(super) fn secret_path(namespace: &str, name: &str) -> String {
    format!("{}/{}", secrets_path(namespace), segment(name))
}

/// Path of the Secrets of a namespace.
pub(super) fn secrets_path(namespace: &str) -> String {
    secrets().path(Some(namespace))
}

fn secrets() -> Resource {
    Resource {
        group: String::new(),
        plural: "secrets".to_owned(),
        version: "v1".to_owned(),
        kind: "Secret".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use serde_json::json;

    #[test]
    fn both_forms_of_data_are_read_and_neither_is_printed() {
        let object = Object::new(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "a", "labels": {"l": "true"}, "annotations": {"n": "x"}},
            "data": {"a": "Y2Fu\nYXJ5", "b": "b2xk", "c": "canary!", "d": 5, "e": null},
            "stringData": {"b": "canary"}}))
        .unwrap();
        let secret = SecretObject::new(&object);
        assert_eq!(secret.data["a"].expose_secret(), b"canary");
        assert_eq!(secret.data["b"].expose_secret(), b"canary");
        assert_eq!(secret.data["e"].expose_secret(), b"");
        assert_eq!(secret.malformed, ["c", "d"]);
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
