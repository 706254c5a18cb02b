//! Values: those of `values.yaml`, and a user's over them.

use serde_json::{Map, Value, json};

use super::{RenderError, read};

const PATH: &str = "values.yaml";

/// The values of a chart. Without a file, or with an empty one, there are none.
pub(super) fn of(file: Option<&[u8]>) -> Result<Value, RenderError> {
    let Some(bytes) = file else { return Ok(Map::new().into()) };
    match read::value(PATH, read::text(PATH, bytes)?)? {
        Value::Null => Ok(Map::new().into()),
        values @ Value::Object(_) => Ok(values),
        _ => Err(RenderError::File { path: PATH.into(), reason: "it is no mapping".into() }),
    }
}

/// Puts `overrides` over `values` as helm does: mappings are merged, null takes a value out,
/// everything else replaces (helm, `pkg/chart/common/util/coalesce.go`).
pub fn coalesce(values: &mut Value, overrides: &Value) {
    let (Value::Object(values), Value::Object(overrides)) = (values, overrides) else { return };
    for (key, over) in overrides {
        match (values.get_mut(key), over) {
            (_, Value::Null) => _ = values.shift_remove(key),
            (Some(under @ Value::Object(_)), Value::Object(_)) => coalesce(under, over),
            (Some(under), over) => under.clone_from(over),
            (None, over) => _ = values.insert(key.clone(), over.clone()),
        }
    }
}

/// Values for the Secrets that a chart asks for, so that it renders: those that it makes and has
/// nothing for.
pub fn stand_ins(values: &Value) -> Value {
    let mut secrets = Map::new();
    for (name, secret) in values["secrets"].as_object().into_iter().flatten() {
        let data = secret["data"].as_object().filter(|_| secret["create"] == true);
        let empty = data.into_iter().flatten().filter(|(_, value)| **value == "");
        let given: Map<String, Value> =
            empty.map(|(key, _)| (key.clone(), "given".into())).collect();
        if !given.is_empty() {
            secrets.insert(name.clone(), json!({ "data": given }));
        }
    }
    json!({ "secrets": secrets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_merge_replace_and_take_out() {
        let mut values = json!({"a": {"b": 1, "c": [1, 2], "d": {"e": 1}}, "f": "x"});
        coalesce(&mut values, &json!({"a": {"b": null, "c": [3], "d": 5}, "f": {"g": 1}, "h": 2}));
        assert_eq!(values, json!({"a": {"c": [3], "d": 5}, "f": {"g": 1}, "h": 2}));
    }
}
