//! Credentials in plain text: in variables, arguments, ConfigMaps, annotations, custom resources.
//! A finding names object, field and line; never the value, nor a part of it.
//!
//! ```text
//!  object ─► each text, with its name ─┬─ shapes: URLs, tokens, private keys ─┐
//!                                      └─ pairs in it ─ names ─ values ───────┴─► findings
//! ```
//!
//! Time is linear in the length of a text: every look back and ahead has a limit.

mod binary;
mod names;
mod pairs;
mod shapes;
mod urls;
mod values;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::path::{Path, Step};
use super::{Code, Finding, Object, kinds};

/// Most bytes of one text that are looked at: a ConfigMap has no more (`MaxSecretSize`, kubernetes,
/// `pkg/apis/core/types.go`), and no other text of an object should.
const LONGEST_TEXT: usize = 1 << 20;

/// Longest value that its name alone makes a credential; longer ones are files.
const LONGEST_VALUE: usize = 512;

/// A kind whose values are encrypted, whatever their names are.
const SEALED_SECRET: kinds::Kind = ("bitnami.com", "SealedSecret");

/// What a text was found to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Credential {
    /// A URL or connection string with a password.
    Url,
    /// A private key.
    PrivateKey,
    /// A token of a known shape.
    Token(&'static str),
    /// A value under the name of a password.
    Password,
    /// A random value under the name of a secret, token or key.
    Key,
}

/// Where in a text, by byte.
type Place = usize;

/// Every plain-text credential in the objects, each field and sort of credential once.
pub(crate) fn scan(objects: &[Object]) -> Vec<Finding> {
    objects.iter().filter(|object| !kinds::is(object, SEALED_SECRET)).flat_map(of_object).collect()
}

fn of_object(object: &Object) -> Vec<Finding> {
    let mut walk = Walk { object, named: names_mean_something(object), findings: Vec::new() };
    for (key, value) in object.fields() {
        walk.value(&Path::default().key(key), Some(key), value);
    }
    walk.findings
}

/// Whether the names of fields are a person's, not the API's: in a Kubernetes kind a field such as
/// `secretName` is a reference.
fn names_mean_something(object: &Object) -> bool {
    !kinds::is_builtin(object)
}

struct Walk<'a> {
    object: &'a Object,
    named: bool,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    /// `name`: what the value is called, where that means something.
    fn value(&mut self, at: &Path, name: Option<&str>, value: &Value) {
        match value {
            Value::String(text) if is_binary_data(self.object, at) => {
                if let Some(text) = binary::text(text) {
                    self.text(at, name, None, &text);
                }
            }
            Value::String(text) => self.text(at, name, None, text),
            Value::Array(items) => self.items(at, items),
            Value::Object(fields) => self.fields(at, fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn fields(&mut self, at: &Path, fields: &Map<String, Value>) {
        // `{name: …, value: …}`: variables, headers, parameters.
        if let (Some(Value::String(name)), Some(Value::String(text))) =
            (fields.get("name"), fields.get("value"))
        {
            self.text(&at.key("value"), Some(name), Some(name), text);
        }
        let pair = fields.contains_key("name");
        let keys = self.named || is_data(self.object, at);
        for (key, value) in fields.iter().filter(|(key, _)| !(pair && *key == "value")) {
            self.value(&at.key(key), keys.then_some(key.as_str()), value);
        }
    }

    fn items(&mut self, at: &Path, items: &[Value]) {
        let mut flag = None;
        for (place, item) in items.iter().enumerate() {
            // `--password`, then the password.
            let name = flag.take().filter(|_| item.as_str().is_some_and(|it| !it.starts_with('-')));
            self.value(&at.then(Step::Item(place)), name, item);
            flag = item.as_str().filter(|it| it.starts_with('-')).map(|it| it.trim_matches('-'));
        }
    }

    fn text(&mut self, at: &Path, name: Option<&str>, variable: Option<&str>, text: &str) {
        let text = beginning(text, LONGEST_TEXT);
        let mut found: BTreeMap<Credential, Place> = BTreeMap::new();
        let mut add = |credential, place| _ = found.entry(credential).or_insert(place);
        urls::find(text, &mut add);
        shapes::find(text, &mut add);
        pairs::find(text, &mut add);
        if let Some(credential) = name.and_then(|name| under_name(name, text)) {
            add(credential, 0);
        }
        // The name says less than the shape does.
        if found.keys().any(|of| !matches!(of, Credential::Password | Credential::Key)) {
            found.retain(|of, place| {
                *place > 0 || !matches!(of, Credential::Password | Credential::Key)
            });
        }
        let findings =
            found.iter().map(|(of, place)| self.finding(at, variable, *of, text, *place));
        let findings: Vec<Finding> = findings.collect();
        self.findings.extend(findings);
    }

    fn finding(
        &self,
        at: &Path,
        variable: Option<&str>,
        credential: Credential,
        text: &str,
        place: Place,
    ) -> Finding {
        let id = self.object.id();
        let line = if text.trim_end().contains('\n') {
            format!(", line {}", text[..place].matches('\n').count() + 1)
        } else {
            String::new()
        };
        let called = variable.map(|name| format!(" ({name})")).unwrap_or_default();
        let said = format!("{id} holds {} in plain text: {at}{called}{line}", credential.title());
        Finding::new(Code::PlaintextSecret, said)
            .on(id)
            .field(at.to_string())
            .remedy("Move it to a Secret and refer to that; if it was exported before, replace it.")
    }
}

/// Whether the keys there are a person's in every kind: data of ConfigMaps, annotations.
fn is_data(object: &Object, at: &Path) -> bool {
    let last = match at.0.last() {
        Some(Step::Key(key)) => key.as_str(),
        _ => return false,
    };
    last == "annotations"
        || (matches!(last, "data" | "binaryData")
            && at.0.len() == 1
            && kinds::is(object, kinds::CONFIG_MAP))
}

/// Whether the value there is base64 of a ConfigMap.
fn is_binary_data(object: &Object, at: &Path) -> bool {
    matches!(at.0.as_slice(), [Step::Key(field), _] if field == "binaryData")
        && kinds::is(object, kinds::CONFIG_MAP)
}

/// What the name makes of a text that is a value as a whole.
fn under_name(name: &str, text: &str) -> Option<Credential> {
    let value = text.trim();
    if value.len() > LONGEST_VALUE || value.contains('\n') {
        return None;
    }
    values::judge(names::meaning(name)?, value)
}

/// The first `most` bytes, or a little less where a character would be cut.
fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

impl Credential {
    const fn title(self) -> &'static str {
        match self {
            Self::Url => "a URL with a password",
            Self::PrivateKey => "a private key",
            Self::Token(what) => what,
            Self::Password => "a password",
            Self::Key => "a secret, token or key",
        }
    }
}

#[cfg(test)]
mod tests;
