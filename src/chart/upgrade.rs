//! What helm cannot upgrade: fields that the API server does not change once an object is there.

use std::collections::HashMap;

use serde_json::Value;

use super::compare::changes;
use super::render::Manifest;
use crate::app::{Object, ObjectId};

/// Fields of a kind that cannot be changed.
struct Fixed {
    group: &'static str,
    kinds: &'static [&'static str],
    /// JSON pointers; what is below one is fixed as well.
    pointers: &'static [&'static str],
}

/// From `pkg/apis/*/validation` and `pkg/registry/*/strategy.go` of Kubernetes 1.33. What only
/// grows (claims) or changes under conditions (the completions of indexed Jobs) is not in it.
const FIXED: &[Fixed] = &[
    Fixed {
        group: "apps",
        kinds: &["Deployment", "DaemonSet", "ReplicaSet"],
        pointers: &["/spec/selector"],
    },
    Fixed {
        group: "apps",
        kinds: &["StatefulSet"],
        pointers: &[
            "/spec/selector",
            "/spec/serviceName",
            "/spec/volumeClaimTemplates",
            "/spec/podManagementPolicy",
        ],
    },
    Fixed {
        group: "batch",
        kinds: &["Job"],
        pointers: &[
            "/spec/template",
            "/spec/selector",
            "/spec/completionMode",
            "/spec/podFailurePolicy",
            "/spec/backoffLimitPerIndex",
        ],
    },
    Fixed {
        group: "rbac.authorization.k8s.io",
        kinds: &["RoleBinding", "ClusterRoleBinding"],
        pointers: &["/roleRef"],
    },
    Fixed { group: "", kinds: &["Secret"], pointers: &["/type"] },
    Fixed {
        group: "",
        kinds: &["PersistentVolumeClaim"],
        pointers: &[
            "/spec/accessModes",
            "/spec/storageClassName",
            "/spec/volumeMode",
            "/spec/volumeName",
            "/spec/selector",
            "/spec/dataSource",
            "/spec/dataSourceRef",
        ],
    },
    Fixed { group: "", kinds: &["PersistentVolume"], pointers: &["/spec/volumeMode"] },
    Fixed {
        group: "storage.k8s.io",
        kinds: &["StorageClass"],
        pointers: &["/provisioner", "/parameters", "/reclaimPolicy", "/volumeBindingMode"],
    },
    Fixed { group: "scheduling.k8s.io", kinds: &["PriorityClass"], pointers: &["/value"] },
    Fixed { group: "node.k8s.io", kinds: &["RuntimeClass"], pointers: &["/handler"] },
    Fixed { group: "networking.k8s.io", kinds: &["IngressClass"], pointers: &["/spec/controller"] },
    Fixed {
        group: "apiextensions.k8s.io",
        kinds: &["CustomResourceDefinition"],
        pointers: &["/spec/group", "/spec/scope", "/spec/names/kind", "/spec/names/plural"],
    },
];

/// Something that must be deleted before an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The object.
    pub object: ObjectId,
    /// The field that cannot be changed, dotted.
    pub field: String,
}

/// What an upgrade from the objects of a chart to those of the application cannot do: one field for
/// each object. Objects that come or go are no obstacle.
pub fn obstacles(before: &[Manifest], after: &[Object]) -> Vec<Obstacle> {
    let before: HashMap<ObjectId, &Object> =
        before.iter().map(|manifest| (manifest.object.id(), &manifest.object)).collect();
    let obstacle = |after: &Object| {
        let object = after.id();
        let field = fixed_field(before.get(&object)?, after)?;
        Some(Obstacle { object, field })
    };
    after.iter().filter_map(obstacle).collect()
}

