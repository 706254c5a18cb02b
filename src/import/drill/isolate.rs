//! What would make a drill a second production, and what becomes of it. Pure.
//!
//! Kinds that nobody here knows go along if they are in a namespace: what an operator makes of them
//! is in that namespace, too. Known ones whose operators act outside of it do not, and nothing does
//! that belongs to no namespace.

use serde_json::Value;

use super::pods;
use crate::app::Object;

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// It is restored, with these changes.
    Restored(Object, Vec<&'static str>),
    /// It is not, for this reason.
    LeftOut(&'static str),
    /// Without it the drill says nothing, and with it it may do harm.
    Refused(&'static str),
}

/// Where an object would go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The scratch namespace.
    pub(super) namespace: &'a str,
    /// Whether objects of its kind are in namespaces; `None` if the cluster does not serve the kind.
    pub(super) namespaced: Option<bool>,
    /// What the user wants to stay out, as [`super::Terms::leave_out`].
    pub(super) leave_out: &'a [String],
}

const TRAFFIC: &str = "it would take traffic from outside";
const POLICY: &str = "it is about where pods may go, which the drill says";
const NAMES: &str = "it would publish names";
const CERTIFICATES: &str = "it would ask authorities for certificates";
const ALERTS: &str = "it would raise alerts";
const DEPLOYS: &str = "it would deploy, anywhere";
const BACKUPS: &str = "it would make backups";

/// Groups, or kinds of them, whose operators and gateways act outside of the namespace. A group that
/// begins with a dot is every group that ends so.
const OUTSIDE: [(&str, &[&str], &str); 24] = [
    ("networking.k8s.io", &["Ingress"], TRAFFIC),
    ("extensions", &["Ingress"], TRAFFIC),
    ("route.openshift.io", &[], TRAFFIC),
    ("gateway.networking.k8s.io", &[], TRAFFIC),
    ("networking.istio.io", &[], TRAFFIC),
    ("traefik.io", &[], TRAFFIC),
    ("traefik.containo.us", &[], TRAFFIC),
    ("projectcontour.io", &[], TRAFFIC),
    ("configuration.konghq.com", &[], TRAFFIC),
    ("getambassador.io", &[], TRAFFIC),
    ("serving.knative.dev", &[], TRAFFIC),
    // Network plugins' own policies add up with those of Kubernetes.
    ("cilium.io", &[], POLICY),
    ("crd.projectcalico.org", &[], POLICY),
    ("projectcalico.org", &[], POLICY),
    ("externaldns.k8s.io", &[], NAMES),
    ("cert-manager.io", &[], CERTIFICATES),
    ("acme.cert-manager.io", &[], CERTIFICATES),
    ("monitoring.coreos.com", &[], ALERTS),
    (
        "argoproj.io",
        &["Application", "ApplicationSet", "AppProject", "CronWorkflow", "Sensor"],
        DEPLOYS,
    ),
    (".toolkit.fluxcd.io", &[], DEPLOYS),
    ("external-secrets.io", &["PushSecret"], "it would write to a store of secrets"),
    ("velero.io", &[], BACKUPS),
    ("outhaul.dev", &[], BACKUPS),
    ("postgresql.cnpg.io", &["Backup", "ScheduledBackup"], BACKUPS),
];

/// Events of `helm.sh/hook` that an install has; objects of all others are never made by one.
const INSTALL_HOOKS: [&str; 2] = ["pre-install", "post-install"];

/// What becomes of an object that a chart renders.
pub(super) fn isolate(mut object: Object, place: Place<'_>) -> Fate {
    if place.leave_out.iter().any(|asked| is_asked(&object, asked)) {
        return Fate::LeftOut("as asked for");
    }
    if !is_installed(&object) {
        return Fate::LeftOut("a hook, and of no install");
    }
    if let Some(reason) = outside(&object) {
        return Fate::LeftOut(reason);
    }
    match place.namespaced {
        None => return Fate::Refused("the cluster does not serve its kind"),
        Some(false) => return Fate::LeftOut("it belongs to no namespace"),
        Some(true) => {}
    }
    if object.namespace().is_some_and(|named| named != place.namespace) {
        return Fate::LeftOut("it names another namespace");
    }
    let mut changes = Vec::new();
    let is_policy = (object.group(), object.kind()) == ("networking.k8s.io", "NetworkPolicy");
    if is_policy && !shut(&mut object, &mut changes) {
        return Fate::LeftOut(POLICY);
    }
    match (object.group(), object.kind()) {
        ("batch", "CronJob") => suspend(&mut object, &mut changes),
        ("", "Service") => enclose(&mut object, &mut changes),
        ("", "PersistentVolumeClaim") => pods::claim(object.at_mut("/spec"), &mut changes),
        _ => {}
    }
    match pods::isolate(&mut object, &mut changes) {
        Some(reason) => Fate::Refused(reason),
        None => Fate::Restored(object, changes),
    }
}

/// Whether `asked` means the object: its kind, `KIND.GROUP` or `KIND/NAME`, in any case.
fn is_asked(object: &Object, asked: &str) -> bool {
    let (kind, group, name) = (object.kind(), object.group(), object.name());
    let forms = [kind.to_owned(), format!("{kind}.{group}"), format!("{kind}/{name}")];
    forms.iter().any(|form| form.eq_ignore_ascii_case(asked))
}

fn is_installed(object: &Object) -> bool {
    let hook = object.annotation("helm.sh/hook");
    let is_of_install = |event: &str| INSTALL_HOOKS.contains(&event.trim());
    hook.is_none_or(|events| events.split(',').any(is_of_install))
}

fn outside(object: &Object) -> Option<&'static str> {
    let (group, kind) = (object.group(), object.kind());
    let is = |(of, kinds, _): &&(&str, &[&str], &str)| {
        let same = if of.starts_with('.') { group.ends_with(of) } else { group == *of };
        same && (kinds.is_empty() || kinds.contains(&kind))
    };
    OUTSIDE.iter().find(is).map(|(.., reason)| *reason)
}

