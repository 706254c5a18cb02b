//! JSON merge patches (RFC 7396).

use serde_json::{Map, Value, json};

/// Writes a JSON merge patch into a document (RFC 7396, section 2).
pub(super) fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return into.clone_from(patch) };
    if !into.is_object() {
        *into = json!({});
    }
    let Value::Object(fields) = into else { return };
    for (key, value) in patch {
        if value.is_null() {
            fields.shift_remove(key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// The merge patch that makes `after` of `before`. Neither holds null.
pub(super) fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return after.clone() };
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let mut patch: Map<_, _> = gone.map(|key| (key.clone(), Value::Null)).collect();
    for (key, value) in new {
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before) => {
                patch.insert(key.clone(), difference(before, value));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_makes_the_one_of_the_other() {
        let states = [
            json!({"a": 1, "b": {"c": [1, 2], "d": "x"}}),
            json!({"a": 1, "b": {"c": [2]}}),
            json!({"b": {"d": "y"}, "e": {"f": true}}),
            json!({}),
        ];
        for before in &states {
            for after in &states {
                let mut made = before.clone();
                merge(&mut made, &difference(before, after));
                assert_eq!(&made, after, "{before} -> {after}");
            }
        }
        assert_eq!(difference(&states[0], &states[0]), json!({}));
    }
}
