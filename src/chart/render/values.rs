//! Values: from `values.yaml` and a user's to what templates see.

use std::sync::Arc;

use gotmpl::Value as Go;
use serde_json::{Map, Number, Value, json};

use super::{RenderError, read};
use crate::chart::Chart;

const PATH: &str = "values.yaml";

/// The values of a chart. Without a file, or with an empty one, there are none.
pub(super) fn of(chart: &Chart) -> Result<Value, RenderError> {
    let Some(bytes) = chart.files.get(PATH) else { return Ok(Map::new().into()) };
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

/// JSON as templates see it.
pub(super) fn to_go(value: &Value) -> Go {
    match value {
        Value::Null => Go::Nil,
        Value::Bool(flag) => Go::Bool(*flag),
        Value::Number(number) => to_go_number(number),
        Value::String(text) => Go::String(text.as_str().into()),
        Value::Array(items) => Go::List(items.iter().map(to_go).collect()),
        Value::Object(fields) => Go::Map(Arc::new(
            fields.iter().map(|(key, value)| (key.as_str().into(), to_go(value))).collect(),
        )),
    }
}

fn to_go_number(number: &Number) -> Go {
    match (number.as_i64(), number.as_u64()) {
        (Some(signed), _) => Go::Int(signed),
        (None, Some(unsigned)) => Go::Uint(unsigned),
        (None, None) => Go::Float(number.as_f64().unwrap_or_default()),
    }
}

/// What templates see as JSON; functions are null.
pub(super) fn from_go(value: &Go) -> Value {
    match value {
        Go::Nil | Go::Function(_) => Value::Null,
        Go::Bool(flag) => Value::Bool(*flag),
        Go::Int(number) => Value::from(*number),
        Go::Uint(number) => Value::from(*number),
        Go::Float(number) => Value::from(*number),
        Go::String(text) => Value::from(&**text),
        Go::List(items) => items.iter().map(from_go).collect(),
        Go::Map(fields) => {
            Value::Object(fields.iter().map(|(key, it)| (key.to_string(), from_go(it))).collect())
        }
    }
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

    #[test]
    fn values_come_back_from_templates() {
        let value = json!({"a": [1, -1, u64::MAX, 0.5, "x", null, true], "b": {}});
        assert_eq!(from_go(&to_go(&value)), value);
    }
}
