//! A check of JSON against the schemas of the description. It is our own and stricter than JSON Schema,
//! which a library would follow: a field that no schema names is a fault, and so is a keyword that is
//! not checked here. Ten keywords are in use.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that only tell.
const TELLING: [&str; 3] = ["description", "default", "title"];

/// The description's schemas, and which of them something was of.
pub(super) struct Schemas<'a> {
    document: &'a Value,
    met: RefCell<BTreeSet<String>>,
}

impl<'a> Schemas<'a> {
    pub(super) fn of(document: &'a Value) -> Self {
        Self { document, met: RefCell::default() }
    }

    /// Names of components that something was of.
    pub(super) fn met(&self) -> BTreeSet<String> {
        self.met.borrow().clone()
    }

    /// What is wrong with `value`.
    pub(super) fn check(&self, schema: &Value, value: &Value) -> Result<(), String> {
        match schema {
            Value::Bool(true) => Ok(()),
            Value::Object(keywords) => self.keywords(keywords, value),
            other => Err(format!("{other} is no schema")),
        }
    }

    fn keywords(&self, keywords: &Map<String, Value>, value: &Value) -> Result<(), String> {
        for (keyword, rule) in keywords {
            match keyword.as_str() {
                "$ref" => self.referred(rule.as_str().unwrap(), value)?,
                "anyOf" => self.either(rule, value, |fit| fit >= 1)?,
                "oneOf" => self.either(rule, value, |fit| fit == 1)?,
                "type" => is_type(rule, value)?,
                "enum" => holds(rule.as_array().unwrap().contains(value), keyword, rule, value)?,
                "const" => holds(rule == value, keyword, rule, value)?,
                "items" => {
                    for item in value.as_array().into_iter().flatten() {
                        self.check(rule, item)?;
                    }
                }
                "properties" | "required" | "additionalProperties" => {}
                _ if TELLING.contains(&keyword.as_str()) => {}
                _ => is_within(keyword, rule, value)?,
            }
        }
        let refers = ["$ref", "anyOf", "oneOf"].iter().any(|word| keywords.contains_key(*word));
        match value {
            Value::Object(fields) if !refers => self.fields(keywords, fields),
            _ => Ok(()),
        }
    }

    fn fields(
        &self,
        keywords: &Map<String, Value>,
        fields: &Map<String, Value>,
    ) -> Result<(), String> {
        let required = keywords.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in required {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("{name} is missing in {fields:?}"));
            }
        }
        let properties = keywords.get("properties").and_then(Value::as_object);
        let further = keywords.get("additionalProperties").unwrap_or(&Value::Bool(false));
        for (name, field) in fields {
            let declared = properties.and_then(|properties| properties.get(name));
            match (declared, further) {
                (None, Value::Bool(false)) => return Err(format!("`{name}` is not declared")),
                (None, further) => self.check(further, field)?,
                (Some(schema), _) => {
                    self.check(schema, field).map_err(|error| format!("{name}: {error}"))?;
                }
            }
        }
        Ok(())
    }

    fn either(
        &self,
        rule: &Value,
        value: &Value,
        enough: impl Fn(usize) -> bool,
    ) -> Result<(), String> {
        let all = rule.as_array().unwrap().iter().map(|schema| self.check(schema, value));
        let (fit, wrong): (Vec<_>, Vec<_>) = all.partition(Result::is_ok);
        if enough(fit.len()) { Ok(()) } else { Err(format!("{} fit; {wrong:?}", fit.len())) }
    }

    fn referred(&self, reference: &str, value: &Value) -> Result<(), String> {
        self.check(self.resolve(reference), value)?;
        let name = reference.rsplit('/').next().unwrap();
        self.met.borrow_mut().insert(name.to_owned());
        Ok(())
    }

    /// What a `$ref` refers to.
    pub(super) fn resolve(&self, reference: &str) -> &'a Value {
        let pointer = reference.strip_prefix('#').unwrap();
        self.document.pointer(pointer).unwrap_or_else(|| panic!("nothing is at {reference}"))
    }
}

