//! Whether workloads run what they are meant to run, as `kubectl rollout status` tells it
//! (kubectl, `pkg/polymorphichelpers/rollout_status.go`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{App, Object, ObjectId, Snapshot, kinds};

/// A workload whose newest revision does not run everywhere yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    /// The workload.
    pub object: ObjectId,
    /// What it waits for, in a few words.
    pub reason: String,
    /// Whether its controller has given up: waiting does not help.
    pub stuck: bool,
}

/// The workloads of `app` that are not rolled out in the snapshot that it was made of. Kinds that
/// have no rollout (`CronJob`, `Job`, `Pod`, custom resources) are always settled.
pub fn unsettled(snapshot: &Snapshot, app: &App) -> Vec<Unsettled> {
    let ours: BTreeSet<ObjectId> = app.objects.iter().map(Object::id).collect();
    let here = |object: &&Object| object.namespace().is_none_or(|of| of == snapshot.namespace);
    let objects = snapshot.objects.iter().filter(here).filter_map(|object| {
        let id = ObjectId { namespace: None, ..object.id() };
        ours.contains(&id).then_some((id, object))
    });
    objects
        .filter_map(|(id, object)| {
            let (reason, stuck) = waits_for(object)?;
            Some(Unsettled { object: id, reason, stuck })
        })
        .collect()
}

fn waits_for(object: &Object) -> Option<(String, bool)> {
    let rollout: fn(&Object) -> Option<(String, bool)> = match () {
        () if kinds::is(object, kinds::DEPLOYMENT) => deployment,
        () if kinds::is(object, kinds::STATEFUL_SET) => stateful_set,
        () if kinds::is(object, kinds::DAEMON_SET) => daemon_set,
        () => return None,
    };
    let seen = number(object, "/status/observedGeneration");
    if seen < number(object, "/metadata/generation") {
        return Some(("its controller to see the change".to_owned(), false));
    }
    rollout(object)
}

