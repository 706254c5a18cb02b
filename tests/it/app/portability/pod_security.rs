//! The Pod Security level that we say, against the one that a real API server enforces.

use kube::Api;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use outhaul::app::{App, Code, Options, Origin, Selection, assemble};
use serde_json::{Value, json};

use super::super::{snapshot, yaml};
use crate::support::cluster::cluster;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Restricted,
    Baseline,
    Privileged,
}

/// A pod that `restricted` allows, changed by `pod` and its container by `container`.
fn pod(pod: &Value, container: &Value) -> Value {
    let mut spec = json!({"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}});
    let mut only = json!({"name": "a", "image": "example.org/a:1",
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}});
    merge(&mut spec, pod);
    merge(&mut only, container);
    spec["containers"] = json!([only]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec})
}

/// RFC 7386.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else { return *into = patch.clone() };
    for (key, value) in patch {
        if value.is_null() {
            into.as_object_mut().unwrap().shift_remove(key);
        } else if into.get(key).is_some_and(Value::is_object) {
            merge(&mut into[key], value);
        } else {
            into[key] = value.clone();
        }
    }
}

/// The server itself refuses privileged containers, unless told otherwise: those are left out.
fn cases() -> Vec<Value> {
    let none = json!({});
    let security = |fields: Value| json!({"securityContext": fields});
    let of_pod = |fields: Value| pod(&fields, &json!({}));
    let of_container = |fields: Value| pod(&json!({}), &fields);
    let volume = |kind: &str, source: Value| json!({"volumes": [{"name": "v", kind: source}]});
    let mut apparmor = pod(&none, &none);
    apparmor["metadata"]["annotations"] =
        json!({"container.apparmor.security.beta.kubernetes.io/a": "unconfined"});
    vec![
        pod(&none, &none),
        apparmor,
        of_pod(json!({"hostPID": true})),
        of_pod(json!({"hostIPC": true})),
        of_pod(json!({"hostNetwork": true})),
        of_pod(volume("hostPath", json!({"path": "/tmp"}))),
        of_pod(volume("nfs", json!({"server": "a", "path": "/"}))),
        of_pod(volume("emptyDir", json!({}))),
        of_pod(volume("image", json!({"reference": "example.org/data:1"}))),
        of_pod(volume("csi", json!({"driver": "a.example"}))),
        of_pod(volume("projected", json!({"sources": []}))),
        of_pod(security(json!({"runAsNonRoot": null}))),
        of_pod(security(json!({"runAsNonRoot": false}))),
        of_pod(security(json!({"runAsUser": 0}))),
        of_pod(security(json!({"seccompProfile": null}))),
        of_pod(security(json!({"seccompProfile": {"type": "Unconfined"}}))),
        of_pod(security(json!({"seLinuxOptions": {"type": "spc_t"}}))),
        of_pod(security(json!({"seLinuxOptions": {"type": "container_t", "level": "s0:c1"}}))),
        of_pod(security(json!({"seLinuxOptions": {"user": "root"}}))),
        of_pod(security(json!({"appArmorProfile": {"type": "Unconfined"}}))),
        of_pod(security(json!({"appArmorProfile": {"type": "RuntimeDefault"}}))),
        of_pod(security(json!({"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}))),
        of_pod(security(json!({"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}))),
        of_container(json!({"ports": [{"containerPort": 80, "hostPort": 8080}]})),
        of_container(json!({"ports": [{"containerPort": 80}]})),
        of_container(security(json!({"allowPrivilegeEscalation": null}))),
        of_container(security(json!({"capabilities": null}))),
        of_container(security(json!({"capabilities": {"drop": ["KILL"]}}))),
        of_container(security(json!({"capabilities": {"add": ["NET_BIND_SERVICE"]}}))),
        of_container(security(json!({"capabilities": {"add": ["CHOWN"]}}))),
        of_container(security(json!({"capabilities": {"add": ["SYS_ADMIN"]}}))),
        of_container(security(json!({"runAsNonRoot": false}))),
        of_container(security(json!({"runAsUser": 0}))),
        of_container(security(json!({"seccompProfile": {"type": "Unconfined"}}))),
        of_container(security(json!({"seLinuxOptions": {"role": "r"}}))),
        of_container(security(json!({"appArmorProfile": {"type": "Unconfined"}}))),
        of_container(json!({"livenessProbe": {"httpGet": {"port": 80, "host": "other"}}})),
        of_container(json!({"readinessProbe": {"tcpSocket": {"port": 80}}})),
        of_container(json!({"lifecycle": {"preStop": {"httpGet": {"port": 80, "host": "other"}}}})),
    ]
}

fn ours(pod: &Value) -> Level {
    let all = Selection::All { name: "x".to_owned() };
    let objects = yaml(&pod.to_string());
    let app: App =
        assemble(&snapshot(Origin::Manifests, objects), &all, &Options::default()).unwrap();
    let said = |code| app.findings.iter().any(|finding| finding.code == code);
    match (said(Code::PodSecurityPrivileged), said(Code::PodSecurityBaseline)) {
        (true, _) => Level::Privileged,
        (false, true) => Level::Baseline,
        (false, false) => Level::Restricted,
    }
}

#[tokio::test]
async fn the_level_is_the_one_that_the_api_server_enforces() {
    let cluster = cluster();
    let client = cluster.client("admin").await;
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Pod"));
    let mut namespaces = Vec::new();
    for (level, name) in [(Level::Restricted, "restricted"), (Level::Baseline, "baseline")] {
        let namespace = cluster.namespace("podsecurity");
        cluster.apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n  labels:\n    \
             pod-security.kubernetes.io/enforce: {name}\n",
            namespace.name()
        ));
        namespaces.push((level, namespace));
    }
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    for pod in cases() {
        let mut allowed = Level::Privileged;
        for (level, namespace) in namespaces.iter().rev() {
            let api: Api<DynamicObject> =
                Api::namespaced_with(client.clone(), namespace.name(), &kind);
            match api.create(&dry_run, &serde_json::from_value(pod.clone()).unwrap()).await {
                Ok(_) => allowed = *level,
                Err(kube::Error::Api(status)) if status.code == 403 => {}
                Err(error) => panic!("{pod}: {error}"),
            }
        }
        assert_eq!(ours(&pod), allowed, "{}", pod["spec"]);
    }
}
