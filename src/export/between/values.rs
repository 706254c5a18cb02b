//! The default values of two versions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Version;
use crate::app::{Object, ObjectId};
use crate::chart::compare::{Change, changes_by_key};
use crate::export::Error;
use crate::export::diff::{ChangedField, Credentials};

/// Shortest text that is taken for a Secret's because it stands inside one: shorter ones stand
/// anywhere.
const SHORTEST: usize = 4;

/// Where the values are in the object that is made of them to be scanned.
const VALUES: &str = "values";

/// Values that differ. What is in a Secret, or looks like a credential, is hidden.
pub(super) fn compare(old: &Version<'_>, new: &Version<'_>) -> Result<Vec<ChangedField>, Error> {
    let [Some(before), Some(after)] = [as_object(&old.values()?), as_object(&new.values()?)] else {
        return Ok(Vec::new());
    };
    let credentials =
        Credentials::of([std::slice::from_ref(&before), std::slice::from_ref(&after)]);
    let secret = [&old.rendered, &new.rendered].map(|objects| texts(objects));
    let field = |change: &Change<'_>| {
        let hidden = is_of_secrets(change)
            || credentials.touch(&before.id(), change)
            || change.before.is_some_and(|value| is_in(value, &secret[0]))
            || change.after.is_some_and(|value| is_in(value, &secret[1]));
        let mut field = ChangedField::of(change, hidden);
        if let Some(bare) = field.field.strip_prefix(VALUES) {
            field.field = bare.trim_start_matches('.').to_owned();
        }
        field
    };
    Ok(changes_by_key(before.fields(), after.fields()).iter().map(field).collect())
}

/// The values as an object of a kind that nobody knows: in it the names of all fields mean something
/// to the scanner.
fn as_object(values: &Value) -> Option<Object> {
    let object = json!({"apiVersion": "outhaul.dev/v1alpha1", "kind": "Values",
        "metadata": {"name": VALUES}, VALUES: values});
    Object::new(object).ok()
}

/// Whether a change is of the values from which a chart of ours makes Secrets, or of all of them.
fn is_of_secrets(change: &Change<'_>) -> bool {
    let path = change.pointer.strip_prefix("/values").unwrap_or_default();
    path.is_empty() || path == "/secrets" || path.starts_with("/secrets/")
}

/// What the Secrets among objects hold.
fn texts(objects: &[Object]) -> Vec<String> {
    let is_secret = |id: &ObjectId| id.kind == "Secret" && id.group.is_empty();
    let secrets = objects.iter().filter(|object| is_secret(&object.id()));
    let of = |object: &Object, field: &str| -> Vec<String> {
        let found = object.at(field).and_then(Value::as_object);
        let texts = found.into_iter().flatten().filter_map(|(_, text)| text.as_str());
        texts.map(str::to_owned).collect()
    };
    let decoded = |text: String| {
        let bytes = STANDARD.decode(&text).ok();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(text)
    };
    secrets
        .flat_map(|object| {
            let data = of(object, "/data").into_iter().map(decoded);
            data.chain(of(object, "/stringData")).collect::<Vec<_>>()
        })
        .collect()
}

/// Whether a value, or one in it, stands in a Secret.
fn is_in(value: &Value, secrets: &[String]) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => secrets.contains(&number.to_string()),
        Value::String(text) => secrets.iter().any(|secret| {
            secret == text || text.len() >= SHORTEST && secret.contains(text.as_str())
        }),
        Value::Array(items) => items.iter().any(|item| is_in(item, secrets)),
        Value::Object(fields) => fields.values().any(|field| is_in(field, secrets)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_secret_is_known_by_its_text_wherever_it_is() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"},
            "data": {"url": "cG9zdGdyZXM6Ly94OmMwcGVuaGFnZW5AZGI=", "pin": "MTIzNA=="},
            "stringData": {"short": "ab"}});
        let texts = texts(&[Object::new(secret).unwrap()]);
        for value in [json!("c0penhagen"), json!(1234), json!("ab"), json!({"a": ["c0penhagen"]})] {
            assert!(is_in(&value, &texts), "{value}");
        }
        for value in [json!("b"), json!(12), json!(true), json!("other"), json!("")] {
            assert!(!is_in(&value, &texts), "{value}");
        }
    }
}
