//! What pods take from the node that they run on.

use serde_json::Value;

use super::Portability;
use super::pods::{CONTAINERS, Pod};
use crate::app::{Code, Finding, Object};

/// Fields of a pod that give it something of the node's, and what.
const SHARED: [(&str, &str); 3] =
    [("hostIPC", "shared memory"), ("hostNetwork", "network"), ("hostPID", "processes")];

pub(super) fn check(object: &Object, found: &mut Portability) {
    let Some(pod) = Pod::of(object) else { return };
    paths(pod, found);
    for (field, what) in SHARED {
        if let Some((path, Value::Bool(true))) = pod.first(field) {
            let text = format!("pods of {} use the {what} of their node", object.id());
            let finding = Finding::new(Code::HostAccess, text).on(object.id());
            let remedy = "The target must allow it, and its nodes be as the application expects.";
            found.findings.push(finding.field(path.to_string()).remedy(remedy));
        }
    }
    ports(pod, found);
}

fn paths(pod: Pod<'_>, found: &mut Portability) {
    for (path, host) in pod.find("volumes[].hostPath.path") {
        let id = pod.object.id();
        let text = format!(
            "pods of {id} mount {} of their node: what is there is not exported",
            host.as_str().unwrap_or("a directory")
        );
        let remedy = "See to it that the target's nodes have it, or use a volume claim.";
        let finding = Finding::new(Code::HostPath, text).on(id).field(path.to_string());
        found.findings.push(finding.remedy(remedy));
    }
}

/// On the node's network every port is the node's, which is said already.
fn ports(pod: Pod<'_>, found: &mut Portability) {
    if matches!(pod.first("hostNetwork"), Some((_, Value::Bool(true)))) {
        return;
    }
    let ports = pod.find(&format!("{CONTAINERS}.ports[].hostPort"));
    for (path, port) in ports.into_iter().filter(|(_, port)| port.as_u64().is_some_and(|p| p > 0)) {
        let id = pod.object.id();
        let text = format!("pods of {id} take port {port} of their node");
        let remedy = "The port must be free on the target's nodes; a Service needs none.";
        let finding = Finding::new(Code::HostAccess, text).on(id).field(path.to_string());
        found.findings.push(finding.remedy(remedy));
    }
}
