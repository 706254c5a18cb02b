//! The level of the Pod Security Standards that pods need: which label the target's namespace may
//! have.
//!
//! Source: kubernetes, `staging/src/k8s.io/pod-security-admission/policy/check_*.go`, as of 1.35,
//! but for what it allows pods in a user namespace only since then: older clusters do not.

use serde_json::Value;

use super::Portability;
use super::pods::{CONTAINERS, Pod, texts};
use crate::app::graph::shorten;
use crate::app::path::Path;
use crate::app::{Code, Finding, Object, ObjectId, Requirement};

/// Label of a namespace that says what its pods may do.
const LABEL: &str = "pod-security.kubernetes.io/enforce";

/// Capabilities that `baseline` lets containers add.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

const SELINUX_TYPES: [&str; 5] =
    ["", "container_engine_t", "container_init_t", "container_kvm_t", "container_t"];

/// Profiles of AppArmor and seccomp that confine.
const CONFINED: [&str; 2] = ["Localhost", "RuntimeDefault"];

/// The same in annotations of AppArmor, by how they begin.
const CONFINED_ANNOTATIONS: [&str; 2] = ["localhost/", "runtime/default"];
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Volume types that `restricted` allows.
const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// A field below the `spec` of a pod and, where `each` says so, below each container; values of it
/// that `baseline` refuses, and what they are.
struct Check {
    at: &'static str,
    each: bool,
    refused: fn(&Value) -> bool,
    what: &'static str,
}

const fn pod(at: &'static str, refused: fn(&Value) -> bool, what: &'static str) -> Check {
    Check { at, each: false, refused, what }
}

const fn container(at: &'static str, refused: fn(&Value) -> bool, what: &'static str) -> Check {
    Check { at, each: true, refused, what }
}

const BASELINE: [Check; 20] = [
    pod("hostIPC|hostNetwork|hostPID", is_true, "namespaces of the node"),
    pod("volumes[].hostPath", is_there, "directories of the node"),
    container("ports[].hostPort", is_not_zero, "ports of the node"),
    container("securityContext.privileged", is_true, "privileged containers"),
    container("securityContext.capabilities.add[]", is_far_reaching, "further capabilities"),
    pod("securityContext.windowsOptions.hostProcess", is_true, HOST_PROCESS),
    container("securityContext.windowsOptions.hostProcess", is_true, HOST_PROCESS),
    pod("securityContext.appArmorProfile.type", is_unconfined, "no AppArmor profile"),
    container("securityContext.appArmorProfile.type", is_unconfined, "no AppArmor profile"),
    pod("securityContext.seccompProfile.type", is_unconfined, "no seccomp profile"),
    container("securityContext.seccompProfile.type", is_unconfined, "no seccomp profile"),
    pod("securityContext.seLinuxOptions.type", is_foreign_type, SELINUX),
    container("securityContext.seLinuxOptions.type", is_foreign_type, SELINUX),
    pod("securityContext.seLinuxOptions.role|user", is_text, SELINUX),
    container("securityContext.seLinuxOptions.role|user", is_text, SELINUX),
    container("securityContext.procMount", is_not_default, "an unmasked /proc"),
    pod("securityContext.sysctls[].name", is_unsafe, "unsafe sysctls"),
    container("livenessProbe|readinessProbe|startupProbe.httpGet|tcpSocket.host", is_text, PROBES),
    container("lifecycle.postStart|preStop.httpGet|tcpSocket.host", is_text, PROBES),
    container("securityContext.capabilities.add[]", is_no_text, "further capabilities"),
];

const HOST_PROCESS: &str = "processes of a Windows node";
const SELINUX: &str = "SELinux options of their own";
const PROBES: &str = "probes of other hosts";

/// A field below a container, or its pod, the values that it is to have, and what it is else.
type Asked = (&'static str, fn(&Value) -> bool, &'static str);

/// Fields of which `restricted` asks that each container has a certain value, or its pod.
const RESTRICTED: [Asked; 2] = [
    ("securityContext.runAsNonRoot", is_true, "no `runAsNonRoot: true`"),
    ("securityContext.seccompProfile.type", is_confined, "no seccomp profile"),
];

fn is_there(value: &Value) -> bool {
    !value.is_null()
}

fn is_true(value: &Value) -> bool {
    *value == true
}

