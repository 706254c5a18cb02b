//! What becomes of objects without pods, and what is said of all of them.

use serde_json::{Value, json};

use super::{LAST_APPLIED, app, deployment, live, normalised};
use crate::app::codes;

#[test]
fn claims() {
    let server = json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes",
            "volume.kubernetes.io/storage-provisioner": "x"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", "volumeName": "pv-1",
            "storageClassName": "standard", "dataSource": {"kind": "VolumeSnapshot", "name": "s"},
            "dataSourceRef": {"kind": "VolumeSnapshot", "name": "s"}}});
    let claim = |more: &Value| {
        let mut claim = live("v1", "PersistentVolumeClaim", &server);
        for (key, value) in more.as_object().unwrap() {
            claim["metadata"][key] = value.clone();
        }
        normalised(claim)["spec"].clone()
    };
    assert_eq!(claim(&json!({})), json!({"accessModes": ["ReadWriteOnce"]}));
    let by = |manager: &str, operation: &str| {
        json!({"managedFields": [{"manager": manager, "operation": operation, "fieldsV1":
            {"f:spec": {"f:storageClassName": {}, "f:volumeName": {}}}}]})
    };
    let kept = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "standard"});
    assert_eq!(claim(&by("kubectl-create", "Update")), kept);
    assert_eq!(claim(&by("argocd-controller", "Apply")), kept);
    assert_eq!(
        claim(&by("kube-controller-manager", "Update")),
        json!({"accessModes": ["ReadWriteOnce"]})
    );
    let applied = json!({"annotations":
        {LAST_APPLIED: r#"{"spec": {"storageClassName": "standard"}}"#}});
    assert_eq!(
        claim(&applied),
        json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "standard"})
    );
}

#[test]
fn rights() {
    let binding = live(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        &json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [
            {"kind": "ServiceAccount", "name": "a", "namespace": "shop"},
            {"kind": "ServiceAccount", "name": "b", "namespace": "other"},
            {"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"}]}),
    );
    assert_eq!(
        normalised(binding),
        json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "a"},
            {"kind": "ServiceAccount", "name": "b", "namespace": "other"},
            {"kind": "User", "name": "u"}]})
    );
}

#[test]
fn service_accounts() {
    let account = live(
        "v1",
        "ServiceAccount",
        &json!({"secrets": [{"name": "x-token-1"}],
        "imagePullSecrets": [{"name": "pull"}], "automountServiceAccountToken": false}),
    );
    let app = app(account.clone());
    assert_eq!(normalised(account), json!({"automountServiceAccountToken": false}));
    assert_eq!(
        (app.pull_secrets.as_slice(), codes(&app)),
        (&["pull".to_owned()][..], vec!["PULL_SECRET_DROPPED ServiceAccount x".to_owned()])
    );
}

#[test]
fn autoscalers() {
    let behaviour = json!({
        "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15}]},
        "scaleDown": {"stabilizationWindowSeconds": 60, "selectPolicy": "Max", "policies": [
            {"type": "Percent", "value": 100, "periodSeconds": 15}]}});
    let object = live(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        &json!({"spec": {"minReplicas": 1, "maxReplicas": 3, "behavior": behaviour}}),
    );
    assert_eq!(
        normalised(object),
        json!({"spec": {"maxReplicas": 3,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}})
    );
}

