//! Which fields the objects of a manifest have, without their values: what a chart wrote can be told
//! from what a server filled in, and a snapshot that is saved holds no more than names.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::manifest::{self, STACK};
use crate::app::stack::with_stack;
use crate::app::tree::Tree;
use crate::app::{Object, ObjectId, merge};

/// Most fields and items that are noted down of one release. A record of 1 MiB, the largest that
/// Kubernetes takes, has about 200 000.
const MAX_FIELDS: usize = 400_000;

/// What a chart wrote of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Which; without a namespace if it is the release's.
    pub object: ObjectId,
    /// Its fields. Values are null, but for those by which items of lists are known.
    pub fields: Map<String, Value>,
}

/// What manifests wrote, in order. Beyond [`MAX_FIELDS`] objects are left out.
pub(super) fn written<'a>(
    manifests: impl Iterator<Item = &'a str>,
    namespace: &str,
) -> Vec<Written> {
    let mut left = MAX_FIELDS;
    let documents = manifests.flat_map(manifest::documents);
    let objects = documents.filter_map(object);
    let written = |object: Object| {
        let fields = object.fields().iter();
        let fields = fields.map(|(key, value)| Some((key.clone(), names(key, value, &mut left)?)));
        let fields = fields.collect::<Option<_>>()?;
        let mut id = object.id();
        id.namespace = id.namespace.filter(|of| !of.is_empty() && of != namespace);
        Some(Written { object: id, fields })
    };
    objects.filter_map(written).collect()
}

fn object(document: &str) -> Option<Object> {
    let Tree(tree) = with_stack(STACK, || manifest::read(document))??;
    Object::new(tree).ok()
}

/// The value without its texts and numbers; `None` if that is more than may be noted down. Nesting
/// is bounded by the parser.
fn names(field: &str, value: &Value, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    match value {
        Value::Object(map) => {
            let fields =
                map.iter().map(|(key, value)| Some((key.clone(), names(key, value, left)?)));
            fields.collect::<Option<_>>().map(Value::Object)
        }
        Value::Array(items) => items
            .iter()
            .map(|item| {
                let mut of = names(field, item, left)?;
                merge::copy_key(field, item, &mut of);
                Some(of)
            })
            .collect(),
        _ => Some(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_and_values_are_not() {
        let manifest = "---\n# Source: shop/templates/a.yaml\napiVersion: v1\nkind: Secret\n\
            metadata: {name: a, namespace: web}\ndata: {key: canary}\n---\n{{ broken\n---\n\
            apiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: other}\n\
            spec: {args: [canary], ports: [{name: canary, port: 80, nodePort: 31234}]}\n";
        let written = written([manifest].into_iter(), "web");
        let ids: Vec<_> = written.iter().map(|of| of.object.to_string()).collect();
        assert_eq!(ids, ["Secret a", "Service other/b"]);
        assert_eq!(written[0].fields["data"], json!({"key": null}));
        let spec = json!({"args": [null], "ports": [{"name": null, "port": 80, "nodePort": null}]});
        assert_eq!(written[1].fields["spec"], spec);
    }

    #[test]
    fn no_more_is_noted_down_than_fits() {
        let many = format!(
            "apiVersion: v1\nkind: A\nmetadata: {{name: a}}\nx: [{}]",
            "1,".repeat(200_000)
        );
        let manifests = [many.as_str(); 3];
        assert_eq!(written(manifests.into_iter(), "web").len(), 1);
    }
}
