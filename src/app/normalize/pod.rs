//! Pods and pod templates: what admission, the scheduler and injectors put into them.

use serde_json::{Map, Value};

use super::claims::Claims;
use crate::app::images::reference;
use crate::app::kinds;
use crate::app::path::{self, Path, Step};
use crate::app::{Code, Finding, Object, ObjectId};

/// Below the `spec` of a pod that was scheduled, and that no person set: not in templates.
const FILLED_IN: [&str; 4] = ["nodeName", "overhead", "priority", "preemptionPolicy"];

/// Keys of the tolerations that admission gives every pod for 300 seconds.
const TOLERATED: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/// Where Kubernetes mounts the token of the service account.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What injectors leave on a pod: annotation, and the containers that come with it.
const INJECTORS: [(&str, &[&str]); 4] = [
    ("linkerd.io/proxy-version", &["linkerd-proxy", "linkerd-init", "linkerd-network-validator"]),
    ("sidecar.istio.io/status", &["istio-proxy", "istio-init", "istio-validation"]),
    ("vault.hashicorp.com/agent-inject-status", &["vault-agent", "vault-agent-init"]),
    (
        "consul.hashicorp.com/connect-inject-status",
        &["consul-dataplane", "consul-connect-inject-init"],
    ),
];

pub(super) fn normalise(
    object: &mut Object,
    template: &str,
    claims: &Claims,
    findings: &mut Vec<Finding>,
) {
    let spec = kinds::below(template, "spec");
    let fields = object.fields_mut();
    account_twin(fields, &spec);
    path::remove(fields, &format!("{spec}.ephemeralContainers"));
    pull_policies(fields, &spec, claims);
    if template.is_empty() && claims.live() {
        injected(object, findings);
        admitted(object.fields_mut(), claims);
        requests(object.fields_mut(), claims);
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; servers write both.
fn account_twin(fields: &mut Map<String, Value>, spec: &str) {
    let found = path::find(fields, spec).into_iter().next().map(|(path, _)| path);
    let Some(Value::Object(spec)) = found.and_then(|path| path.get_mut(fields)) else { return };
    if let Some(old) = spec.shift_remove("serviceAccount") {
        // The default account may just have been removed as one.
        if old != "default" {
            spec.entry("serviceAccountName").or_insert(old);
        }
    }
}

/// `IfNotPresent` is the default of pinned images, which all images of a chart are. `Always` for
/// an image without a tag stays, as it would not come back with a digest.
fn pull_policies(fields: &mut Map<String, Value>, spec: &str, claims: &Claims) {
    if !claims.live() {
        return;
    }
    let at = format!("{spec}.containers|initContainers[].imagePullPolicy");
    path::remove_if(fields, &at, |root, path, policy| {
        let image = beside(root, path, "image");
        let pinned = image.is_some_and(|image| !reference::is_latest(image));
        policy == "IfNotPresent" && pinned && !claims.wrote(root, path)
    });
}

/// The text field next to the one at `path`.
fn beside<'a>(root: &'a Map<String, Value>, path: &Path, field: &str) -> Option<&'a str> {
    let (_, above) = path.0.split_last()?;
    let (Step::Key(first), rest) = above.split_first()? else { return None };
    let above = rest.iter().try_fold(root.get(first)?, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item(index) => value.get(index),
    })?;
    above.get(field)?.as_str()
}

/// What admission and the scheduler filled in.
fn admitted(fields: &mut Map<String, Value>, claims: &Claims) {
    for field in FILLED_IN {
        path::remove_if(fields, &format!("spec.{field}"), |root, path, _| !claims.set(root, path));
    }
    path::remove_if(fields, "spec.tolerations[]", |_, _, toleration| {
        let is = |key: &str, value: &str| toleration.get(key).is_some_and(|of| of == value);
        TOLERATED.iter().any(|key| is("key", key))
            && is("operator", "Exists")
            && is("effect", "NoExecute")
            && toleration.get("tolerationSeconds") == Some(&Value::from(300))
    });
    let is_token = |name: &str| name.starts_with("kube-api-access-") || name.contains("-token-");
    path::remove_if(fields, "spec.containers|initContainers[].volumeMounts[]", |_, _, mount| {
        mount.get("mountPath").is_some_and(|path| path == TOKEN_PATH)
            && mount.get("name").and_then(Value::as_str).is_some_and(is_token)
    });
    path::remove_if(fields, "spec.volumes[]", |_, _, volume| {
        volume.get("name").and_then(Value::as_str).is_some_and(is_token)
            && (volume.get("projected").is_some() || volume.get("secret").is_some())
    });
    let emptied =
        ["spec.tolerations", "spec.volumes", "spec.containers|initContainers[].volumeMounts"];
    for at in emptied {
        path::remove_if(fields, at, |_, _, list| list.as_array().is_some_and(Vec::is_empty));
    }
}

/// Of pods, not of templates, requests are filled in from limits.
fn requests(fields: &mut Map<String, Value>, claims: &Claims) {
    let containers: Vec<Path> = path::find(fields, "spec.containers|initContainers[].resources")
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    for container in containers {
        let limits = container.get_mut(fields).and_then(|of| of.get("limits").cloned());
        for (name, limit) in limits.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let request = container.key("requests").key(name);
            let same = request.get_mut(fields).is_some_and(|request| request == limit);
            if same && !claims.wrote(fields, &request) {
                request.remove(fields);
            }
        }
        let requests = container.key("requests");
        if requests.get_mut(fields).and_then(|of| of.as_object()).is_some_and(Map::is_empty) {
            requests.remove(fields);
        }
    }
}

/// Containers that an injector put into a pod which nothing made from a template.
fn injected(object: &mut Object, findings: &mut Vec<Finding>) {
    for (annotation, names) in INJECTORS {
        if object.annotation(annotation).is_none() {
            continue;
        }
        let is_injected = |container: &Value| {
            container.get("name").and_then(Value::as_str).is_some_and(|name| names.contains(&name))
        };
        let at = "spec.containers|initContainers[]";
        for (path, container) in path::find(object.fields(), at) {
            if is_injected(container) {
                let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
                let text = format!("container `{name}` was injected and is not exported");
                findings.push(Finding::new(Code::InjectedContainer, text).field(path.to_string()));
            }
        }
        path::remove_if(object.fields_mut(), at, |_, _, container| is_injected(container));
    }
}

/// Drops the pull secrets of pods and service accounts: they belong to the old registry.
pub(super) fn drop_pull_secrets(object: &mut Object, dropped: &mut Vec<String>) {
    let at = match kinds::pod_template(object) {
        Some(template) => kinds::below(template, "spec.imagePullSecrets"),
        None if kinds::is(object, kinds::SERVICE_ACCOUNT) => "imagePullSecrets".to_owned(),
        None => return,
    };
    let names = path::find(object.fields(), &format!("{at}[].name"));
    dropped.extend(names.into_iter().filter_map(|(_, name)| name.as_str().map(str::to_owned)));
    path::remove(object.fields_mut(), &at);
}

/// The finding about it.
pub(in crate::app) fn pull_secrets_dropped(id: &ObjectId, names: &[String]) -> Finding {
    let text = format!("{id} pulled images with {}; it is dropped", names.join(", "));
    Finding::new(Code::PullSecretDropped, text)
        .remedy("Give pull secrets for the new registry in `imagePullSecrets`.")
}
