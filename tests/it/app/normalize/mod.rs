//! Rule by rule: what a live object becomes.

mod plain;

use outhaul::app::{App, Object, Options, Selection};
use serde_json::{Value, json};

use super::{assemble, cluster, snapshot};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn app(object: Value) -> App {
    let all = Selection::All { name: "x".to_owned() };
    // A Secret that is never exported: otherwise it is said that none was read.
    let token = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"},
        "type": "kubernetes.io/service-account-token"});
    let snapshot = snapshot(cluster(), [object, token].map(|of| Object::new(of).unwrap()));
    assemble(&snapshot, &all, &Options::default()).unwrap()
}

/// The object without its kind, name and API version.
fn normalised(object: Value) -> Value {
    let mut object = Value::Object(app(object).objects[0].fields().clone());
    let fields = object.as_object_mut().unwrap();
    fields.retain(|key, _| key != "apiVersion" && key != "kind");
    let metadata = fields["metadata"].as_object_mut().unwrap();
    metadata.shift_remove("name");
    if metadata.is_empty() {
        fields.shift_remove("metadata");
    }
    object
}

/// A live object of a kind, with the rest of its fields.
fn live(api_version: &str, kind: &str, rest: &Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": "x", "namespace": "shop", "uid": "1"}});
    for (key, value) in rest.as_object().unwrap() {
        if key == "metadata" {
            let metadata = object["metadata"].as_object_mut().unwrap();
            metadata.extend(value.as_object().unwrap().clone());
        } else {
            object[key] = value.clone();
        }
    }
    object
}

#[test]
fn metadata_of_every_kind() {
    let object = live(
        "example.com/v1",
        "Thing",
        &json!({
        "metadata": {
            "resourceVersion": "1", "generation": 2, "creationTimestamp": "2026-01-01T00:00:00Z",
            "selfLink": "/x", "generateName": "x-", "finalizers": ["example.com/hold"],
            "deletionGracePeriodSeconds": 30, "ownerReferences": [], "managedFields": [],
            "annotations": {
                LAST_APPLIED: "{}", "mine": "stays", "kubernetes.io/change-cause": "stays",
                "meta.helm.sh/release-name": "x", "argocd.argoproj.io/tracking-id": "x",
                "objectset.rio.cattle.io/hash": "x", "openshift.io/sa.scc.mcs": "x",
                "openshift.io/display-name": "stays"},
            "labels": {"app": "x", "app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": "x-1",
                "kustomize.toolkit.fluxcd.io/name": "x", "app.kubernetes.io/instance": "stays"}},
        "spec": {"empty": {}, "none": null, "list": [], "status": {"inner": "stays"},
            "clusterIP": "stays", "replicas": 1},
        "status": {"phase": "Ready"}}),
    );
    assert_eq!(
        normalised(object),
        json!({
        "metadata": {
            "annotations": {"mine": "stays", "kubernetes.io/change-cause": "stays",
                "openshift.io/display-name": "stays"},
            "labels": {"app": "x", "app.kubernetes.io/instance": "stays"}},
        "spec": {"empty": {}, "none": null, "list": [], "status": {"inner": "stays"},
            "clusterIP": "stays", "replicas": 1}})
    );
}

#[test]
fn maps_that_are_emptied_go_and_maps_that_were_empty_stay() {
    let object = |annotations: Value| {
        live("v1", "ConfigMap", &json!({"metadata": {"annotations": annotations}, "data": {}}))
    };
    assert_eq!(normalised(object(json!({LAST_APPLIED: "{}"}))), json!({"data": {}}));
    assert_eq!(normalised(object(json!({}))), json!({"metadata": {"annotations": {}}, "data": {}}));
}

fn deployment(pod: &Value) -> Value {
    live("apps/v1", "Deployment", &json!({"spec": {"template": {"spec": pod}}}))
}

fn pod_of(object: Value) -> Value {
    normalised(object)["spec"]["template"]["spec"].clone()
}

