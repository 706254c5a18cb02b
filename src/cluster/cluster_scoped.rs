//! The cluster-scoped objects that may concern one namespace: roles and their bindings.

use std::collections::BTreeSet;

use super::Error;
use super::discover::Resource;
use super::list::{self, Budget, Query};
use super::live::Live;
use crate::app::{Object, Unreadable};

/// Kinds that are read beside a namespace, as far as they may be. They are in
/// [`crate::app::Snapshot::unreadable`], too, but an export without them is whole: what it needs
/// of them is reported as required.
pub const OPTIONAL: [&str; 3] = [
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "namespaces",
];

const GROUP: &str = "rbac.authorization.k8s.io";

/// Marks the roles that every cluster has.
const BOOTSTRAP: &str = "kubernetes.io/bootstrapping";

/// Cluster roles and bindings that a service account of the namespace has to do with, and the
/// other bindings of those roles (they tell whether the application is alone with them).
///
/// # Errors
/// When the cluster does not answer.
pub(super) async fn read(
    live: &Live,
    namespace: &str,
    objects: &[Object],
) -> Result<Vec<Result<Vec<Object>, Unreadable>>, Error> {
    let mut bindings = list(live, "clusterrolebindings", "ClusterRoleBinding").await?;
    let mut roles = list(live, "clusterroles", "ClusterRole").await?;
    if let Ok(roles) = &mut roles {
        let mut used: BTreeSet<&str> = objects.iter().filter_map(cluster_role_of).collect();
        let bound = bindings.iter().flatten().filter(|binding| binds(binding, namespace));
        used.extend(bound.filter_map(cluster_role_of));
        roles.retain(|role| used.contains(role.name()) && role.label(BOOTSTRAP).is_none());
    }
    if let Ok(bindings) = &mut bindings {
        let kept: BTreeSet<&str> = roles.iter().flatten().map(Object::name).collect();
        let of_kept = |binding: &Object| cluster_role_of(binding).is_some_and(|r| kept.contains(r));
        bindings.retain(|binding| binds(binding, namespace) || of_kept(binding));
    }
    Ok(vec![roles, bindings])
}

async fn list(
    live: &Live,
    plural: &str,
    kind: &str,
) -> Result<Result<Vec<Object>, Unreadable>, Error> {
    let resource = Resource {
        group: GROUP.to_owned(),
        plural: plural.to_owned(),
        version: "v1".to_owned(),
        kind: kind.to_owned(),
    };
    let query = Query { namespace: None, labels: "" };
    match list::objects(&live.api, &resource, query, &Budget::new()).await {
        Ok(objects) => Ok(Ok(objects)),
        Err(Error::Forbidden { reason, .. } | Error::Api { status: 404, reason, .. }) => {
            Ok(Err(Unreadable { resource: resource.name(), reason }))
        }
        Err(error) => Err(error),
    }
}

/// Whether a subject of the binding is of the namespace.
fn binds(binding: &Object, namespace: &str) -> bool {
    let group = format!("system:serviceaccounts:{namespace}");
    let subjects = binding.at("/subjects").and_then(|subjects| subjects.as_array());
    subjects.into_iter().flatten().any(|subject| {
        let is = |key: &str, value: &str| subject.get(key).and_then(|v| v.as_str()) == Some(value);
        is("namespace", namespace) || (is("kind", "Group") && is("name", &group))
    })
}

/// The cluster role that a binding of either scope refers to.
fn cluster_role_of(binding: &Object) -> Option<&str> {
    let is_binding = matches!(binding.kind(), "RoleBinding" | "ClusterRoleBinding");
    (is_binding && binding.text("/roleRef/kind") == Some("ClusterRole"))
        .then(|| binding.text("/roleRef/name"))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bindings_are_of_a_namespace_by_account_or_group() {
        let binding = |subject: serde_json::Value| {
            Object::new(json!({"apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "subjects": [subject],
                "roleRef": {"kind": "ClusterRole", "name": "reader"}}))
            .unwrap()
        };
        let account = json!({"kind": "ServiceAccount", "name": "web", "namespace": "shop"});
        let group = json!({"kind": "Group", "name": "system:serviceaccounts:shop"});
        let user = json!({"kind": "User", "name": "shop"});
        assert!(binds(&binding(account.clone()), "shop"));
        assert!(!binds(&binding(account), "other"));
        assert!(binds(&binding(group), "shop"));
        assert!(!binds(&binding(user.clone()), "shop"));
        assert_eq!(cluster_role_of(&binding(user)), Some("reader"));
    }
}
