//! What must run in the target cluster beside Kubernetes itself, as annotations and labels say:
//! injectors, meshes, controllers. What a person has switched off is not asked for.

use serde_json::{Map, Value};

use super::Portability;
use super::pods::Pod;
use crate::app::path::Path;
use crate::app::view::View;
use crate::app::{Code, Finding, Object, kinds};

/// A key of annotations or labels, and who acts on it. A key that ends in `/` or `-` means all that
/// begin so.
type Row = (&'static str, &'static str);

/// Of pods, and of namespaces for all pods in them.
const INJECTORS: [Row; 15] = [
    ("admission.datadoghq.com/enabled", "the Datadog admission controller"),
    ("azure.workload.identity/use", "Azure workload identity"),
    ("config.linkerd.io/", "Linkerd"),
    ("consul.hashicorp.com/connect-inject", "Consul"),
    ("dapr.io/enabled", "Dapr"),
    ("instrumentation.opentelemetry.io/inject-", "the OpenTelemetry operator"),
    ("istio-injection", "Istio"),
    ("istio.io/dataplane-mode", "Istio"),
    ("istio.io/rev", "Istio"),
    ("k8s.v1.cni.cncf.io/networks", "Multus and its networks"),
    ("kuma.io/sidecar-injection", "Kuma"),
    ("linkerd.io/inject", "Linkerd"),
    ("sidecar.istio.io/inject", "Istio"),
    ("sidecar.opentelemetry.io/inject", "the OpenTelemetry operator"),
    ("vault.hashicorp.com/agent-inject", "the Vault agent injector"),
];

/// Of objects.
const CONTROLLERS: [Row; 6] = [
    ("configmap.reloader.stakater.com/reload", "Reloader"),
    ("external-dns.alpha.kubernetes.io/", "ExternalDNS"),
    ("kubernetes.io/tls-acme", "cert-manager"),
    ("reflector.v1.k8s.emberstack.com/", "Reflector"),
    ("reloader.stakater.com/", "Reloader"),
    ("secret.reloader.stakater.com/reload", "Reloader"),
];

/// Values that switch off.
const OFF: [&str; 4] = ["", "disabled", "false", "none"];

pub(super) fn check(view: &View<'_>, objects: &[Object], found: &mut Portability) {
    for object in objects {
        let mut seen = Vec::new();
        for field in ["annotations", "labels"] {
            let at = Path::default().key("metadata").key(field);
            let own = object.at(&format!("/metadata/{field}")).and_then(Value::as_object);
            act(object, &at, own, &CONTROLLERS, &mut seen, found);
            if let Some((at, of_pod)) = Pod::of(object).and_then(|pod| pod.metadata(field)) {
                act(object, &at, Some(of_pod), &INJECTORS, &mut seen, found);
            }
        }
        if let Some((path, Value::String(name))) =
            Pod::of(object).and_then(|pod| pod.first("schedulerName"))
        {
            let text = format!("pods of {} wait for the scheduler {name}", object.id());
            say(object, &path, text, found);
        }
        if let Some(class) = object.text("/spec/loadBalancerClass") {
            let text = format!("{} wants load balancers of the class {class}", object.id());
            let path = Path::default().key("spec").key("loadBalancerClass");
            say(object, &path, text, found);
        }
    }
    namespace(view, found);
}

/// Says who acts on a mapping of an object, each of them once.
fn act(
    object: &Object,
    at: &Path,
    map: Option<&Map<String, Value>>,
    rows: &[Row],
    seen: &mut Vec<&'static str>,
    found: &mut Portability,
) {
    for (key, _) in map.into_iter().flatten().filter(|(_, value)| is_on(value)) {
        let Some(actor) = actor(rows, key).filter(|actor| !seen.contains(actor)) else { continue };
        seen.push(actor);
        say(object, &at.key(key), format!("{} relies on {actor}", object.id()), found);
    }
}

fn say(object: &Object, path: &Path, text: String, found: &mut Portability) {
    let remedy = "Install it in the target cluster, or take the field out at the source.";
    let finding = Finding::new(Code::AddonRequired, text).on(object.id());
    found.findings.push(finding.field(path.to_string()).remedy(remedy));
}

/// What the namespace itself asks for, which is no part of the chart.
fn namespace(view: &View<'_>, found: &mut Portability) {
    const NAMESPACE: kinds::Kind = ("", "Namespace");
    let Some(index) = view.named(NAMESPACE, &view.snapshot.namespace) else { return };
    let object = view.entries[index].object;
    let mut seen = Vec::new();
    for field in ["annotations", "labels"] {
        let map = object.at(&format!("/metadata/{field}")).and_then(Value::as_object);
        for (key, value) in map.into_iter().flatten().filter(|(_, value)| is_on(value)) {
            let Some(actor) = actor(&INJECTORS, key).filter(|of| !seen.contains(of)) else {
                continue;
            };
            seen.push(actor);
            let value = value.as_str().unwrap_or_default();
            let text = format!("the namespace has `{key}: {value}`: {actor} changes its pods");
            let remedy = "Install it in the target cluster, and mark the namespace there alike.";
            let finding =
                Finding::new(Code::AddonRequired, text).on(view.entries[index].id.clone());
            let path = Path::default().key("metadata").key(field).key(key);
            found.findings.push(finding.field(path.to_string()).remedy(remedy));
        }
    }
}

fn actor(rows: &[Row], key: &str) -> Option<&'static str> {
    let is = |(known, _): &&Row| {
        *known == key || (known.ends_with(['/', '-']) && key.starts_with(known))
    };
    rows.iter().find(is).map(|(_, actor)| *actor)
}

fn is_on(value: &Value) -> bool {
    value.as_str().is_some_and(|value| !OFF.contains(&value))
}