fn is_not_zero(value: &Value) -> bool {
    value.as_i64().is_some_and(|port| port != 0)
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn is_no_text(value: &Value) -> bool {
    !value.is_string()
}

fn is_far_reaching(value: &Value) -> bool {
    value.as_str().is_some_and(|name| !CAPABILITIES.contains(&name))
}

fn is_confined(value: &Value) -> bool {
    value.as_str().is_some_and(|profile| CONFINED.contains(&profile))
}

fn is_unconfined(value: &Value) -> bool {
    !is_confined(value)
}

fn is_foreign_type(value: &Value) -> bool {
    value.as_str().is_some_and(|of| !SELINUX_TYPES.contains(&of))
}

fn is_not_default(value: &Value) -> bool {
    value.as_str().is_some_and(|mount| mount != "Default")
}

fn is_unsafe(value: &Value) -> bool {
    value.as_str().is_some_and(|name| !SYSCTLS.contains(&name))
}

/// What is found in the pods of one object.
#[derive(Default)]
struct Needs {
    /// What `baseline` refuses: where, and what.
    privileged: Vec<(Path, &'static str)>,
    /// What `restricted` refuses besides.
    baseline: Vec<&'static str>,
}

pub(super) fn check(objects: &[Object], found: &mut Portability) {
    let mut privileged = Vec::new();
    let mut baseline: Vec<(String, Vec<&str>)> = Vec::new();
    for object in objects {
        let Some(pod) = Pod::of(object) else { continue };
        let needs = needs(pod);
        if let Some((first, _)) = needs.privileged.first() {
            let what = distinct(needs.privileged.iter().map(|(_, what)| *what));
            let id = object.id();
            let text =
                format!("pods of {id} need a namespace of Pod Security `privileged`: {what}");
            let remedy = format!("Label the target's namespace `{LABEL}: privileged`.");
            let finding = Finding::new(Code::PodSecurityPrivileged, text).on(id.clone());
            found.findings.push(finding.field(first.to_string()).remedy(remedy));
            privileged.push(id.to_string());
        } else if !needs.baseline.is_empty() {
            baseline.push((object.id().to_string(), needs.baseline));
        }
    }
    if !privileged.is_empty() {
        let reason = format!(
            "it must have the label `{LABEL}: privileged`, or none: {} need it",
            shorten(privileged.iter())
        );
        found.requirements.push(Requirement { object: namespace(), reason });
    } else if !baseline.is_empty() {
        let users = shorten(baseline.iter().map(|(id, _)| id));
        let lacks = distinct(baseline.iter().flat_map(|(_, lacks)| lacks).copied());
        let text = format!("pods of {users} are not allowed in `restricted` namespaces: {lacks}");
        let remedy = format!("Where namespaces are restricted, label it `{LABEL}: baseline`.");
        found.findings.push(Finding::new(Code::PodSecurityBaseline, text).remedy(remedy));
    }
}

/// The release's own namespace, whatever its name will be.
fn namespace() -> ObjectId {
    ObjectId {
        group: String::new(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: "of the release".to_owned(),
    }
}

fn distinct<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen.join(", ")
}

fn needs(pod: Pod<'_>) -> Needs {
    let mut needs = Needs::default();
    for Check { at, each, refused, what } in &BASELINE {
        let at = if *each { format!("{CONTAINERS}.{at}") } else { (*at).to_owned() };
        let refused = pod.find(&at).into_iter().filter(|(_, value)| refused(value));
        needs.privileged.extend(refused.map(|(path, _)| (path, *what)));
    }
    if let Some((path, annotations)) = pod.metadata("annotations") {
        for (key, profile) in annotations.iter().filter(|(key, _)| key.starts_with(APPARMOR)) {
            let profile = profile.as_str().unwrap_or_default();
            if !profile.is_empty() && !CONFINED_ANNOTATIONS.iter().any(|of| profile.starts_with(of))
            {
                needs.privileged.push((path.key(key), "no AppArmor profile"));
            }
        }
    }
    needs.baseline = restricted(pod);
    needs
}

/// What keeps the pod out of a `restricted` namespace.
fn restricted(pod: Pod<'_>) -> Vec<&'static str> {
    let mut lacks = Vec::new();
    let type_of = |volume: &&Value| {
        let fields = volume.as_object();
        fields.is_some_and(|of| of.keys().any(|key| VOLUMES.contains(&key.as_str())))
    };
    if pod.find("volumes[]").iter().any(|(_, volume)| !type_of(volume)) {
        lacks.push("volumes of certain types");
    }
    let containers: Vec<&Value> = pod.find(CONTAINERS).into_iter().map(|(_, of)| of).collect();
    for (at, good, what) in RESTRICTED {
        let pointer = format!("/{}", at.replace('.', "/"));
        let by_pod = pod.first(at).map(|(_, value)| good(value));
        let bad = |container: &&Value| match container.pointer(&pointer) {
            Some(value) => !good(value),
            None => by_pod != Some(true),
        };
        if by_pod == Some(false) || containers.iter().any(bad) {
            lacks.push(what);
        }
    }
    let root = |value: &Value| *value == 0;
    let as_root = pod.first("securityContext.runAsUser").is_some_and(|(_, user)| root(user));
    if as_root || containers.iter().any(|c| c.pointer(USER).is_some_and(root)) {
        lacks.push("root as user");
    }
    if pod.first("os.name").is_some_and(|(_, name)| name == "windows") {
        return lacks;
    }
    if containers.iter().any(|of| of.pointer(ESCALATION) != Some(&Value::Bool(false))) {
        lacks.push("no `allowPrivilegeEscalation: false`");
    }
    if containers.iter().any(|container| !drops_all(container)) {
        lacks.push("capabilities that are not dropped");
    }
    lacks
}

const USER: &str = "/securityContext/runAsUser";
const ESCALATION: &str = "/securityContext/allowPrivilegeEscalation";

fn drops_all(container: &Value) -> bool {
    let list = |key: &str| container.pointer(&format!("/securityContext/capabilities/{key}"));
    let drops = list("drop").is_some_and(|drop| texts(drop).any(|name| name == "ALL"));
    drops && list("add").is_none_or(|add| texts(add).all(|name| name == "NET_BIND_SERVICE"))
}