/// A number of the object; fields that are not there are 0, as in Go.
fn number(object: &Object, pointer: &str) -> i64 {
    object.at(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// Replicas that are wanted: 1 where nothing is said.
fn wanted(object: &Object) -> i64 {
    object.at("/spec/replicas").and_then(Value::as_i64).unwrap_or(1)
}

fn waiting(reason: String) -> Option<(String, bool)> {
    Some((reason, false))
}

fn deployment(object: &Object) -> Option<(String, bool)> {
    let status = |field: &str| number(object, &format!("/status/{field}"));
    let conditions = object.at("/status/conditions").and_then(Value::as_array);
    let is = |of: &Value, key: &str, value: &str| of.get(key).is_some_and(|is| is == value);
    let given_up = conditions
        .into_iter()
        .flatten()
        .any(|of| is(of, "type", "Progressing") && is(of, "reason", "ProgressDeadlineExceeded"));
    let (updated, wanted) = (status("updatedReplicas"), wanted(object));
    let reason = if updated < wanted {
        format!("{updated} of {wanted} new replicas to be made")
    } else if status("replicas") > updated {
        format!("{} old replicas to end", status("replicas") - updated)
    } else if status("availableReplicas") < updated {
        format!("{} of {updated} new replicas to be available", status("availableReplicas"))
    } else {
        return None;
    };
    Some((
        if given_up { format!("{reason}, over its progress deadline") } else { reason },
        given_up,
    ))
}

fn stateful_set(object: &Object) -> Option<(String, bool)> {
    if object.text("/spec/updateStrategy/type") == Some("OnDelete") {
        return None;
    }
    let status = |field: &str| number(object, &format!("/status/{field}"));
    let wanted = wanted(object);
    if status("readyReplicas") < wanted {
        return waiting(format!("{} of {wanted} pods to be ready", status("readyReplicas")));
    }
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition");
    let updated = status("updatedReplicas");
    if partition > 0 {
        let wanted = (wanted - partition).max(0);
        return if updated < wanted {
            waiting(format!("{updated} of {wanted} pods to be updated"))
        } else {
            None
        };
    }
    let revision = |field: &str| object.text(&format!("/status/{field}")).unwrap_or_default();
    if revision("updateRevision") != revision("currentRevision") {
        return waiting(format!("{updated} of {wanted} pods to be updated"));
    }
    None
}

fn daemon_set(object: &Object) -> Option<(String, bool)> {
    if object.text("/spec/updateStrategy/type") == Some("OnDelete") {
        return None;
    }
    let status = |field: &str| number(object, &format!("/status/{field}"));
    let wanted = status("desiredNumberScheduled");
    let (updated, available) = (status("updatedNumberScheduled"), status("numberAvailable"));
    if updated < wanted {
        return waiting(format!("{updated} of {wanted} pods to be updated"));
    }
    if available < wanted {
        return waiting(format!("{available} of {wanted} pods to be available"));
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(kind: &str, spec: &Value, status: &Value) -> Option<(String, bool)> {
        let object = json!({"apiVersion": "apps/v1", "kind": kind,
            "metadata": {"name": "x", "generation": 2}, "spec": spec, "status": status});
        waits_for(&Object::new(object).unwrap())
    }

    /// Spec, status, and what is waited for.
    #[test]
    fn deployments() {
        let spec = json!({"replicas": 2});
        let done = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2,
            "availableReplicas": 2});
        assert_eq!(of("Deployment", &spec, &done), None);
        assert_eq!(
            of("Deployment", &json!({"replicas": 0}), &json!({"observedGeneration": 2})),
            None
        );
        for (field, value, expected) in [
            ("observedGeneration", 1, "its controller to see the change"),
            ("updatedReplicas", 1, "1 of 2 new replicas to be made"),
            ("replicas", 3, "1 old replicas to end"),
            ("availableReplicas", 1, "1 of 2 new replicas to be available"),
        ] {
            let mut status = done.clone();
            status[field] = value.into();
            assert_eq!(of("Deployment", &spec, &status), waiting(expected.to_owned()), "{field}");
        }
        let mut stuck = done.clone();
        stuck["availableReplicas"] = 0.into();
        stuck["conditions"] =
            json!([{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]);
        assert!(of("Deployment", &spec, &stuck).unwrap().1);
        // Long done, whatever a condition of an older rollout says.
        stuck["availableReplicas"] = 2.into();
        assert_eq!(of("Deployment", &spec, &stuck), None);
    }

    #[test]
    fn stateful_sets() {
        let status = |ready: u32, updated: u32, current: &str| {
            json!({"observedGeneration": 2, "readyReplicas": ready, "updatedReplicas": updated,
                "currentRevision": current, "updateRevision": "b"})
        };
        let set =
            |spec: Value, status: &Value| of("StatefulSet", &spec, status).map(|(text, _)| text);
        assert_eq!(set(json!({"replicas": 2}), &status(2, 2, "b")), None);
        assert_eq!(
            set(json!({"replicas": 2}), &status(1, 2, "b")),
            Some("1 of 2 pods to be ready".into())
        );
        assert_eq!(
            set(json!({"replicas": 2}), &status(2, 1, "a")),
            Some("1 of 2 pods to be updated".into())
        );
        let partition =
            json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}});
        assert_eq!(set(partition.clone(), &status(3, 1, "a")), None);
        assert_eq!(set(partition, &status(3, 0, "a")), Some("0 of 1 pods to be updated".into()));
        let manual = json!({"replicas": 2, "updateStrategy": {"type": "OnDelete"}});
        assert_eq!(set(manual, &status(0, 0, "a")), None);
    }

    #[test]
    fn daemon_sets() {
        let status = |updated: u32, available: u32| {
            json!({"observedGeneration": 2, "desiredNumberScheduled": 2,
                "updatedNumberScheduled": updated, "numberAvailable": available})
        };
        let set = |status: &Value| of("DaemonSet", &json!({}), status).map(|(text, _)| text);
        assert_eq!(set(&status(2, 2)), None);
        assert_eq!(set(&status(1, 2)), Some("1 of 2 pods to be updated".into()));
        assert_eq!(set(&status(2, 1)), Some("1 of 2 pods to be available".into()));
    }
}
