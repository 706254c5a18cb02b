//! Who set a field: what a person applied, and what managedFields say.
//!
//! Two questions, as managedFields answer them differently. A manager that *applied* owns exactly
//! what it wrote. A manager that *created or updated* owns the API server's defaults as well (they
//! are filled in before fields are counted), but not what admission and the storage of the kind
//! filled in (ports, addresses, classes: they come after).

use serde_json::{Map, Value};

use crate::app::path::{Path, Step};
use crate::app::{Object, merge};

/// What `kubectl apply` keeps of the file that a person wrote.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Managers that act for the cluster and not for a person. `before-first-apply` stands for every
/// field of an object that was there before managedFields were, and so says nothing.
const CONTROLLERS: [&str; 9] = [
    "before-first-apply",
    "cloud-controller-manager",
    "cluster-autoscaler",
    "k3s",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "vpa-updater",
];

/// What is known of who set the fields of one object.
pub(super) struct Claims {
    /// Whether an API server has had the object. What has only ever been a file is a person's.
    live: bool,
    applied: Option<Map<String, Value>>,
    /// Fields that the export wrote which the object was installed from.
    written: Option<Map<String, Value>>,
    /// `fieldsV1` of those who applied.
    appliers: Vec<Value>,
    /// `fieldsV1` of those who created or updated.
    updaters: Vec<Value>,
}

/// What `fieldsV1` say of a field.
#[derive(PartialEq, Eq)]
enum Claimed {
    Not,
    Itself,
    /// Something that it is part of is owned as a whole, as some lists and mappings are: their
    /// entry is empty. Whether the field was written or filled in cannot be told.
    WithAll,
}

impl Claims {
    /// `written`: what the chart of an export wrote of it, if it was installed from one.
    pub(super) fn read(object: &Object, written: Option<&Map<String, Value>>) -> Self {
        let applied = object.annotation(LAST_APPLIED);
        let applied = applied.and_then(|json| serde_json::from_str(json).ok());
        let mut claims = Self {
            live: is_live(object),
            applied,
            written: written.cloned(),
            appliers: Vec::new(),
            updaters: Vec::new(),
        };
        let entries = object.at("/metadata/managedFields").and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let Some(fields) = entry.get("fieldsV1") else { continue };
            if CONTROLLERS.contains(&text("manager")) || text("subresource") == "status" {
                continue;
            }
            let of = if text("operation") == "Apply" {
                &mut claims.appliers
            } else {
                &mut claims.updaters
            };
            of.push(fields.clone());
        }
        claims
    }

    /// Whether an API server has had the object.
    pub(super) fn live(&self) -> bool {
        self.live
    }

    /// What a person applied by `kubectl apply`, if that is known.
    pub(super) fn applied(&self) -> Option<&Map<String, Value>> {
        self.applied.as_ref()
    }

    /// Whether a person wrote the field, so that it stays even if it equals the default.
    pub(super) fn wrote(&self, root: &Map<String, Value>, path: &Path) -> bool {
        !self.live
            || [&self.applied, &self.written]
                .into_iter()
                .flatten()
                .any(|of| stands_in(of, root, path))
            || self.appliers.iter().any(|of| claimed_in(of, root, path) == Claimed::Itself)
    }

    /// Whether anyone but the cluster set a field that admission or storage fills in otherwise.
    pub(super) fn set(&self, root: &Map<String, Value>, path: &Path) -> bool {
        let mut claims = self.appliers.iter().chain(&self.updaters);
        self.wrote(root, path) || claims.any(|of| claimed_in(of, root, path) != Claimed::Not)
    }
}

/// Whether the object bears marks of an API server. Generated files have a `creationTimestamp`,
/// but it is null.
fn is_live(object: &Object) -> bool {
    ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"]
        .iter()
        .any(|mark| object.at(&format!("/metadata/{mark}")).is_some_and(|value| !value.is_null()))
}

/// Whether the field stands in the object that was applied.
fn stands_in(applied: &Map<String, Value>, root: &Map<String, Value>, path: &Path) -> bool {
    let Some((Step::Key(first), rest)) = path.0.split_first() else { return false };
    let (Some(mut there), Some(mut here)) = (applied.get(first), root.get(first)) else {
        return false;
    };
    let mut list = first;
    for step in rest {
        let next = match step {
            Step::Key(key) => {
                list = key;
                there.get(key).zip(here.get(key))
            }
            Step::Item(index) => here
                .get(index)
                .and_then(|item| same_item(list, there.as_array()?, item, *index).zip(Some(item))),
        };
        let Some(next) = next else { return false };
        (there, here) = next;
    }
    true
}

/// The item of a list that is this one by its merge key, or by its place if it has none.
fn same_item<'a>(list: &str, items: &'a [Value], item: &Value, index: usize) -> Option<&'a Value> {
    match merge::key(list, item) {
        Some(key) => items.iter().find(|other| merge::key(list, other).as_ref() == Some(&key)),
        None => items.get(index),
    }
}