fn suspend(job: &mut Object, changes: &mut Vec<&'static str>) {
    let Some(spec) = job.at_mut("/spec").and_then(Value::as_object_mut) else { return };
    if spec.insert("suspend".to_owned(), true.into()) != Some(true.into()) {
        changes.push("suspended");
    }
}

/// Fields of a Service by which something outside of the cluster reaches it, or that are another
/// Service's already.
const REACHED: [&str; 8] = [
    "allocateLoadBalancerNodePorts",
    "clusterIPs",
    "externalIPs",
    "externalTrafficPolicy",
    "healthCheckNodePort",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
];

/// Prefix of the annotations by which external-dns publishes names, of headless Services as well.
const EXTERNAL_DNS: &str = "external-dns.alpha.kubernetes.io/";

fn enclose(service: &mut Object, changes: &mut Vec<&'static str>) {
    let annotations = service.at_mut("/metadata/annotations").and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        let before = annotations.len();
        annotations.retain(|key, _| !key.starts_with(EXTERNAL_DNS));
        if annotations.len() != before {
            changes.push("names are not published");
        }
    }
    let Some(spec) = service.at_mut("/spec").and_then(Value::as_object_mut) else { return };
    let is_exposed =
        matches!(spec.get("type").and_then(Value::as_str), Some("LoadBalancer" | "NodePort"))
            || spec.contains_key("externalIPs");
    if is_exposed {
        spec.insert("type".to_owned(), "ClusterIP".into());
        changes.push("reached from within the cluster only");
    }
    if spec.get("clusterIP").and_then(Value::as_str) != Some("None") {
        spec.remove("clusterIP");
    }
    spec.retain(|field, _| !REACHED.contains(&&**field));
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        port.remove("nodePort");
    }
}

/// Takes what lets pods out from a NetworkPolicy, as policies add up; `false` if nothing is left.
fn shut(policy: &mut Object, changes: &mut Vec<&'static str>) -> bool {
    let Some(spec) = policy.at_mut("/spec").and_then(Value::as_object_mut) else { return true };
    let had_rules = spec.remove("egress").is_some();
    let types = spec.get_mut("policyTypes").and_then(Value::as_array_mut);
    // Without types, a policy is about ingress, and about egress where it has rules of it.
    let left = types.is_none_or(|types| {
        types.retain(|of| of != "Egress");
        !types.is_empty()
    });
    if had_rules && left {
        changes.push("where pods may go is what the drill says");
    }
    left
}

#[cfg(test)]
#[path = "isolate_tests.rs"]
mod tests;
