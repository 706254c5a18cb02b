//! An application of what the shop lacks.

use outhaul::app::App;
use serde_json::{Value, json};

use super::super::shop;

/// Rarer Services, kinds and fields of pods.
pub(super) fn rarer() -> App {
    let labels = json!({"app": "edge"});
    let template = json!({"metadata": {"labels": labels}, "spec": {
        "priorityClassName": "high", "runtimeClassName": "gvisor",
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
            "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": labels}}],
        "containers": [{"name": "edge", "image": "edge:1", "env": [{"name": "A", "value": "1"}]}]}});
    let selected = json!({"selector": {"matchLabels": labels}, "template": template});
    let object = |api: &str, kind: &str, name: &str, rest: Value| {
        let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object
    };
    shop::app_of(json!([
        object("apps/v1", "DaemonSet", "edge", json!({"spec": selected})),
        object(
            "v1",
            "Service",
            "balanced",
            json!({"spec": {"type": "LoadBalancer",
            "selector": labels, "loadBalancerIP": "10.0.0.1", "loadBalancerClass": "example.com/a",
            "loadBalancerSourceRanges": ["10.0.0.0/8"], "externalTrafficPolicy": "Local",
            "healthCheckNodePort": 30200, "allocateLoadBalancerNodePorts": false,
            "ports": [{"name": "http", "port": 80, "nodePort": 30080},
                {"name": "my-https", "port": 443, "nodePort": 30443}, {"name": "c", "port": 1}]}})
        ),
        object(
            "v1",
            "Service",
            "ports",
            json!({"spec": {"type": "NodePort", "selector": labels,
            "externalIPs": ["192.0.2.1"], "ports": [{"port": 80, "nodePort": 30081}]}})
        ),
        object(
            "v1",
            "Service",
            "outside",
            json!({"spec": {"type": "ExternalName",
            "externalName": "db.example.com"}})
        ),
        object(
            "v1",
            "Service",
            "headless",
            json!({"spec": {"clusterIP": "None",
            "selector": labels, "ports": [{"port": 80}]}})
        ),
        object(
            "v1",
            "PersistentVolumeClaim",
            "claim",
            json!({"spec": {
            "resources": {"requests": {"storage": "1Gi"}}}})
        ),
        object(
            "networking.k8s.io/v1",
            "Ingress",
            "bare",
            json!({"spec": {"rules": [
            {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend":
                {"service": {"name": "ports", "port": {"number": 80}}}}]}}]}})
        ),
    ]))
}