fn fixed_field(before: &Object, after: &Object) -> Option<String> {
    let fixed = FIXED
        .iter()
        .filter(|fixed| fixed.group == after.group() && fixed.kinds.contains(&after.kind()))
        .flat_map(|fixed| fixed.pointers);
    let fixed: Vec<&str> = fixed.copied().collect();
    let is_sealed = is_data(before) && before.at("/immutable") == Some(&Value::Bool(true));
    let has_fixed = is_sealed || !fixed.is_empty() || is_service(after);
    if !has_fixed {
        return None;
    }
    let changes = changes(before.fields(), after.fields());
    let change = changes.into_iter().find(|change| {
        let below = |pointer: &str| {
            let rest = change.pointer.strip_prefix(pointer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        fixed.iter().any(|pointer| below(pointer))
            || is_sealed
                && ["/data", "/binaryData", "/stringData", "/immutable"].into_iter().any(below)
            || is_service(after)
                && below("/spec/clusterIP")
                && is_headless(before) != is_headless(after)
    })?;
    Some(change.field)
}

fn is_data(object: &Object) -> bool {
    object.group().is_empty() && matches!(object.kind(), "ConfigMap" | "Secret")
}

fn is_service(object: &Object) -> bool {
    object.group().is_empty() && object.kind() == "Service"
}

/// A Service has an address or none for as long as it is there, unless it becomes an external name.
fn is_headless(service: &Object) -> bool {
    service.text("/spec/clusterIP") == Some("None")
}

impl Obstacle {
    /// The command that takes the object out of the way. The pods of a StatefulSet go on, and its
    /// new one finds them and their claims.
    pub fn command(&self) -> String {
        let ObjectId { kind, name, group, namespace } = &self.object;
        let kind = if group.is_empty() {
            kind.to_lowercase()
        } else {
            format!("{}.{group}", kind.to_lowercase())
        };
        let orphan = if kind.starts_with("statefulset.") { " --cascade=orphan" } else { "" };
        let namespace = namespace.as_deref().unwrap_or("NAMESPACE");
        format!("kubectl delete {kind} {name} --namespace {namespace}{orphan}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(api: &str, kind: &str, rest: &Value) -> Object {
        let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        Object::new(object).unwrap()
    }

    fn found(api: &str, kind: &str, before: &Value, after: &Value) -> Vec<String> {
        let before = Manifest { path: String::new(), object: object(api, kind, before) };
        let obstacles = obstacles(&[before], &[object(api, kind, after)]);
        obstacles.into_iter().map(|obstacle| obstacle.field).collect()
    }

    #[test]
    fn fields_that_the_server_does_not_change_are_named() {
        let labels = |value: &str| json!({"spec": {"selector": {"matchLabels": {"a": value}}}});
        let cases = [
            ("apps/v1", "Deployment", labels("b"), labels("c"), "spec.selector.matchLabels.a"),
            (
                "apps/v1",
                "StatefulSet",
                json!({"spec": {"serviceName": "a"}}),
                json!({"spec": {"serviceName": "b"}}),
                "spec.serviceName",
            ),
            (
                "apps/v1",
                "StatefulSet",
                json!({"spec": {}}),
                json!({"spec": {"volumeClaimTemplates": []}}),
                "spec.volumeClaimTemplates",
            ),
            (
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                json!({"roleRef": {"name": "a"}}),
                json!({"roleRef": {"name": "b"}}),
                "roleRef.name",
            ),
            (
                "v1",
                "Service",
                json!({"spec": {}}),
                json!({"spec": {"clusterIP": "None"}}),
                "spec.clusterIP",
            ),
            (
                "v1",
                "ConfigMap",
                json!({"immutable": true, "data": {"a": "1"}}),
                json!({"immutable": true, "data": {"a": "2"}}),
                "data.a",
            ),
            ("v1", "Secret", json!({"type": "a"}), json!({"type": "b"}), "type"),
            (
                "batch/v1",
                "Job",
                json!({"spec": {"template": {"a": 1}}}),
                json!({"spec": {"template": {"a": 2}}}),
                "spec.template.a",
            ),
            (
                "v1",
                "PersistentVolumeClaim",
                json!({"spec": {"storageClassName": "a"}}),
                json!({"spec": {}}),
                "spec.storageClassName",
            ),
        ];
        for (api, kind, before, after, field) in cases {
            assert_eq!(found(api, kind, &before, &after), [field], "{kind}");
            assert!(found(api, kind, &before, &before).is_empty(), "{kind}");
        }
    }

    #[test]
    fn what_may_change_is_no_obstacle() {
        for (api, kind, before, after) in [
            (
                "apps/v1",
                "StatefulSet",
                json!({"spec": {"replicas": 1}}),
                json!({"spec": {"replicas": 2, "template": {}}}),
            ),
            (
                "v1",
                "ConfigMap",
                json!({"data": {"a": "1"}}),
                json!({"immutable": true, "data": {"a": "2"}}),
            ),
            (
                "v1",
                "Service",
                json!({"spec": {"type": "ClusterIP"}}),
                json!({"spec": {"type": "NodePort"}}),
            ),
            (
                "v1",
                "PersistentVolumeClaim",
                json!({"spec": {"resources": {"a": 1}}}),
                json!({"spec": {"resources": {"a": 2}}}),
            ),
            (
                "other/v1",
                "Deployment",
                json!({"spec": {"selector": 1}}),
                json!({"spec": {"selector": 2}}),
            ),
        ] {
            assert!(found(api, kind, &before, &after).is_empty(), "{kind}");
        }
    }

    #[test]
    fn the_command_names_the_kind_in_full() {
        let set = object("apps/v1", "StatefulSet", &json!({}));
        let obstacle = Obstacle { object: set.id(), field: String::new() };
        let command = "kubectl delete statefulset.apps x --namespace NAMESPACE --cascade=orphan";
        assert_eq!(obstacle.command(), command);
    }
}
