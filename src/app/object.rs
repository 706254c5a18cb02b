//! One Kubernetes object as dynamic JSON in the order it came: typed structs would drop fields
//! that this release does not know.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A Kubernetes object. Always a JSON object with `apiVersion`, `kind` and `metadata.name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Object(Map<String, Value>);

/// Which object: enough to find it again and to name it in a message.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct ObjectId {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; `None` for cluster-scoped objects and objects of the release namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

/// JSON that is not a Kubernetes object.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a Kubernetes object: {0}")]
pub struct NotAnObject(pub &'static str);

impl Object {
    /// # Errors
    /// When `apiVersion`, `kind` or `metadata.name` is missing or not text.
    pub fn new(value: Value) -> Result<Self, NotAnObject> {
        let Value::Object(map) = value else { return Err(NotAnObject("it is no mapping")) };
        let object = Self(map);
        for (pointer, missing) in [
            ("/apiVersion", "`apiVersion` is missing"),
            ("/kind", "`kind` is missing"),
            ("/metadata/name", "`metadata.name` is missing"),
        ] {
            if object.text(pointer).is_none_or(str::is_empty) {
                return Err(NotAnObject(missing));
            }
        }
        Ok(object)
    }

    /// The value at a JSON pointer (RFC 6901).
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        let (first, rest) = match pointer.strip_prefix('/')?.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (&pointer[1..], None),
        };
        let value = self.0.get(&first.replace("~1", "/").replace("~0", "~"))?;
        rest.map_or(Some(value), |rest| value.pointer(&format!("/{rest}")))
    }

    /// The text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.at(pointer)?.as_str()
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.text("/apiVersion").unwrap_or_default()
    }

    /// API group: what stands before the slash of `apiVersion`, or nothing.
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.text("/kind").unwrap_or_default()
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text("/metadata/name").unwrap_or_default()
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> Option<&str> {
        self.text("/metadata/namespace")
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> Option<&str> {
        self.text("/metadata/uid")
    }

    /// A label of the object itself.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("/metadata/labels")?.get(key)?.as_str()
    }

    /// An annotation of the object itself.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("/metadata/annotations")?.get(key)?.as_str()
    }

    /// Which object this is.
    pub fn id(&self) -> ObjectId {
        ObjectId {
            group: self.group().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// The whole object.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The field at a JSON pointer, to change it.
    pub fn at_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        let rest = pointer.strip_prefix('/')?;
        let (first, rest) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        self.0.get_mut(&first.replace("~1", "/").replace("~0", "~"))?.pointer_mut(rest)
    }

    /// The whole object, to change it. `apiVersion`, `kind` and `metadata.name` must stay.
    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }
}

impl TryFrom<Value> for Object {
    type Error = NotAnObject;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pointers_reach_the_first_level_and_below() {
        let object = Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"a/b": "c"}}}))
        .unwrap();
        assert_eq!((object.group(), object.kind(), object.name()), ("apps", "Deployment", "web"));
        assert_eq!(object.text("/metadata/labels/a~1b"), Some("c"));
        assert_eq!(object.label("a/b"), Some("c"));
        assert_eq!(object.id().to_string(), "Deployment web");
    }

    #[test]
    fn what_has_no_name_is_no_object() {
        let no_name = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {}});
        assert_eq!(Object::new(no_name), Err(NotAnObject("`metadata.name` is missing")));
        assert!(Object::new(json!([])).is_err());
    }
}
