//! A mapping that is read field by field: what is of the wrong type, a placeholder or unknown is
//! a finding, and no value is ever quoted.

use serde_json::{Map, Value};

use super::Unknown;
use super::document::is_placeholder;
use crate::app::{Code, Finding, ObjectId};

/// The fields that are left of a mapping.
pub(crate) struct Fields<'f> {
    left: Map<String, Value>,
    /// What the mapping is called in paths: `spec.`, or nothing.
    within: &'static str,
    object: ObjectId,
    findings: &'f mut Vec<Finding>,
}

impl<'f> Fields<'f> {
    /// Fields of `object`; of anything but a mapping there are none.
    pub(crate) fn new(
        value: Value,
        within: &'static str,
        object: ObjectId,
        findings: &'f mut Vec<Finding>,
    ) -> Self {
        let mut fields = Self { left: Map::new(), within, object, findings };
        match value {
            Value::Object(map) => fields.left = map,
            Value::Null => {}
            _ => fields.odd(Code::RegistryFieldInvalid, "", "it is no mapping", ""),
        }
        fields
    }

    /// Notes something about a field.
    pub(crate) fn odd(&mut self, code: Code, field: &str, text: &str, remedy: &str) {
        let mut finding = Finding::new(code, text).on(self.object.clone()).remedy(remedy);
        let path = format!("{}{field}", self.within);
        if !path.is_empty() {
            finding = finding.field(path.trim_end_matches('.'));
        }
        self.findings.push(finding);
    }

    /// The value of a field, whatever it is.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        self.left.shift_remove(name).filter(|value| !value.is_null())
    }

    /// A text that says something.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) if is_placeholder(&text) => {
                self.odd(Code::RegistryPlaceholder, name, "a placeholder stands here", PUT);
                None
            }
            Value::String(text) => Some(text),
            // `title: 5` is text to whoever wrote it, and what it is to kubectl is refused there.
            Value::Number(number) => {
                self.odd(Code::RegistryFieldInvalid, name, "it is a number, not text", QUOTE);
                Some(number.to_string())
            }
            _ => {
                self.odd(Code::RegistryFieldInvalid, name, "it is not text", QUOTE);
                None
            }
        }
    }

    /// `true` or `false`. The vendors' `{true|false}` is a mapping to YAML.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(flag) => Some(flag),
            Value::Object(map) if map.keys().any(|key| key.contains('|')) => {
                let text = "the placeholder `{true|false}` stands here";
                self.odd(Code::RegistryPlaceholder, name, text, "write true or false");
                None
            }
            _ => {
                let text = "it is neither true nor false";
                self.odd(Code::RegistryFieldInvalid, name, text, "write true or false");
                None
            }
        }
    }

    /// The fields that nobody asked for, each with a finding.
    pub(crate) fn rest(mut self) -> Unknown {
        self.unknown("the field is not known; it is kept, and written for this system alone");
        Unknown::new(self.left)
    }

    /// As [`Self::rest`], where there is nothing to keep them in.
    pub(crate) fn pass_over(mut self) {
        self.unknown("the field is not known and is passed over");
    }

    fn unknown(&mut self, text: &str) {
        let names: Vec<String> = self.left.keys().cloned().collect();
        for name in names {
            let remedy = "check its spelling and its indentation";
            self.odd(Code::RegistryFieldUnknown, &name, text, remedy);
        }
    }
}

const PUT: &str = "put the value in its place";
const QUOTE: &str = "write it as text, in quotes";
