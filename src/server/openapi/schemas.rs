//! Schemas of what is taken and given, by the types that read and write it.

use std::borrow::Cow;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value, json};

use crate::app::Object;
use crate::destination::Recipient;
use crate::registry::{Digest, Host, Reference, RepositoryName, Tag};
use crate::server::routes::SchemaFn;

/// The schemas that were asked for, and those that they refer to.
pub(super) struct Schemas {
    taken: SchemaGenerator,
    given: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None; // that of OpenAPI 3.1 is the same dialect
            })
        };
        let (taken, given) = (settings().for_deserialize(), settings().for_serialize());
        Self { taken: taken.into_generator(), given: given.into_generator() }
    }

    /// The schema of what is read.
    pub(super) fn taken(&mut self, schema: SchemaFn) -> Value {
        plain(schema(&mut self.taken).to_value())
    }

    /// The schema of what is written.
    pub(super) fn given(&mut self, schema: SchemaFn) -> Value {
        plain(schema(&mut self.given).to_value())
    }

    /// All that was referred to, in order of name. What is read and written is written as it is read.
    pub(super) fn into_components(mut self) -> Map<String, Value> {
        let mut all = self.given.take_definitions(true);
        for (name, schema) in self.taken.take_definitions(true) {
            all.entry(name).or_insert(schema);
        }
        all.sort_keys();
        all.into_iter().map(|(name, schema)| (name, plain(schema))).collect()
    }
}

/// The schema without what only Kubernetes reads, and comments without the words of Rust.
fn plain(mut schema: Value) -> Value {
    tidy(&mut schema);
    schema
}

fn tidy(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !key.starts_with("x-kubernetes-"));
            if let Some(Value::String(text)) = fields.get_mut("description") {
                let plain = text.replace('\n', " ").replace("[`", "`").replace("`]", "`");
                *text = plain.replace("`None`", "absent or null");
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The same without null, which a query cannot say.
pub(super) fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(types) = schema["type"].as_array() {
        let mut types = types.iter().filter(|one| *one != "null");
        schema["type"] = types.next().cloned().unwrap_or_default();
    }
    let either = schema.as_object_mut().and_then(|fields| fields.shift_remove("anyOf"));
    if let Some(Value::Array(either)) = either
        && let Some(one) = either.into_iter().find(|one| *one != json!({"type": "null"}))
        && let (Value::Object(to), Value::Object(from)) = (&mut schema, one)
    {
        to.extend(from);
    }
    schema
}

/// Types that are written as text by rules of their own.
macro_rules! texts {
    ($($type:ident: $schema:tt,)+) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })+
    };
}

texts! {
    Digest: {
        "type": "string", "description": "A content digest (image-spec, descriptor, \"Digests\").",
        "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$",
    },
    Host: {"type": "string", "description": "The host of a registry, with its port."},
    RepositoryName: {
        "type": "string", "description": "The name of a repository.", "maxLength": 255,
    },
    Tag: {
        "type": "string", "description": "A tag.",
        "pattern": "^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$",
    },
    Reference: {
        "type": "string", "description": "An image: `[host/]repository[:tag][@digest]`.",
    },
    Recipient: {
        "type": "string", "description": "A public key of age.", "pattern": "^age1[0-9a-z]{58}$",
    },
    Object: {
        "type": "object", "description": "An object of Kubernetes.",
        "required": ["apiVersion", "kind", "metadata"], "additionalProperties": true,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_has_no_null() {
        let optional = json!({"type": ["string", "null"], "description": "a"});
        assert_eq!(without_null(&optional), json!({"type": "string", "description": "a"}));
        let referred = json!({"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "description": "a"});
        assert_eq!(without_null(&referred), json!({"$ref": "#/x", "description": "a"}));
        assert_eq!(without_null(&json!({"type": "integer"})), json!({"type": "integer"}));
    }
}
