//! What may be put into values: pieces of JSON schema (draft 7). Only closed where Kubernetes
//! closed it long ago, so that no live value of a newer API is refused.

use serde_json::{Value, json};

/// Quantities as the API server reads them (`apimachinery/pkg/api/resource/quantity.go`).
const QUANTITY: &str =
    "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$";

/// DNS-1123 subdomain.
const NAME: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// Name of a variable (`IsRelaxedEnvVarName`, `apimachinery/pkg/util/validation`).
const VARIABLE: &str = "^[ -<>-~]+$";

/// Largest integer that Go prints without an exponent in a template.
const LARGEST_PRINTED: u32 = 999_999;

pub(crate) fn text() -> Value {
    json!({"type": "string"})
}

pub(crate) fn boolean() -> Value {
    json!({"type": "boolean"})
}

/// Text of a pattern.
pub(crate) fn pattern(pattern: &str) -> Value {
    json!({"type": "string", "pattern": pattern})
}

/// The name of an object.
pub(crate) fn name() -> Value {
    json!({"type": "string", "maxLength": 253, "pattern": NAME})
}

/// The name of an object, or nothing.
pub(crate) fn optional_name() -> Value {
    json!({"type": "string", "maxLength": 253, "pattern": format!("^$|{NAME}")})
}

/// One of these words.
pub(crate) fn one_of(words: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    json!({"type": "string", "enum": words.into_iter().map(Into::into).collect::<Vec<Value>>()})
}

/// A number of pods, or null.
pub(crate) fn replicas() -> Value {
    json!({"type": ["integer", "null"], "minimum": 0})
}

/// A port of a node, or null for one that the cluster chooses.
pub(crate) fn node_port() -> Value {
    json!({"type": ["integer", "null"], "minimum": 1, "maximum": 65535})
}

/// IP addresses or ranges of them.
pub(crate) fn addresses() -> Value {
    json!({"type": "array", "items": {"type": "string", "pattern": "^[0-9a-fA-F.:]+(/[0-9]+)?$"}})
}

/// An IP address, or nothing.
pub(crate) fn address() -> Value {
    pattern("^[0-9a-fA-F.:]*$")
}

/// A host name of DNS.
pub(crate) fn host() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 253})
}

/// A size of a volume.
pub(crate) fn quantity() -> Value {
    pattern(QUANTITY)
}

/// A storage class: null for the cluster's default, empty for none.
pub(crate) fn storage_class() -> Value {
    json!({"type": ["string", "null"], "maxLength": 253, "pattern": format!("^$|{NAME}")})
}

/// Annotations.
pub(crate) fn annotations() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}})
}

/// These keys and no others.
pub(crate) fn only<'a>(keys: impl IntoIterator<Item = &'a str>, schema: &Value) -> Value {
    let keys: Vec<&str> = keys.into_iter().collect();
    if keys.is_empty() {
        return json!({"type": "object", "maxProperties": 0});
    }
    json!({"type": "object", "propertyNames": {"enum": keys}, "additionalProperties": schema})
}

/// Exactly these keys, each of them needed, because an object without it would mean something else.
pub(crate) fn record<'a>(keys: impl IntoIterator<Item = &'a str>, schema: &Value) -> Value {
    let keys: Vec<&str> = keys.into_iter().collect();
    let mut record = only(keys.iter().copied(), schema);
    record["required"] = keys.into();
    record
}

/// The variables of a container, as text, or as numbers that print as such; null for none. Those in
/// `others` have no plain value, and cannot get one here.
pub(crate) fn environment<'a>(others: impl IntoIterator<Item = &'a str>) -> Value {
    let others: Vec<&str> = others.into_iter().collect();
    let limit = LARGEST_PRINTED;
    let mut names = json!({"pattern": VARIABLE});
    if !others.is_empty() {
        names["not"] = json!({"enum": others});
    }
    json!({"type": "object", "propertyNames": names, "additionalProperties":
        {"type": ["string", "boolean", "integer", "null"], "minimum": -i64::from(limit),
            "maximum": limit}})
}

/// Keys of a ConfigMap or Secret with text; more may be added.
pub(crate) fn data() -> Value {
    json!({"type": "object", "propertyNames": {"pattern": "^[-._a-zA-Z0-9]+$"},
        "additionalProperties": {"type": "string"}})
}

/// These keys of a Secret, with text.
pub(crate) fn data_of<'a>(keys: impl IntoIterator<Item = &'a str>) -> Value {
    only(keys, &text())
}

/// Names of pull secrets, or what stands in a pod.
pub(crate) fn pull_secrets() -> Value {
    json!({"type": "array", "items": {"anyOf": [
        name(),
        {"type": "object", "additionalProperties": false, "required": ["name"],
            "properties": {"name": name()}},
    ]}})
}

/// The key of an image; the schema defines which there are.
pub(crate) fn image_key() -> Value {
    json!({"$ref": "#/definitions/imageKey"})
}

/// Requests and limits.
pub(crate) fn resources() -> Value {
    let amounts = json!({"type": "object",
        "additionalProperties": {"type": ["string", "number"], "pattern": QUANTITY}});
    json!({"type": "object", "additionalProperties": false, "properties": {
        "limits": amounts,
        "requests": amounts,
        "claims": {"type": "array", "items": {"type": "object"}},
    }})
}

/// Labels of nodes.
pub(crate) fn node_selector() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}})
}

/// Tolerations.
pub(crate) fn tolerations() -> Value {
    json!({"type": "array", "items": {"type": "object"}})
}

/// Topology spread constraints.
pub(crate) fn spread() -> Value {
    json!({"type": "array", "items": {"type": "object", "required": ["topologyKey"]}})
}

/// Affinity.
pub(crate) fn affinity() -> Value {
    json!({"type": "object", "properties": {
        "nodeAffinity": {"type": "object"},
        "podAffinity": {"type": "object"},
        "podAntiAffinity": {"type": "object"},
    }})
}