fn is_type(rule: &Value, value: &Value) -> Result<(), String> {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other}"),
    };
    let fits = rule.as_array().map_or_else(|| is(rule), |types| types.iter().any(is));
    holds(fits, "type", rule, value)
}

/// Bounds, each of one type: values of others are another keyword's to refuse.
fn is_within(keyword: &str, rule: &Value, value: &Value) -> Result<(), String> {
    let bound = rule.as_u64().and_then(|bound| usize::try_from(bound).ok()).unwrap_or_default();
    let fits = match (keyword, value) {
        ("minimum", Value::Number(number)) => number.as_f64() >= rule.as_f64(),
        ("maximum", Value::Number(number)) => number.as_f64() <= rule.as_f64(),
        ("minLength", Value::String(text)) => text.chars().count() >= bound,
        ("maxLength", Value::String(text)) => text.chars().count() <= bound,
        ("maxItems", Value::Array(items)) => items.len() <= bound,
        ("pattern", Value::String(text)) => {
            Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)
        }
        ("format", Value::String(text)) if rule == "date-time" => text.parse::<Timestamp>().is_ok(),
        ("format", Value::Number(number)) => match rule.as_str().unwrap() {
            "uint8" => number.as_u64().is_some_and(|number| number <= u8::MAX.into()),
            "uint16" => number.as_u64().is_some_and(|number| number <= u16::MAX.into()),
            "uint32" => number.as_u64().is_some_and(|number| number <= u32::MAX.into()),
            "uint" | "uint64" => number.is_u64(),
            "int64" => number.is_i64(),
            other => panic!("the format {other}"),
        },
        ("minimum" | "maximum" | "minLength" | "maxLength" | "maxItems" | "pattern", _) => true,
        ("format", Value::Null) => true,
        other => panic!("nothing checks {other:?}"),
    };
    holds(fits, keyword, rule, value)
}

fn holds(fits: bool, keyword: &str, rule: &Value, value: &Value) -> Result<(), String> {
    if fits { Ok(()) } else { Err(format!("{value} is not of {keyword} {rule}")) }
}

#[test]
fn what_a_schema_does_not_say_is_a_fault() {
    let document = serde_json::json!({"components": {"schemas": {
        "One": {
            "type": "object", "required": ["a"],
            "properties": {
                "a": {"type": "string", "pattern": "^x", "maxLength": 2},
                "b": {"anyOf": [{"$ref": "#/components/schemas/Two"}, {"type": "null"}]},
                "at": {"type": ["string", "null"], "format": "date-time"},
                "n": {"type": "integer", "minimum": 1, "format": "uint8"},
                "all": {"type": "array", "items": {"const": "c"}},
            },
        },
        "Two": {"enum": ["y", "z"]},
    }}});
    let schemas = Schemas::of(&document);
    let one = serde_json::json!({"$ref": "#/components/schemas/One"});
    let check = |text: &str| schemas.check(&one, &serde_json::from_str(text).unwrap());
    for good in [
        r#"{"a": "x"}"#,
        r#"{"a": "xy", "b": "z", "at": "2026-11-26T08:00:00Z", "n": 255, "all": ["c", "c"]}"#,
        r#"{"a": "x", "b": null, "at": null, "all": []}"#,
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for bad in [
        "{}",
        "[]",
        r#"{"a": null}"#,
        r#"{"a": "y"}"#,
        r#"{"a": "xyz"}"#,
        r#"{"a": "x", "more": 1}"#,
        r#"{"a": "x", "b": "x"}"#,
        r#"{"a": "x", "at": "today"}"#,
        r#"{"a": "x", "n": 0}"#,
        r#"{"a": "x", "n": 256}"#,
        r#"{"a": "x", "n": 1.5}"#,
        r#"{"a": "x", "all": ["c", "d"]}"#,
    ] {
        assert!(check(bad).is_err(), "{bad}");
    }
    assert_eq!(schemas.met().len(), 2);
}
