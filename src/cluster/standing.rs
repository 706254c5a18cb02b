//! How a Secret that an import brings stands to what the cluster has under its name.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::client::{JSON, MAX_DOCUMENT};
use super::secret::secret_path;
use super::target::MANAGER;
use super::{Error, Live, SecretObject};
use crate::app::Object;

/// Type of Secrets that name none (kubernetes, `pkg/apis/core/v1/defaults.go`).
const OPAQUE: &str = "Opaque";

/// What is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Absent,
    /// The same type and values, whoever made it.
    Equal,
    /// Other values, set by nobody but us.
    Ours,
    /// Other values, set by another.
    Foreign,
    /// Other values that cannot be changed: it is immutable, or of another type.
    Fixed,
}

impl Live {
    /// How a Secret stands to what the namespace has under its name.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn standing(
        &self,
        namespace: &str,
        manifest: &SecretString,
    ) -> Result<Standing, Error> {
        let brought = parsed(manifest)?;
        let path = secret_path(namespace, brought.name());
        match self.api.get::<Object>(&path, JSON, MAX_DOCUMENT).await {
            Ok((there, _)) => Ok(compared(&brought, &there)),
            Err(Error::Api { status: 404, .. }) => Ok(Standing::Absent),
            Err(error) => Err(error),
        }
    }
}

/// The object of a manifest. The error quotes nothing.
pub(super) fn parsed(manifest: &SecretString) -> Result<Object, Error> {
    serde_json::from_str(manifest.expose_secret()).map_err(|_| Error::Malformed {
        file: "the manifest of a Secret".to_owned(),
        line: 0,
        column: 0,
        reason: "it is no Kubernetes object".to_owned(),
    })
}

fn compared(brought: &Object, there: &Object) -> Standing {
    let type_of = |object: &Object| object.text("/type").unwrap_or(OPAQUE).to_owned();
    let same_type = type_of(brought) == type_of(there);
    if same_type && has_same_values(brought, there) {
        Standing::Equal
    } else if !same_type || there.at("/immutable") == Some(&Value::Bool(true)) {
        Standing::Fixed
    } else if has_values_of_ours_only(there) {
        Standing::Ours
    } else {
        Standing::Foreign
    }
}

fn has_same_values(brought: &Object, there: &Object) -> bool {
    let [brought, there] = [brought, there].map(SecretObject::new);
    let mut pairs = brought.data.iter().zip(&there.data);
    brought.malformed.is_empty()
        && brought.data.len() == there.data.len()
        && pairs.all(|((key, value), (other_key, other))| {
            key == other_key && value.expose_secret() == other.expose_secret()
        })
}

/// Whether each value is ours and no other's, by `metadata.managedFields`. What was applied as
/// `stringData` leaves values that nobody owns: those are not ours.
fn has_values_of_ours_only(there: &Object) -> bool {
    let fields = there.at("/metadata/managedFields").and_then(Value::as_array);
    let (ours, others): (Vec<&Value>, Vec<&Value>) = fields
        .into_iter()
        .flatten()
        .partition(|by| by.get("manager").and_then(Value::as_str) == Some(MANAGER));
    let owned = |by: &Value, key: &str| {
        by.pointer("/fieldsV1/f:data").is_some_and(|data| data.get(format!("f:{key}")).is_some())
    };
    let values = there.at("/data").and_then(Value::as_object);
    let mut keys = values.into_iter().flat_map(|values| values.keys());
    keys.all(|key| ours.iter().any(|by| owned(by, key)) && !others.iter().any(|by| owned(by, key)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_is_equal_ours_another_s_or_fixed() {
        let secret = |value: &str, more: Value| {
            let mut secret = json!({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "a"}, "type": "Opaque", "data": {"key": value}});
            for (key, value) in more.as_object().unwrap() {
                secret[key] = value.clone();
            }
            Object::new(secret).unwrap()
        };
        let by = |manager: &str| {
            json!({"metadata": {"name": "a", "managedFields":
                [{"manager": manager, "fieldsV1": {"f:data": {"f:key": {}}}}]}})
        };
        let brought = secret("b25l", json!({}));
        let cases = [
            (secret("b25l", by("kubectl")), Standing::Equal),
            (secret("b25l", json!({"immutable": true})), Standing::Equal),
            (secret("b3RoZXI=", by("outhaul")), Standing::Ours),
            (secret("b3RoZXI=", by("kubectl")), Standing::Foreign),
            (secret("b3RoZXI=", json!({"immutable": true})), Standing::Fixed),
            (secret("b25l", json!({"type": "example.org/other"})), Standing::Fixed),
            (secret("b25l", json!({"data": {"key": "b25l", "more": ""}})), Standing::Foreign),
            (secret("b3RoZXI=", json!({})), Standing::Foreign),
        ];
        for (there, standing) in cases {
            assert_eq!(compared(&brought, &there), standing);
        }
    }
}
