//! Takes the values out of a Secret. What is left says which keys there are and nothing else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretSlice;
use serde_json::{Map, Value};

use super::Object;
use super::secret::REDACTED;
use super::snapshot::Plaintext;

/// The fields that a Secret has. Others are dropped: a misspelt `stringdata` holds plaintext, too.
const FIELDS: [&str; 6] = ["apiVersion", "kind", "metadata", "type", "immutable", "data"];

/// Annotations in which tools keep a copy of the whole object.
const COPIES: [&str; 4] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "banzaicloud.com/last-applied",
    "objectset.rio.cattle.io/applied",
];

/// Shortest value that is looked for in annotations; shorter ones match by chance.
const MIN_TELLING: usize = 4;

/// A value that is not base64.
#[derive(Debug, PartialEq, Eq)]
pub struct NotBase64 {
    /// Name of the Secret.
    pub secret: String,
    /// The key.
    pub key: String,
}

/// Whether the object is a core Secret.
pub fn is_secret(object: &Object) -> bool {
    object.kind() == "Secret" && object.group().is_empty()
}

/// Redacts a Secret in place. Its values are decoded and returned if they are to be kept;
/// `stringData` wins over `data`, as on the API server.
pub(super) fn redact(
    secret: &mut Object,
    plaintext: Plaintext,
) -> Result<BTreeMap<String, SecretSlice<u8>>, NotBase64> {
    let name = secret.name().to_owned();
    let fields = secret.fields_mut();
    let data = take_map(fields, "data");
    let string_data = take_map(fields, "stringData");
    fields.retain(|key, _| FIELDS.contains(&key.as_str()));
    redact_annotations(fields, data.values().chain(string_data.values()));
    let keys: BTreeMap<&String, ()> =
        data.keys().chain(string_data.keys()).map(|k| (k, ())).collect();
    if !keys.is_empty() {
        let keys = keys.into_keys().map(|key| (key.clone(), Value::from(REDACTED)));
        fields.insert("data".to_owned(), Value::Object(keys.collect()));
    }
    match plaintext {
        Plaintext::Drop => Ok(BTreeMap::new()),
        Plaintext::Keep => decode(&name, data, string_data),
    }
}

/// Redacts helm's record of a release, a Secret or a ConfigMap, in place.
pub(super) fn redact_record(record: &mut Object) {
    let fields = record.fields_mut();
    fields.retain(|key, _| FIELDS.contains(&key.as_str()));
    if let Some(Value::Object(data)) = fields.get_mut("data") {
        data.values_mut().for_each(|value| *value = Value::from(REDACTED));
    }
    redact_annotations(fields, std::iter::empty());
}

fn take_map(fields: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match fields.remove(key) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Redacts annotations that are known copies of the object, or that quote one of its values.
fn redact_annotations<'a>(
    fields: &mut Map<String, Value>,
    values: impl Iterator<Item = &'a Value>,
) {
    let telling: Vec<String> = values
        .filter_map(Value::as_str)
        .flat_map(|text| [Some(text.to_owned()), decoded_text(text)])
        .flatten()
        .filter(|text| text.len() >= MIN_TELLING && text != REDACTED)
        .collect();
    let annotations =
        fields.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    let Some(Value::Object(annotations)) = annotations else { return };
    for (key, value) in annotations {
        let quotes = |text: &str| telling.iter().any(|secret| text.contains(secret.as_str()));
        if COPIES.contains(&key.as_str()) || value.as_str().is_some_and(quotes) {
            *value = Value::from(REDACTED);
        }
    }
}

fn decoded_text(base64: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(base64.trim()).ok()?).ok()
}

fn decode(
    name: &str,
    data: Map<String, Value>,
    string_data: Map<String, Value>,
) -> Result<BTreeMap<String, SecretSlice<u8>>, NotBase64> {
    let mut values = BTreeMap::new();
    for (key, value) in data {
        let bad = || NotBase64 { secret: name.to_owned(), key: key.clone() };
        // Line breaks within base64 come from YAML block scalars; the API server takes them.
        let text: String = match &value {
            Value::String(text) => text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect(),
            Value::Null => String::new(),
            _ => return Err(bad()),
        };
        let bytes = STANDARD.decode(text).map_err(|_| bad())?;
        values.insert(key, bytes.into());
    }
    for (key, value) in string_data {
        let text = match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            _ => return Err(NotBase64 { secret: name.to_owned(), key }),
        };
        values.insert(key, text.into_bytes().into());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        Object::new(value).unwrap()
    }

    #[test]
    fn keys_stay_and_nothing_else_does() {
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": "a", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{}}",
                "note": "the password is canary", "harmless": "yes"}},
            "data": {"b": "Y2FuYXJ5"}, "stringData": {"a": "plain"}, "stringdata": {"x": "canary"}}));
        redact(&mut secret, Plaintext::Drop).unwrap();
        assert_eq!(
            Value::from(secret),
            json!({"apiVersion": "v1", "kind": "Secret",
            "type": "Opaque", "metadata": {"name": "a", "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "redacted",
                "note": "redacted", "harmless": "yes"}},
            "data": {"a": "redacted", "b": "redacted"}})
        );
    }

    #[test]
    fn what_is_not_base64_is_named_without_its_value() {
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "a"}, "data": {"b": "no base64!"}}));
        let error = redact(&mut secret, Plaintext::Keep).unwrap_err();
        assert_eq!(error, NotBase64 { secret: "a".into(), key: "b".into() });
        assert_eq!(secret.text("/data/b"), Some(REDACTED));
    }

    #[test]
    fn folded_base64_decodes() {
        let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "a"}, "data": {"b": "Y2Fu\nYXJ5\n"}}));
        let values = redact(&mut secret, Plaintext::Keep).unwrap();
        assert_eq!(values["b"].expose_secret(), b"canary");
    }

    proptest! {
        /// Whatever is in a Secret, and wherever it is repeated: nothing of it is left.
        #[test]
        fn no_value_survives(
            values in prop::collection::btree_map("[a-z]{1,3}", "[A-Z0-9]{4,12}", 1..4),
            plain in any::<bool>(),
        ) {
            let of = |value: &String| if plain { value.clone() } else { STANDARD.encode(value) };
            let data: Map<_, _> = values.iter().map(|(k, v)| (k.clone(), of(v).into())).collect();
            let field = if plain { "stringData" } else { "data" };
            let copy = format!("copied {}", values.values().next().unwrap());
            let mut secret = object(json!({"apiVersion": "v1", "kind": "Secret",
                "metadata": {"name": "a", "annotations": {"note": copy, COPIES[0]: json!(data).to_string()}},
                field: data.clone(), "unknown": data}));
            let kept = redact(&mut secret, Plaintext::Keep).unwrap();
            let left = serde_json::to_string(secret.fields()).unwrap();
            for (key, value) in &values {
                prop_assert!(!left.contains(value) && !left.contains(&STANDARD.encode(value)), "{}", left);
                prop_assert_eq!(kept[key].expose_secret(), value.as_bytes());
                prop_assert_eq!(secret.at("/data").unwrap()[key].as_str(), Some(REDACTED));
            }
            let once = secret.clone();
            redact(&mut secret, Plaintext::Drop).unwrap();
            prop_assert_eq!(secret, once);
        }
    }
}
