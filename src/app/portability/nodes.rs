//! Which nodes pods can run on: labels, taints, resources.

use serde_json::Value;

use super::Portability;
use super::pods::{CONTAINERS, Pod, texts};
use crate::app::path::Path;
use crate::app::{Code, Finding, Object};

/// Values of labels that nearly every cluster has nodes with.
const COMMON: [(&str, &str); 4] = [
    ("beta.kubernetes.io/arch", "amd64"),
    ("beta.kubernetes.io/os", "linux"),
    ("kubernetes.io/arch", "amd64"),
    ("kubernetes.io/os", "linux"),
];

/// The label that every node has with a value of its own.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// Labels whose values are names of one place, and what of.
const PLACES: [(&str, &str); 8] = [
    ("beta.kubernetes.io/instance-type", "machine type"),
    ("failure-domain.beta.kubernetes.io/region", "region"),
    ("failure-domain.beta.kubernetes.io/zone", "zone"),
    (HOSTNAME, "node"),
    ("metadata.name", "node"),
    ("node.kubernetes.io/instance-type", "machine type"),
    ("topology.kubernetes.io/region", "region"),
    ("topology.kubernetes.io/zone", "zone"),
];

/// Taints of Kubernetes itself: every cluster has them, or may.
const COMMON_TAINTS: [&str; 3] =
    ["node.cloudprovider.kubernetes.io/", "node.kubernetes.io/", "node-role.kubernetes.io/"];

/// Resources that every node has.
const COMMON_RESOURCES: [&str; 4] = ["cpu", "ephemeral-storage", "memory", "storage"];

const REQUIRED: &str = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.\
                        nodeSelectorTerms[].matchExpressions|matchFields[]";

/// Rules about other pods that must hold, and the label of nodes that they go by.
const TOPOLOGIES: [&str; 2] = [
    "affinity.podAffinity|podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[]",
    "topologySpreadConstraints[]",
];

pub(super) fn check(object: &Object, found: &mut Portability) {
    let Some(pod) = Pod::of(object) else { return };
    node_name(pod, found);
    selector(pod, found);
    affinity(pod, found);
    topologies(pod, found);
    tolerations(pod, found);
    resources(pod, found);
}

fn label(pod: Pod<'_>, path: &Path, text: String, found: &mut Portability) {
    let remedy = "Change it in the values, or label nodes of the target cluster.";
    let finding = Finding::new(Code::NodeLabelRequired, text).on(pod.object.id());
    found.findings.push(finding.field(path.to_string()).remedy(remedy));
}

fn node_name(pod: Pod<'_>, found: &mut Portability) {
    if let Some((path, name)) = pod.first("nodeName") {
        let name = name.as_str().unwrap_or_default();
        let text = format!("pods of {} run on node {name} and no other", pod.object.id());
        label(pod, &path, text, found);
    }
}

fn selector(pod: Pod<'_>, found: &mut Portability) {
    let Some((path, selector)) = pod.first("nodeSelector") else { return };
    for (key, value) in selector.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        if !COMMON.contains(&(key, value)) {
            label(pod, &path.key(key), needs(pod, key, &[value]), found);
        }
    }
}

fn affinity(pod: Pod<'_>, found: &mut Portability) {
    for (path, rule) in pod.find(REQUIRED) {
        let text = |key: &str| rule.get(key).and_then(Value::as_str).unwrap_or_default();
        let (key, operator) = (text("key"), text("operator"));
        let values: Vec<&str> = rule.get("values").into_iter().flat_map(texts).collect();
        let common = operator == "In" && values.iter().any(|value| COMMON.contains(&(key, *value)));
        // What a node must not have is asked of none.
        if !common && matches!(operator, "In" | "Exists" | "Gt" | "Lt") {
            label(pod, &path, needs(pod, key, &values), found);
        }
    }
}

fn needs(pod: Pod<'_>, key: &str, values: &[&str]) -> String {
    let id = pod.object.id();
    let values = values.join(", ");
    match PLACES.iter().find(|(label, _)| *label == key) {
        Some((_, what)) if values.is_empty() => format!("pods of {id} need nodes with a {what}"),
        Some((_, what)) => format!("pods of {id} only run in or on {what} {values}"),
        None if values.is_empty() => format!("pods of {id} need nodes with the label {key}"),
        None => format!("pods of {id} need nodes with the label {key}: {values}"),
    }
}

/// Pods that spread over zones wait forever where nodes have none.
fn topologies(pod: Pod<'_>, found: &mut Portability) {
    for pattern in TOPOLOGIES {
        for (path, rule) in pod.find(pattern) {
            let soft = rule.get("whenUnsatisfiable").is_some_and(|of| of == "ScheduleAnyway");
            let key = rule.get("topologyKey").and_then(Value::as_str).unwrap_or(HOSTNAME);
            if !soft && key != HOSTNAME {
                let id = pod.object.id();
                let text = format!("pods of {id} are placed by the label {key} of nodes");
                label(pod, &path.key("topologyKey"), text, found);
            }
        }
    }
}

fn tolerations(pod: Pod<'_>, found: &mut Portability) {
    for (path, toleration) in pod.find("tolerations[].key") {
        let taint = toleration.as_str().unwrap_or_default();
        if taint.is_empty() || COMMON_TAINTS.iter().any(|prefix| taint.starts_with(prefix)) {
            continue;
        }
        let id = pod.object.id();
        let text = format!("pods of {id} may run on nodes with the taint {taint}");
        let remedy = "Change `tolerations` in the values if the target has other taints.";
        let finding = Finding::new(Code::NodeTaintTolerated, text).on(id);
        found.findings.push(finding.field(path.to_string()).remedy(remedy));
    }
}

fn resources(pod: Pod<'_>, found: &mut Portability) {
    let mut named: Vec<&str> = Vec::new();
    for (path, amounts) in pod.find(&format!("{CONTAINERS}.resources.limits|requests")) {
        for name in amounts.as_object().into_iter().flat_map(|amounts| amounts.keys()) {
            // A limit is a request as well: once is enough.
            if COMMON_RESOURCES.contains(&name.as_str()) || named.contains(&name.as_str()) {
                continue;
            }
            named.push(name);
            let id = pod.object.id();
            let text = format!("pods of {id} need nodes that offer {name}");
            let remedy = "The target needs such nodes and what announces it there, as a device \
                          plugin does.";
            let finding = Finding::new(Code::NodeResourceRequired, text).on(id);
            found.findings.push(finding.field(path.key(name).to_string()).remedy(remedy));
        }
    }
}
