//! What somebody wrote, in which nothing may be misspelt: the API server drops fields that it does not
//! know, and a schedule without its retention keeps everything.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ExportSchedule;

/// Longest path of a field in a message.
const MAX_PATH: usize = 200;

/// Where something that was written is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Path of the field, such as `spec.retention.keepLast`; of what holds it where it is missing.
    pub path: String,
    /// What is wrong with it, in serde's words, which may quote it; `None`: there is no such field.
    pub reason: Option<String>,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{}: {reason}", self.path),
            None => write!(f, "there is no field `{}`", self.path),
        }
    }
}

/// Reads what was written at `path`, and knows every field of it.
///
/// # Errors
/// When a field is not known, is missing, or is of another form.
pub fn strict<T: Serialize + DeserializeOwned>(written: &Value, path: &str) -> Result<T, Misfit> {
    let read: T = serde_path_to_error::deserialize(written).map_err(|error| {
        let at = error.path().to_string();
        let path = if at == "." { path.to_owned() } else { format!("{path}.{at}") };
        Misfit { path: cut(&path), reason: Some(error.into_inner().to_string()) }
    })?;
    let wrong = |reason: &dyn fmt::Display| Misfit {
        path: path.to_owned(),
        reason: Some(reason.to_string()),
    };
    let known = serde_json::to_value(&read).map_err(|error| wrong(&error))?;
    match unknown(written, &known, path) {
        None => Ok(read),
        Some(path) => Err(Misfit { path: cut(&path), reason: None }),
    }
}

impl ExportSchedule {
    /// Reads a manifest.
    ///
    /// # Errors
    /// What is wrong with it: it is of another kind, a field is not known, missing, or of another form.
    pub fn from_manifest(manifest: &Value) -> Result<Self, String> {
        let kind = (&manifest["apiVersion"], &manifest["kind"]);
        if kind != (&Value::from("outhaul.dev/v1alpha1"), &Value::from("ExportSchedule")) {
            return Err("it is no ExportSchedule of outhaul.dev/v1alpha1".to_owned());
        }
        let spec = strict(&manifest["spec"], "spec").map_err(|misfit| misfit.to_string())?;
        let whole: Self =
            serde_json::from_value(manifest.clone()).map_err(|error| error.to_string())?;
        Ok(Self { spec, ..whole })
    }
}

fn cut(path: &str) -> String {
    path[..path.floor_char_boundary(MAX_PATH)].to_owned()
}

/// The first field of `written` that is not in what was read of it. What is empty may be left out there.
fn unknown(written: &Value, read: &Value, path: &str) -> Option<String> {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => written.iter().find_map(|(key, value)| {
            let path = format!("{path}.{key}");
            match read.get(key) {
                Some(read) => unknown(value, read, &path),
                None if is_empty(value) => None,
                None => Some(path),
            }
        }),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(spec: &Value) -> Value {
        let mut whole = json!({
            "schedule": "@daily",
            "template": {"app": "shop", "destination": "backup", "secrets": "reference"},
        });
        for (key, value) in spec.as_object().unwrap() {
            whole[key] = value.clone();
        }
        json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "ExportSchedule",
            "metadata": {"name": "nightly"}, "spec": whole})
    }

    #[test]
    fn a_field_that_is_misspelt_is_named() {
        let with = |spec: Value| ExportSchedule::from_manifest(&manifest(&spec)).map(|it| it.spec);
        let read = with(json!({"retention": {"keepLast": 3}, "requestedBy": null})).unwrap();
        assert_eq!(read.retention.unwrap().keep_last, 3);
        for (spec, says) in [
            (json!({"retension": {"keepLast": 3}}), "there is no field `spec.retension`"),
            (json!({"retention": {"keeplast": 3}}), "there is no field `spec.retention.keeplast`"),
            (
                json!({"template": {"destination": "b", "secrets": "reference", "platform": "x"}}),
                "there is no field `spec.template.platform`",
            ),
            (json!({"template": {"destination": "b"}}), "spec.template: missing field `secrets`"),
            (json!({"catchUp": "latest"}), "spec.catchUp: unknown variant `latest`"),
            (json!({"retention": {"keepLast": "3"}}), "spec.retention.keepLast: invalid type"),
        ] {
            let error = with(spec.clone()).unwrap_err();
            assert!(error.contains(says), "{spec}: {error}");
        }
        let other = json!({"apiVersion": "v1", "kind": "Secret"});
        assert!(ExportSchedule::from_manifest(&other).is_err());
    }
}
