//! What pods of a drill may not be: a part of their node, or at the data of others. Pure.

use serde_json::{Map, Value};

use crate::app::Object;
use crate::import::rendered::{CONTAINERS, PODS};

/// Fields by which a pod is a part of its node, where no NetworkPolicy reaches it.
const OF_THE_NODE: [&str; 3] = ["hostNetwork", "hostPID", "hostIPC"];

/// Capabilities by which a container leaves its network (capabilities(7)).
const LEAVES: [&str; 5] = ["ALL", "BPF", "SYS_ADMIN", "SYS_MODULE", "SYS_RAWIO"];

/// Volumes of which all that a pod sees is its own, of its namespace, or of its image.
const OWN_VOLUMES: [&str; 8] = [
    "configMap",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// Fields of a claim that name the data of somebody else.
const DATA_OF_OTHERS: [&str; 4] = ["dataSource", "dataSourceRef", "selector", "volumeName"];

/// Changes the pods that an object has or makes, and says why they may not be, if so.
pub(super) fn isolate(
    object: &mut Object,
    changes: &mut Vec<&'static str>,
) -> Option<&'static str> {
    let claims = object.at_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut);
    for template in claims.into_iter().flatten() {
        claim(template.get_mut("spec"), changes);
    }
    for at in PODS {
        let Some(pod) = object.at_mut(at).and_then(Value::as_object_mut) else { continue };
        if !pod.contains_key("containers") {
            continue;
        }
        if let Some(reason) = of_the_node(pod) {
            return Some(reason);
        }
        enclose(pod, changes);
    }
    None
}

/// A claim gets a volume of its own, which is empty.
pub(super) fn claim(spec: Option<&mut Value>, changes: &mut Vec<&'static str>) {
    let Some(spec) = spec.and_then(Value::as_object_mut) else { return };
    let before = spec.len();
    spec.retain(|field, _| !DATA_OF_OTHERS.contains(&&**field));
    if spec.len() != before {
        note(changes, "a new volume, instead of the one that it names");
    }
}

fn of_the_node(pod: &Map<String, Value>) -> Option<&'static str> {
    if OF_THE_NODE.iter().any(|field| pod.get(*field) == Some(&Value::Bool(true))) {
        return Some("its pods are a part of the node, where no NetworkPolicy holds them");
    }
    let lists = CONTAINERS.iter().filter_map(|list| pod.get(*list)?.as_array());
    let may_leave = lists.flatten().any(|container| {
        let privileged = container.pointer("/securityContext/privileged");
        let added = container.pointer("/securityContext/capabilities/add");
        let mut added = added.and_then(Value::as_array).into_iter().flatten();
        let leaves = |name: &Value| {
            let name = name.as_str().unwrap_or_default();
            LEAVES.contains(&name.strip_prefix("CAP_").unwrap_or(name))
        };
        privileged == Some(&Value::Bool(true)) || added.any(leaves)
    });
    may_leave.then_some("its containers are privileged, and no NetworkPolicy holds them")
}

fn enclose(pod: &mut Map<String, Value>, changes: &mut Vec<&'static str>) {
    for field in ["priorityClassName", "priority", "preemptionPolicy"] {
        if pod.remove(field).is_some() {
            note(changes, "without its priority, which might evict production");
        }
    }
    let volumes = pod.get_mut("volumes").and_then(Value::as_array_mut);
    for volume in volumes.into_iter().flatten().filter_map(Value::as_object_mut) {
        let foreign = |field: &String| field != "name" && !OWN_VOLUMES.contains(&&**field);
        if volume.keys().any(foreign) {
            volume.retain(|field, _| field == "name");
            volume.insert("emptyDir".to_owned(), Map::new().into());
            note(changes, "an empty folder, instead of files of the node or of a server");
        }
    }
    for list in CONTAINERS {
        let containers = pod.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let ports = container.get_mut("ports").and_then(Value::as_array_mut);
            for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
                port.remove("hostIP");
                if port.remove("hostPort").is_some() {
                    note(changes, "without ports of the node");
                }
            }
        }
    }
}

/// Each change is said once.
fn note(changes: &mut Vec<&'static str>, change: &'static str) {
    if !changes.contains(&change) {
        changes.push(change);
    }
}