fn claimed_in(fields: &Value, root: &Map<String, Value>, path: &Path) -> Claimed {
    let Some((Step::Key(first), rest)) = path.0.split_first() else { return Claimed::Not };
    let (Some(mut fields), Some(mut here)) = (fields.get(format!("f:{first}")), root.get(first))
    else {
        return Claimed::Not;
    };
    for step in rest {
        let Some(of) = fields.as_object() else { return Claimed::Not };
        if of.is_empty() {
            return Claimed::WithAll;
        }
        let next = match step {
            Step::Key(key) => of.get(&format!("f:{key}")).zip(here.get(key)),
            Step::Item(index) => {
                here.get(index).and_then(|item| claimed_item(of, item).zip(Some(item)))
            }
        };
        let Some(next) = next else { return Claimed::Not };
        (fields, here) = next;
    }
    Claimed::Itself
}

fn claimed_item<'a>(fields: &'a Map<String, Value>, item: &Value) -> Option<&'a Value> {
    let (_, claimed) = fields.iter().find(|(key, _)| {
        let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
        match key.split_once(':') {
            Some(("k", keys)) => parsed(keys).is_some_and(|keys| has_keys(item, &keys)),
            Some(("v", value)) => parsed(value).is_some_and(|value| value == *item),
            _ => false,
        }
    })?;
    Some(claimed)
}

/// Whether the item has these keys. The default protocol may have been removed already.
fn has_keys(item: &Value, keys: &Value) -> bool {
    keys.as_object().is_some_and(|keys| {
        keys.iter().all(|(key, value)| match item.get(key) {
            Some(own) => own == value,
            None => key == "protocol" && value == "TCP",
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(metadata: &Value) -> (Object, Claims) {
        let object =
            Object::new(json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"type": "ClusterIP", "ports": [
                {"name": "a", "port": 80, "targetPort": 80}, {"port": 81, "protocol": "UDP"}]}}))
            .unwrap();
        let claims = Claims::read(&object, None);
        (object, claims)
    }

    fn port(index: usize, field: &str) -> Path {
        Path::default().key("spec").key("ports").then(Step::Item(index)).key(field)
    }

    fn by(manager: &str, operation: &str) -> Value {
        json!({"name": "web", "uid": "1", "managedFields": [{"manager": manager,
            "operation": operation, "fieldsV1": {"f:spec": {"f:type": {}, "f:ports": {
                "k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:targetPort": {}}}}}}]})
    }

    #[test]
    fn a_file_is_a_persons_word() {
        let (object, claims) = claims(&json!({"name": "web", "creationTimestamp": null}));
        assert!(claims.wrote(object.fields(), &port(0, "targetPort")) && !claims.live());
    }

    #[test]
    fn who_applied_owns_what_is_written() {
        let (object, claims) = claims(&by("kubectl", "Apply"));
        assert!(claims.wrote(object.fields(), &port(0, "targetPort")));
        assert!(!claims.wrote(object.fields(), &port(1, "targetPort")));
        assert!(!claims.wrote(object.fields(), &Path::default().key("spec").key("selector")));
    }

    #[test]
    fn who_created_owns_defaults_that_nobody_wrote() {
        let (object, claims) = claims(&by("kubectl-create", "Update"));
        assert!(!claims.wrote(object.fields(), &port(0, "targetPort")));
        assert!(claims.set(object.fields(), &port(0, "targetPort")));
    }

    #[test]
    fn controllers_own_nothing() {
        let (object, claims) = claims(&by("kube-controller-manager", "Apply"));
        assert!(!claims.set(object.fields(), &port(0, "targetPort")));
    }

    #[test]
    fn last_applied_is_matched_by_merge_key() {
        let applied =
            r#"{"spec": {"ports": [{"port": 81, "protocol": "UDP"}, {"name": "a", "port": 80}]}}"#;
        let (object, claims) =
            claims(&json!({"name": "web", "uid": "1", "annotations": {LAST_APPLIED: applied}}));
        assert!(claims.wrote(object.fields(), &port(1, "protocol")));
        assert!(claims.wrote(object.fields(), &port(0, "port")));
        assert!(!claims.wrote(object.fields(), &port(0, "targetPort")));
    }

    /// One volume may be mounted at several paths: its name does not tell mounts apart.
    #[test]
    fn a_mount_is_matched_by_its_path() {
        let pod = json!({"volumeMounts": [{"name": "data", "mountPath": "/a"},
            {"name": "data", "mountPath": "/b", "readOnly": true}]});
        let pod = pod.as_object().unwrap();
        let path = Path::default().key("volumeMounts").then(Step::Item(1)).key("readOnly");
        assert!(stands_in(pod, pod, &path));
    }

    #[test]
    fn in_what_is_owned_as_a_whole_written_and_filled_in_look_the_same() {
        let (object, claims) = claims(&json!({"name": "web", "uid": "1", "managedFields": [
            {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {"f:ports": {}}}}]}));
        assert!(!claims.wrote(object.fields(), &port(1, "protocol")));
        assert!(claims.set(object.fields(), &port(1, "protocol")));
    }
}
