//! Objects of other shapes than the shop's: kinds, fields and names that are rarer.

use serde_json::{Value, json};

use super::oracle::{differences, rendered};
use super::shop;
use crate::support::helm::Helm;

fn pod(extra: &Value) -> Value {
    let mut pod = json!({"containers": [{"name": "my-app", "image": "a"}]});
    pod.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    pod
}

fn object(api: &str, kind: &str, name: &str, rest: &Value) -> Value {
    let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
    object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    object
}

#[test]
fn every_kind_with_pods_is_a_workload() {
    let template = json!({"template": {"spec": pod(&json!({}))}});
    let selected =
        json!({"selector": {"matchLabels": {"a": "b"}}, "template": template["template"]});
    let app = shop::app_of(json!([
        object("v1", "Pod", "a", &json!({"spec": pod(&json!({}))})),
        object("v1", "ReplicationController", "b", &json!({"spec": template})),
        object("apps/v1", "DaemonSet", "c", &json!({"spec": selected})),
        object("apps/v1", "ReplicaSet", "d", &json!({"spec": selected})),
        object("batch/v1", "Job", "e", &json!({"spec": template})),
        object(
            "batch/v1",
            "CronJob",
            "f",
            &json!({"spec": {"schedule": "@daily", "jobTemplate": {"spec": template}}})
        ),
    ]));
    let chart = shop::plain_chart_of(&app);
    for helm in Helm::both() {
        let before = rendered(&helm, &chart, &[]);
        assert_eq!(before.len(), 6);
        let set: Vec<String> = "abcdef"
            .chars()
            .map(|key| format!("workloads.{key}.containers.my-app.resources.limits.cpu=1"))
            .collect();
        let changes = differences(&before, &rendered(&helm, &chart, &["--set", &set.join(",")]));
        assert_eq!(changes.len(), 6, "{changes:#?}");
    }
}

#[test]
fn kept_pull_secrets_come_before_those_of_the_values() {
    let kept = json!({"imagePullSecrets": [{"name": "kept"}]});
    let app = shop::app_of(json!([object("v1", "Pod", "a", &json!({"spec": pod(&kept)}))]));
    let chart = shop::plain_chart_of(&app);
    for helm in Helm::both() {
        let spec = |args: &[&str]| rendered(&helm, &chart, args)["Pod a"]["spec"].clone();
        assert_eq!(spec(&[])["imagePullSecrets"], kept["imagePullSecrets"]);
        let secrets = &spec(&["--set", "imagePullSecrets={one}"])["imagePullSecrets"];
        assert_eq!(*secrets, json!([{"name": "kept"}, {"name": "one"}]));
    }
}

#[test]
fn empty_collections_that_were_there_stay() {
    let spec = pod(&json!({"nodeSelector": {}, "tolerations": [], "affinity": {}}));
    let app = shop::app_of(json!([object("v1", "Pod", "a", &json!({"spec": spec}))]));
    for helm in Helm::both() {
        let objects = rendered(&helm, &shop::plain_chart_of(&app), &[]);
        assert_eq!(objects["Pod a"]["spec"], spec);
    }
}

#[test]
fn lists_of_variables_of_every_shape_come_back_and_take_more() {
    let reference = json!({"fieldRef": {"fieldPath": "status.podIP"}});
    let spec = json!({"containers": [
        {"name": "empty", "image": "a", "env": []},
        {"name": "of-others", "image": "a", "env": [{"name": "IP", "valueFrom": reference}]},
        {"name": "twice", "image": "a", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
    ]});
    let app = shop::app_of(json!([object("v1", "Pod", "a", &json!({"spec": spec}))]));
    let chart = shop::plain_chart_of(&app);
    for helm in Helm::both() {
        let before = rendered(&helm, &chart, &[]);
        assert_eq!(before["Pod a"]["spec"], spec);
        let set = "workloads.a.containers.of-others.env.X=1,workloads.a.containers.twice.env.X=1";
        let after = rendered(&helm, &chart, &["--set", set]);
        let containers = &after["Pod a"]["spec"]["containers"];
        for (at, place) in [(1, 1), (2, 2)] {
            assert_eq!(containers[at]["env"][place], json!({"name": "X", "value": "1"}));
        }
    }
}

#[test]
fn names_that_yaml_takes_for_numbers_stay_names() {
    let mut app = shop::app_of(json!([
        object("v1", "ServiceAccount", "1e3", &json!({})),
        object(
            "v1",
            "PersistentVolumeClaim",
            "0777",
            &json!({"spec": {"storageClassName": "123", "resources": {"requests": {"storage": "1e3"}}}})
        ),
        object("rbac.authorization.k8s.io/v1", "ClusterRole", "123", &json!({"rules": []})),
        object(
            "v1",
            "Pod",
            "y",
            &json!({"spec": pod(&json!({"serviceAccountName": "1e3",
            "volumes": [{"name": "on", "secret": {"secretName": "0x1f"}}]}))})
        ),
    ]));
    app.secrets = serde_json::from_value(json!([{"name": "0x1f", "keys": ["on", "1"],
        "complete": true, "optional": false, "usedBy": []}]))
    .unwrap();
    let chart = shop::plain_chart_of(&app);
    for helm in Helm::both() {
        let objects = rendered(
            &helm,
            &chart,
            &["--set", "secrets.0x1f.create=true,secrets.0x1f.data.on=a,secrets.0x1f.data.1=b"],
        );
        assert_eq!(objects["Secret 0x1f"]["data"], json!({"on": "YQ==", "1": "Yg=="}));
        assert_eq!(
            objects["PersistentVolumeClaim 0777"]["spec"],
            json!({"storageClassName": "123", "resources": {"requests": {"storage": "1e3"}}})
        );
        assert!(
            objects.contains_key("ClusterRole 123") && objects.contains_key("ServiceAccount 1e3")
        );
        assert_eq!(objects["Pod y"]["spec"]["volumes"][0]["secret"]["secretName"], "0x1f");
    }
}

#[test]
fn a_label_of_the_applications_own_wins() {
    let mut labelled = object("v1", "ServiceAccount", "a", &json!({}));
    labelled["metadata"]["labels"] = json!({"app.kubernetes.io/instance": "blue"});
    let app = shop::app_of(json!([labelled, object("v1", "ServiceAccount", "b", &json!({}))]));
    for helm in Helm::both() {
        let objects = rendered(&helm, &shop::plain_chart_of(&app), &[]);
        let label =
            |name: &str| objects[name]["metadata"]["labels"]["app.kubernetes.io/instance"].clone();
        assert_eq!(label("ServiceAccount a"), "blue");
        assert_eq!(label("ServiceAccount b"), Value::Null); // it belongs to the same application
    }
}

#[test]
fn the_same_name_in_lower_case_and_in_other_groups_are_two_files() {
    let app = shop::app_of(json!([
        object("v1", "Service", "web", &json!({"spec": {"ports": [{"port": 80}]}})),
        object("serving.knative.dev/v1", "Service", "web", &json!({"spec": {}})),
        object("rbac.authorization.k8s.io/v1", "Role", "A:b", &json!({"rules": []})),
        object("rbac.authorization.k8s.io/v1", "Role", "a:b", &json!({"rules": []})),
    ]));
    let chart = shop::plain_chart_of(&app);
    for file in ["service-web", "service-web-2", "role-a-b", "role-a-b-2"] {
        assert!(chart.files.contains_key(&format!("templates/{file}.yaml")), "{file}");
    }
}
