//! What admission, the scheduler and injectors put into pods. None of it is in templates, and so
//! none of it in what most applications are exported by.

use serde_json::{Map, Value};

use super::claims::Claims;
use crate::app::path::{self, Path};
use crate::app::{Code, Finding, Object};

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

/// Volumes by which clouds give a pod its identity, and the variables that come with them.
const IDENTITIES: [(&str, &[&str]); 2] = [
    (
        "aws-iam-token",
        &[
            "AWS_DEFAULT_REGION",
            "AWS_REGION",
            "AWS_ROLE_ARN",
            "AWS_STS_REGIONAL_ENDPOINTS",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ],
    ),
    (
        "azure-identity-token",
        &[
            "AZURE_AUTHORITY_HOST",
            "AZURE_CLIENT_ID",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_TENANT_ID",
        ],
    ),
];

/// Takes it out of a pod that nothing made from a template.
pub(super) fn undo(object: &mut Object, claims: &Claims, findings: &mut Vec<Finding>) {
    injected(object, findings);
    let fields = object.fields_mut();
    identities(fields, claims);
    admitted(fields, claims);
    requests(fields, claims);
    host_ports(fields, claims);
}

/// What admission and the scheduler filled in.
fn admitted(fields: &mut Map<String, Value>, claims: &Claims) {
    for field in FILLED_IN {
        path::remove_if(fields, &format!("spec.{field}"), |root, path, _| !claims.set(root, path));
    }
    tolerations(fields, claims);
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

/// Tolerations that every pod gets, but for those whose own tolerate the same already.
fn tolerations(fields: &mut Map<String, Value>, claims: &Claims) {
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    for key in TOLERATED {
        let tolerates = |of: &Value| {
            ["", key].contains(&text(of, "key").as_str())
                && ["", "NoExecute"].contains(&text(of, "effect").as_str())
        };
        let all = path::find(fields, "spec.tolerations[]").into_iter();
        if all.filter(|(_, of)| tolerates(of)).count() > 1 {
            continue;
        }
        path::remove_if(fields, "spec.tolerations[]", |root, path, of| {
            text(of, "key") == key
                && text(of, "operator") == "Exists"
                && text(of, "effect") == "NoExecute"
                && of.get("tolerationSeconds") == Some(&Value::from(300))
                && !claims.wrote(root, path)
        });
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
    let at = "spec.containers|initContainers[]";
    let mut names = Vec::new();
    for (path, container) in path::find(object.fields(), at) {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        if is_injected(object, name) {
            let text = format!("container `{name}` was injected and is not exported");
            findings.push(Finding::new(Code::InjectedContainer, text).field(path.to_string()));
            names.push(name.to_owned());
        }
    }
    path::remove_if(object.fields_mut(), at, |_, _, container| {
        container
            .get("name")
            .and_then(Value::as_str)
            .is_some_and(|of| names.iter().any(|n| n == of))
    });
}

/// Whether an injector that we know put the container into the pod.
pub(in crate::app) fn is_injected(pod: &Object, container: &str) -> bool {
    INJECTORS.iter().any(|(annotation, names)| {
        names.contains(&container) && pod.annotation(annotation).is_some()
    })
}

/// The identity at a cloud, which the annotation of the service account brings back.
fn identities(fields: &mut Map<String, Value>, claims: &Claims) {
    let containers = "spec.containers|initContainers[]";
    for (name, variables) in IDENTITIES {
        let named = |value: &Value, name: &str| value.get("name").is_some_and(|of| of == name);
        let volumes = path::find(fields, "spec.volumes[]").into_iter();
        let mut ours = volumes.filter(|(_, volume)| named(volume, name));
        if !ours.any(|(path, _)| !claims.set(fields, &path)) {
            continue;
        }
        path::remove_if(fields, "spec.volumes[]", |_, _, volume| named(volume, name));
        let mounts = format!("{containers}.volumeMounts[]");
        path::remove_if(fields, &mounts, |_, _, mount| named(mount, name));
        path::remove_if(fields, &format!("{containers}.env[]"), |root, path, variable| {
            variables.iter().any(|of| named(variable, of)) && !claims.set(root, path)
        });
        for at in [format!("{containers}.env"), format!("{containers}.volumeMounts")] {
            path::remove_if(fields, &at, |_, _, list| list.as_array().is_some_and(Vec::is_empty));
        }
    }
}

/// On the network of the host, ports of pods are ports of the host as well.
fn host_ports(fields: &mut Map<String, Value>, claims: &Claims) {
    if path::find(fields, "spec.hostNetwork").first().is_none_or(|(_, on)| **on != true) {
        return;
    }
    let ports = path::find(fields, "spec.containers|initContainers[].ports[]").into_iter();
    let same = ports.filter(|(_, port)| port.get("hostPort") == port.get("containerPort"));
    let doomed: Vec<Path> = same.map(|(path, _)| path.key("hostPort")).collect();
    for port in doomed.iter().filter(|path| !claims.wrote(fields, path)).collect::<Vec<_>>() {
        port.remove(fields);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn undone(spec: &Value) -> Value {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "uid": "1"},
            "spec": spec});
        let mut pod = Object::new(pod).unwrap();
        let claims = Claims::read(&pod, None);
        undo(&mut pod, &claims, &mut Vec::new());
        pod.at("/spec").cloned().unwrap()
    }

    #[test]
    fn identities_at_clouds_are_given_again() {
        let mount = json!({"name": "aws-iam-token", "mountPath": "/var/run/secrets/eks"});
        let spec = json!({"containers": [{"name": "a", "volumeMounts": [mount], "env": [
                {"name": "AWS_ROLE_ARN", "value": "arn"}, {"name": "MINE", "value": "x"}]}],
            "volumes": [{"name": "aws-iam-token", "projected": {"sources": []}}]});
        let left = json!({"containers": [{"name": "a", "env": [{"name": "MINE", "value": "x"}]}]});
        assert_eq!(undone(&spec), left);
        // Without the volume somebody gave the variable by hand.
        let by_hand = json!({"containers": [{"env": [{"name": "AWS_ROLE_ARN", "value": "arn"}]}]});
        assert_eq!(undone(&by_hand), by_hand);
    }

    /// Admission gives none to a pod that tolerates the taint in another way.
    #[test]
    fn a_toleration_that_would_not_be_given_again_stays() {
        let given = json!({"key": TOLERATED[1], "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300});
        let any = json!({"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60});
        let both = json!({"containers": [], "tolerations": [any, given]});
        assert_eq!(undone(&both), both);
        let other = json!({"operator": "Exists", "effect": "NoSchedule"});
        let apart = json!({"containers": [], "tolerations": [other, given]});
        assert_eq!(undone(&apart), json!({"containers": [], "tolerations": [other]}));
    }

    #[test]
    fn ports_of_the_host_follow_from_its_network() {
        let ports =
            json!([{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 82}]);
        let spec =
            |network: bool| json!({"hostNetwork": network, "containers": [{"ports": ports}]});
        let left = json!([{"containerPort": 80}, {"containerPort": 81, "hostPort": 82}]);
        assert_eq!(undone(&spec(true))["containers"][0]["ports"], left);
        assert_eq!(undone(&spec(false)), spec(false));
    }
}
