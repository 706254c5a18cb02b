//! Fields that we do not know.

use std::fmt;

use serde_json::{Map, Value};

/// Fields that we do not know. Their values are not printed: a misspelt `password` is one of them.
#[derive(Clone, Default, PartialEq)]
pub struct Unknown(Map<String, Value>);

impl Unknown {
    /// These fields.
    pub fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The fields as they may be written where no secrets belong: a value whose name tells of one,
    /// only `with_secrets`.
    pub fn written(&self, with_secrets: bool) -> Map<String, Value> {
        /// Parts of names that values are kept back for.
        const TELLING: [&str; 5] = ["pass", "token", "secret", "key", "auth"];
        self.without(|name, _| {
            let name = name.to_ascii_lowercase();
            !with_secrets && TELLING.iter().any(|part| name.contains(part))
        })
    }

    /// The fields as they may be written beside a password, which any of them may be under a wrong
    /// name: texts, lists and mappings only `with_secrets`.
    pub fn written_beside_secrets(&self, with_secrets: bool) -> Map<String, Value> {
        self.without(|_, value| !with_secrets && !matches!(value, Value::Bool(_) | Value::Null))
    }

    fn without(&self, hidden: impl Fn(&str, &Value) -> bool) -> Map<String, Value> {
        let shown = |(name, value): (&String, &Value)| {
            let open = Value::from(format!("<{name}>"));
            (name.clone(), if hidden(name, value) { open } else { value.clone() })
        };
        self.0.iter().map(shown).collect()
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
