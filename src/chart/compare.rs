//! What differs between two objects, field by field.

use std::collections::BTreeSet;

use serde_json::{Map, Number, Value};

use crate::app::path::{Path, Step};

/// A field that is not the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'v> {
    /// JSON pointer to the field, in the object that has it.
    pub pointer: String,
    /// The field for people: `spec.containers[0].image`.
    pub field: String,
    /// What it was; `None`: not there.
    pub before: Option<&'v Value>,
    /// What it is; `None`: not there.
    pub after: Option<&'v Value>,
}

/// Every difference, in the order of the fields' names. Items of lists are compared by place; a
/// mapping that is there on one side only is one difference.
pub fn changes<'v>(
    before: &'v Map<String, Value>,
    after: &'v Map<String, Value>,
) -> Vec<Change<'v>> {
    let mut found = Vec::new();
    compare_fields(&mut Vec::new(), before, after, &mut found);
    found
}

fn compare_fields<'v>(
    at: &mut Vec<Step>,
    before: &'v Map<String, Value>,
    after: &'v Map<String, Value>,
    found: &mut Vec<Change<'v>>,
) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        at.push(Step::Key(key.clone()));
        compare(at, before.get(key), after.get(key), found);
        at.pop();
    }
}

fn compare<'v>(
    at: &mut Vec<Step>,
    before: Option<&'v Value>,
    after: Option<&'v Value>,
    found: &mut Vec<Change<'v>>,
) {
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => compare_fields(at, a, b, found),
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for place in 0..a.len().max(b.len()) {
                at.push(Step::Item(place));
                compare(at, a.get(place), b.get(place), found);
                at.pop();
            }
        }
        (Some(Value::Number(a)), Some(Value::Number(b))) if is_same(a, b) => {}
        (before, after) if before == after => {}
        (before, after) => {
            let path = Path(at.clone());
            found.push(Change { pointer: path.pointer(), field: path.to_string(), before, after });
        }
    }
}

/// Whether two numbers are one: `1` and `1.0` are, two large integers only if they are equal.
fn is_same(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: &Value) -> &Map<String, Value> {
        value.as_object().unwrap()
    }

    #[test]
    fn each_field_is_named_and_numbers_are_compared_by_value() {
        let before = json!({"a": {"b": [1, {"c": 2}], "d": 1.0}, "same": [{}], "gone": {"x": 1}});
        let after = json!({"a": {"b": [1, {"c": 3}, 4], "d": 1}, "same": [{}], "x.y/z": null});
        let found = changes(map(&before), map(&after));
        let fields: Vec<(&str, &str)> =
            found.iter().map(|change| (&*change.field, &*change.pointer)).collect();
        assert_eq!(
            fields,
            [
                ("a.b[1].c", "/a/b/1/c"),
                ("a.b[2]", "/a/b/2"),
                ("gone", "/gone"),
                ("x.y/z", "/x.y~1z"),
            ]
        );
        assert_eq!((found[1].before, found[1].after), (None, Some(&json!(4))));
        assert_eq!(found[3].after, Some(&Value::Null));
        let large = |number: u64| json!({"n": number});
        assert_eq!(changes(map(&large(u64::MAX)), map(&large(u64::MAX - 1))).len(), 1);
    }
}
