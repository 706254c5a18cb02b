//! What objects need of the place that they come to: whatever they refer to and do not bring.

use std::collections::BTreeMap;

use super::graph::references;
use super::{Object, ObjectId, kinds};

/// Names that every namespace or cluster has.
const EVERYWHERE: [(kinds::Kind, &str); 3] = [
    (kinds::SERVICE_ACCOUNT, "default"),
    (kinds::PRIORITY_CLASS, "system-cluster-critical"),
    (kinds::PRIORITY_CLASS, "system-node-critical"),
];

/// Annotations by which cert-manager is asked for a certificate, and the kind that each names.
const ISSUERS: [(&str, &str); 2] =
    [("cert-manager.io/cluster-issuer", "ClusterIssuer"), ("cert-manager.io/issuer", "Issuer")];

const CERT_MANAGER: &str = "cert-manager.io";

/// What these objects refer to, is not among them and is not marked optional, with those that refer
/// to it. Objects without a namespace are taken for objects of one namespace; what a controller
/// makes when it is asked for is not needed.
pub fn needs(objects: &[Object]) -> BTreeMap<ObjectId, Vec<ObjectId>> {
    let mut needs: BTreeMap<ObjectId, Vec<ObjectId>> = BTreeMap::new();
    for object in objects {
        let references = references(object, "").into_iter();
        let needed = references.filter(|of| of.needed && !of.optional);
        let named = needed
            .filter(|of| !EVERYWHERE.contains(&(of.kind, &*of.name)))
            .map(|of| id(of.kind.0, of.kind.1, of.name));
        for of in named.chain(issuers(object)) {
            let users = needs.entry(of).or_default();
            let user = bare(object.id());
            if !users.contains(&user) {
                users.push(user);
            }
        }
    }
    for object in objects {
        needs.remove(&bare(object.id()));
    }
    needs
}

/// Who issues the certificates that the object asks for.
fn issuers(object: &Object) -> Vec<ObjectId> {
    let mut found: Vec<ObjectId> = ISSUERS
        .into_iter()
        .filter_map(|(key, kind)| Some(id(CERT_MANAGER, kind, object.annotation(key)?.to_owned())))
        .collect();
    if object.group() == CERT_MANAGER && object.kind() == "Certificate" {
        let text = |key: &str| object.text(&format!("/spec/issuerRef/{key}"));
        if let Some(name) = text("name") {
            let (group, kind) = (text("group"), text("kind"));
            let (group, kind) = (group.unwrap_or(CERT_MANAGER), kind.unwrap_or("Issuer"));
            found.push(id(group, kind, name.to_owned()));
        }
    }
    found
}

fn id(group: &str, kind: &str, name: String) -> ObjectId {
    ObjectId { group: group.to_owned(), kind: kind.to_owned(), namespace: None, name }
}

/// The id without the namespace, which is the same for all.
fn bare(id: ObjectId) -> ObjectId {
    ObjectId { namespace: None, ..id }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_comes_along_is_optional_or_is_everywhere_is_not_needed() {
        let objects: Vec<Object> = serde_json::from_value(json!([
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
             "spec": {"template": {"spec": {"serviceAccountName": "default",
                "priorityClassName": "urgent",
                "containers": [{"name": "a", "envFrom": [
                    {"configMapRef": {"name": "here"}}, {"configMapRef": {"name": "there"}},
                    {"secretRef": {"name": "maybe", "optional": true}},
                    {"secretRef": {"name": "login"}}]}]}}}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "here", "namespace": "x"}},
            {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": "c"},
             "spec": {"secretName": "tls", "issuerRef": {"name": "ca", "kind": "ClusterIssuer"}}},
        ]))
        .unwrap();
        let needs: Vec<String> = needs(&objects).keys().map(ToString::to_string).collect();
        assert_eq!(
            needs,
            ["ConfigMap there", "Secret login", "ClusterIssuer ca", "PriorityClass urgent",]
        );
    }
}