#[test]
fn network_policies() {
    let policy = |spec: Value| {
        normalised(live("networking.k8s.io/v1", "NetworkPolicy", &json!({"spec": spec})))["spec"]
            .clone()
    };
    let port = json!([{"ports": [{"port": 1, "protocol": "TCP"}]}]);
    assert_eq!(
        policy(json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": port})),
        json!({"podSelector": {}, "ingress": [{"ports": [{"port": 1}]}]})
    );
    assert_eq!(
        policy(json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": port})),
        json!({"podSelector": {}, "egress": [{"ports": [{"port": 1}]}]})
    );
    // No egress rule and the type all the same: everything outward is forbidden.
    let closed = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
    assert_eq!(policy(closed.clone()), closed);
}

#[test]
fn variables_that_are_there_twice() {
    let env = json!({"containers": [{"name": "a", "env": [{"name": "A", "value": "1"},
        {"name": "A", "value": "2"}], "ports": [{"containerPort": 1, "name": "x"},
        {"containerPort": 1, "protocol": "TCP", "name": "y"}]}]});
    let app = app(deployment(&env));
    assert_eq!(
        app.objects[0].at("/spec/template/spec/containers/0").unwrap(),
        &json!({"name": "a",
        "env": [{"name": "A", "value": "2"}], "ports": [{"containerPort": 1, "name": "y"}]})
    );
    let found: Vec<_> =
        app.findings.iter().map(|of| (of.code.as_str(), of.field.clone().unwrap())).collect();
    assert_eq!(
        found,
        [
            ("DUPLICATE_KEY", "spec.template.spec.containers[0].env".to_owned()),
            ("DUPLICATE_KEY", "spec.template.spec.containers[0].ports".to_owned())
        ]
    );
}

#[test]
fn the_namespace_in_data_is_said_and_left_alone() {
    let map = live(
        "v1",
        "ConfigMap",
        &json!({"data": {"a.conf": "host=db.shop.svc password=canary",
        "b": "shop"}}),
    );
    let app = app(map);
    assert_eq!(app.objects[0].text("/data/a.conf"), Some("host=db.shop.svc password=canary"));
    assert_eq!(codes(&app), ["NAMESPACE_IN_DATA ConfigMap x", "PLAINTEXT_SECRET ConfigMap x"]);
    assert!(app.findings.iter().all(|of| of.field.as_deref() == Some(r#"data["a.conf"]"#)));
    assert!(!format!("{:?}", app.findings).contains("canary"));
}

#[test]
fn findings_read_well_alone() {
    let map = live("v1", "ConfigMap", &json!({"data": {"a.conf": "host=db.shop.svc"}}));
    let claim = live("v1", "PersistentVolumeClaim", &json!({"spec": {}}));
    let set = live(
        "apps/v1",
        "StatefulSet",
        &json!({"spec": {"template": {}, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}),
    );
    for (object, field, text) in [
        (
            map,
            Some(r#"data["a.conf"]"#),
            r#"`.shop.svc` in data["a.conf"] of ConfigMap x names the namespace that the application was read from"#,
        ),
        (claim, None, "the data in the volume of PersistentVolumeClaim x stays where it is"),
        (
            set,
            Some("spec.volumeClaimTemplates[0]"),
            "the data in the volumes `data` of StatefulSet x stays where it is",
        ),
    ] {
        let finding = app(object).findings.remove(0);
        assert_eq!((finding.field.as_deref(), finding.text.as_str()), (field, text));
        assert!(finding.object.is_some(), "{text}");
    }
}

#[test]
fn a_policy_that_chooses_the_old_namespace_by_name_is_said() {
    let key = "kubernetes.io/metadata.name";
    let policy = live(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        &json!({"spec": {"podSelector": {}, "ingress": [{"from": [
            {"namespaceSelector": {"matchLabels": {key: "shop"}}},
            {"namespaceSelector": {"matchLabels": {key: "other"}}},
            {"namespaceSelector": {"matchExpressions": [
                {"key": key, "operator": "In", "values": ["other", "shop"]}]}}]}]}}),
    );
    let app = app(policy);
    let own = app.findings.iter().filter(|of| of.code.as_str() == "NAMESPACE_IN_DATA");
    let fields: Vec<_> = own.map(|of| of.field.as_deref().unwrap()).collect();
    assert_eq!(
        fields,
        [
            r#"spec.ingress[0].from[0].namespaceSelector.matchLabels["kubernetes.io/metadata.name"]"#,
            "spec.ingress[0].from[2].namespaceSelector.matchExpressions[0].values[1]",
        ]
    );
}

#[test]
fn a_volume_that_a_person_asked_for_is_not_asked_for_elsewhere() {
    let mut claim = live("v1", "PersistentVolumeClaim", &json!({"spec": {"volumeName": "pv-1"}}));
    let texts = |object: Value| {
        let app = app(object);
        assert_eq!(app.objects[0].at("/spec/volumeName"), None);
        assert!(app.requirements.is_empty());
        app.findings.into_iter().map(|of| (of.field, of.text)).collect::<Vec<_>>()
    };
    assert_eq!(texts(claim.clone()).len(), 1);
    claim["metadata"]["annotations"] = json!({LAST_APPLIED: r#"{"spec": {"volumeName": "pv-1"}}"#});
    let said = texts(claim);
    assert_eq!(said[1].0.as_deref(), Some("spec.volumeName"));
    assert_eq!(
        said[1].1,
        "PersistentVolumeClaim x asks for PersistentVolume pv-1 of this cluster: the chart does \
         not, as another cluster has no such volume"
    );
}