/// Field by field: a pod's spec as the server has it, and as it is left.
#[test]
fn defaults_of_pods() {
    let main = |fields: Value| json!({"containers": [fields]});
    for (server, left) in [
        (
            json!({"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "securityContext": {},
            "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30}),
            json!({}),
        ),
        (
            json!({"dnsPolicy": "None", "securityContext": {"fsGroup": 1}, "schedulerName": "mine",
            "terminationGracePeriodSeconds": 31}),
            json!({"dnsPolicy": "None", "securityContext": {"fsGroup": 1}, "schedulerName": "mine",
            "terminationGracePeriodSeconds": 31}),
        ),
        (
            json!({"serviceAccount": "x", "serviceAccountName": "x"}),
            json!({"serviceAccountName": "x"}),
        ),
        (json!({"serviceAccount": "x"}), json!({"serviceAccountName": "x"})),
        (
            main(json!({"resources": {}, "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File"})),
            main(json!({})),
        ),
        (
            main(json!({"image": "a:1", "imagePullPolicy": "IfNotPresent"})),
            main(json!({"image": "a:1"})),
        ),
        (
            main(json!({"image": "a:1", "imagePullPolicy": "Always"})),
            main(json!({"image": "a:1", "imagePullPolicy": "Always"})),
        ),
        (
            main(json!({"image": "a", "imagePullPolicy": "Always"})),
            main(json!({"image": "a", "imagePullPolicy": "Always"})),
        ),
        (
            main(json!({"image": "a:latest", "imagePullPolicy": "IfNotPresent"})),
            main(json!({"image": "a:latest", "imagePullPolicy": "IfNotPresent"})),
        ),
        (
            main(json!({"ports": [{"containerPort": 1, "protocol": "TCP"},
            {"containerPort": 1, "protocol": "UDP"}]})),
            main(json!({"ports": [{"containerPort": 1}, {"containerPort": 1, "protocol": "UDP"}]})),
        ),
        (
            main(json!({"livenessProbe": {"httpGet": {"path": "/", "port": 1, "scheme": "HTTP"},
            "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}})),
            main(json!({"livenessProbe": {"httpGet": {"port": 1}}})),
        ),
        (
            main(
                json!({"startupProbe": {"grpc": {"port": 1, "service": ""}, "timeoutSeconds": 2}}),
            ),
            main(json!({"startupProbe": {"grpc": {"port": 1}, "timeoutSeconds": 2}})),
        ),
        (
            json!({"volumes": [{"name": "a", "emptyDir": {}},
            {"name": "b", "configMap": {"name": "kube-root-ca.crt", "defaultMode": 420}},
            {"name": "c", "hostPath": {"path": "/", "type": ""}},
            {"name": "d", "hostPath": {"path": "/", "type": "Directory"}},
            {"name": "e", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]}}]}),
            json!({"volumes": [{"name": "a", "emptyDir": {}},
            {"name": "b", "configMap": {"name": "kube-root-ca.crt"}},
            {"name": "c", "hostPath": {"path": "/"}},
            {"name": "d", "hostPath": {"path": "/", "type": "Directory"}},
            {"name": "e", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]}),
        ),
        // A node or priority in a template is a person's: admission changes pods.
        (
            json!({"nodeName": "n", "priority": 5, "tolerations": [{"key": "node.kubernetes.io/not-ready",
            "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]}),
            json!({"nodeName": "n", "priority": 5, "tolerations": [{"key": "node.kubernetes.io/not-ready",
            "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]}),
        ),
    ] {
        assert_eq!(pod_of(deployment(&server)), left, "{server}");
    }
}

#[test]
fn admission_is_taken_out_of_bare_pods() {
    let pod = live(
        "v1",
        "Pod",
        &json!({"spec": {
        "nodeName": "node-1", "priority": 0, "preemptionPolicy": "PreemptLowerPriority",
        "enableServiceLinks": true, "serviceAccount": "default", "serviceAccountName": "default",
        "tolerations": [
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300},
            {"key": "mine", "operator": "Exists"}],
        "containers": [{"name": "a", "image": "a:1",
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Mi"}},
            "volumeMounts": [
                {"name": "kube-api-access-abcde", "readOnly": true,
                    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}],
        "volumes": [{"name": "kube-api-access-abcde", "projected": {"sources": []}}]}}),
    );
    assert_eq!(
        normalised(pod),
        json!({"spec": {
        "tolerations": [{"key": "mine", "operator": "Exists"}],
        "containers": [{"name": "a", "image": "a:1",
            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"memory": "1Mi"}}}]}})
    );
}

#[test]
fn defaults_of_workloads() {
    let rolling = json!({"type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    for (kind, server, left) in [
        (
            "Deployment",
            json!({"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "strategy": rolling}),
            json!({"replicas": 1}),
        ),
        (
            "Deployment",
            json!({"replicas": 0, "paused": true, "strategy": {"type": "Recreate"}}),
            json!({"replicas": 0, "paused": true, "strategy": {"type": "Recreate"}}),
        ),
        (
            "Deployment",
            json!({"strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}}}),
            json!({"strategy": {"rollingUpdate": {"maxSurge": 1}}}),
        ),
        (
            "StatefulSet",
            json!({"podManagementPolicy": "OrderedReady", "revisionHistoryLimit": 10,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}),
            json!({}),
        ),
        (
            "StatefulSet",
            json!({"updateStrategy": {"type": "RollingUpdate",
            "rollingUpdate": {"partition": 2}}}),
            json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}}),
        ),
        (
            "StatefulSet",
            json!({"volumeClaimTemplates": [{"apiVersion": "v1",
            "kind": "PersistentVolumeClaim", "metadata": {"name": "d", "creationTimestamp": null},
            "spec": {"volumeMode": "Filesystem", "storageClassName": "fast"},
            "status": {"phase": "Pending"}}]}),
            json!({"volumeClaimTemplates": [{"metadata": {"name": "d"},
                "spec": {"storageClassName": "fast"}}]}),
        ),
        (
            "DaemonSet",
            json!({"revisionHistoryLimit": 10, "updateStrategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}),
            json!({}),
        ),
    ] {
        let spec = normalised(live("apps/v1", kind, &json!({"spec": server})))["spec"].clone();
        assert_eq!(spec, left, "{kind} {server}");
    }
}

#[test]
fn templates_lose_what_kubectl_restart_left() {
    let object = live(
        "apps/v1",
        "Deployment",
        &json!({"spec": {"template": {
        "metadata": {"creationTimestamp": null, "labels": {"app": "x", "helm.sh/chart": "x-1"},
            "annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}},
        "spec": {}}}}),
    );
    assert_eq!(
        normalised(object)["spec"]["template"]["metadata"],
        json!({"labels": {"app": "x", "helm.sh/chart": "x-1"}})
    );
}

#[test]
fn cron_jobs() {
    let object = live(
        "batch/v1",
        "CronJob",
        &json!({"spec": {"schedule": "0 4 * * *",
        "concurrencyPolicy": "Allow", "suspend": false, "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1, "jobTemplate": {"metadata": {"creationTimestamp": null},
            "spec": {"backoffLimit": 6, "template": {"metadata": {"creationTimestamp": null},
                "spec": {"restartPolicy": "Never"}}}}}}),
    );
    assert_eq!(
        normalised(object),
        json!({"spec": {"schedule": "0 4 * * *", "jobTemplate": {
        "spec": {"backoffLimit": 6, "template": {"spec": {"restartPolicy": "Never"}}}}}})
    );
}
