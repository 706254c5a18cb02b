//! Whether what was restored runs, and why not. Pure.

use serde_json::Value;

use crate::app::Object;

/// Longest piece of what the cluster says that is passed on, in characters.
const MAX_SAID: usize = 200;

/// How an object stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// As it should.
    Yes,
    /// Not yet.
    NotYet,
    /// It never will.
    Never,
}

/// How a live object stands; `None` for kinds that nothing runs of.
pub(super) fn ready(object: &Object) -> Option<Ready> {
    let number = |pointer: &str| object.at(pointer).and_then(Value::as_i64).unwrap_or_default();
    let seen = number("/status/observedGeneration") >= number("/metadata/generation");
    let wanted = object.at("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let counted = match (object.group(), object.kind()) {
        ("apps", "Deployment" | "StatefulSet") => {
            let updated = wanted == 0 || number("/status/updatedReplicas") >= wanted;
            seen && updated && number("/status/readyReplicas") >= wanted
        }
        ("apps", "ReplicaSet") => seen && number("/status/readyReplicas") >= wanted,
        ("apps", "DaemonSet") => {
            let wanted = number("/status/desiredNumberScheduled");
            seen && number("/status/numberReady") >= wanted
        }
        ("batch", "Job") if object.at("/spec/suspend") == Some(&Value::Bool(true)) => return None,
        ("batch", "Job") if holds(object, "Failed") => return Some(Ready::Never),
        ("batch", "Job") => holds(object, "Complete"),
        ("", "Pod") => match object.text("/status/phase") {
            Some("Failed") => return Some(Ready::Never),
            Some("Succeeded") => true,
            _ => holds(object, "Ready"),
        },
        _ => return None,
    };
    Some(if counted { Ready::Yes } else { Ready::NotYet })
}

fn holds(object: &Object, condition: &str) -> bool {
    let conditions = object.at("/status/conditions").and_then(Value::as_array);
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    conditions.into_iter().flatten().any(|of| {
        text(of, "type").as_deref() == Some(condition)
            && text(of, "status").as_deref() == Some("True")
    })
}

/// What the cluster says of why an object does not run: its own conditions, else those of its pods.
pub(super) fn why(object: &Object, pods: &[Object]) -> Option<String> {
    let conditions = object.at("/status/conditions").and_then(Value::as_array);
    let says = |of: &&Value| {
        let state =
            (of.get("type").and_then(Value::as_str), of.get("status").and_then(Value::as_str));
        matches!(state, (Some("ReplicaFailure" | "Failed"), Some("True")))
            || state == (Some("Progressing"), Some("False"))
    };
    let own = conditions.into_iter().flatten().find(says);
    let own = own.and_then(|of| of.get("message")?.as_str()).map(str::to_owned);
    let said = own.or_else(|| pods.iter().filter(|pod| is_of(pod, object)).find_map(pod_says))?;
    Some(said.chars().take(MAX_SAID).collect())
}

/// Whether a pod is one of those that an object selects, or is the object.
fn is_of(pod: &Object, object: &Object) -> bool {
    if object.kind() == "Pod" {
        return pod.name() == object.name();
    }
    let labels = object.at("/spec/selector/matchLabels").and_then(Value::as_object);
    labels.is_some_and(|labels| labels.iter().all(|(key, value)| pod.label(key) == value.as_str()))
}

/// The first thing that keeps a pod from being ready.
fn pod_says(pod: &Object) -> Option<String> {
    let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let statuses = lists.iter().filter_map(|list| pod.at(list)?.as_array()).flatten();
    let said = statuses.filter(|status| status.get("ready") != Some(&Value::Bool(true)));
    let mut said = said.filter_map(|status| {
        let of = |pointer: &str| status.pointer(pointer).and_then(Value::as_str);
        let reason = of("/state/waiting/reason").or_else(|| of("/state/terminated/reason"));
        let runs = status.pointer("/state/running").map(|_| "it runs, and is not ready");
        let reason = reason.or(runs)?;
        Some(format!("{}: {reason}", of("/name").unwrap_or_default()))
    });
    let unscheduled = || {
        let conditions = pod.at("/status/conditions")?.as_array()?;
        let of = conditions.iter().find(|of| of.get("type") == Some(&"PodScheduled".into()))?;
        Some(of.get("message")?.as_str()?.to_owned())
    };
    let said = said.find(|said| !said.ends_with(": Completed")).or_else(unscheduled)?;
    Some(format!("pod {}: {said}", pod.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state(api_version: &str, kind: &str, more: &Value) -> Option<Ready> {
        let mut value = json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"name": "a", "generation": 2}});
        for (key, part) in more.as_object().unwrap() {
            value[key] = part.clone();
        }
        ready(&Object::new(value).unwrap())
    }

    #[test]
    fn a_status_of_an_earlier_generation_does_not_count() {
        let status = |generation: i64, ready: i64| {
            json!({"spec": {"replicas": 2}, "status": {"observedGeneration": generation,
                "updatedReplicas": ready, "readyReplicas": ready}})
        };
        assert_eq!(state("apps/v1", "Deployment", &status(2, 2)), Some(Ready::Yes));
        assert_eq!(state("apps/v1", "Deployment", &status(1, 2)), Some(Ready::NotYet));
        assert_eq!(state("apps/v1", "StatefulSet", &status(2, 1)), Some(Ready::NotYet));
        assert_eq!(state("apps/v1", "Deployment", &json!({})), Some(Ready::NotYet));
    }

    #[test]
    fn a_job_that_failed_never_will() {
        let status = |of: &str| json!({"status": {"conditions": [{"type": of, "status": "True"}]}});
        assert_eq!(state("batch/v1", "Job", &status("Complete")), Some(Ready::Yes));
        assert_eq!(state("batch/v1", "Job", &status("Failed")), Some(Ready::Never));
        assert_eq!(state("v1", "ConfigMap", &json!({})), None);
    }

    #[test]
    fn a_pod_says_why_its_owner_is_not_ready() {
        let object = |value| Object::new(value).unwrap();
        let web = object(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}}}));
        let pod = |app: &str, status: Value| {
            object(json!({"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": format!("{app}-1"), "labels": {"app": app}}, "status": status}))
        };
        let waits = |reason: &str| {
            json!({"containerStatuses": [
                {"name": "sidecar", "ready": true, "state": {"running": {}}},
                {"name": "main", "ready": false, "state": {"waiting": {"reason": reason}}}]})
        };
        let pods = [pod("api", waits("CrashLoopBackOff")), pod("web", waits("ErrImagePull"))];
        assert_eq!(why(&web, &pods).as_deref(), Some("pod web-1: main: ErrImagePull"));
        assert_eq!(why(&web, &pods[..1]), None);
        let message = "0/1 nodes are available";
        let unscheduled = json!({"conditions": [
            {"type": "PodScheduled", "status": "False", "message": message}]});
        let said = why(&web, &[pod("web", unscheduled)]);
        assert_eq!(said, Some(format!("pod web-1: {message}")));
    }
}
