//! What Jobs and their pods say of themselves.

use serde_json::Value;

/// What is known of a Job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// What tells it from a later one of its name.
    pub uid: String,
    /// The value of the label that was asked for.
    pub label: Option<String>,
    /// Whether it is being removed.
    pub is_terminating: bool,
    /// Whether nothing may be started for it yet: a queue for Jobs has not let it in.
    pub is_suspended: bool,
    /// How long it may take, in seconds, from when it may begin.
    pub deadline: Option<u64>,
    /// How it ended, if it has.
    pub end: Option<JobEnd>,
}

/// How a Job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Its pod ended well.
    Complete,
    /// It did not.
    Failed {
        /// In a word, such as `DeadlineExceeded`.
        reason: String,
        /// In a sentence.
        message: String,
    },
}

/// What is known of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobPod {
    /// `Pending`, `Running`, `Succeeded`, `Failed`.
    pub phase: String,
    /// Why the pod itself was ended, in a word, such as `Evicted`; else empty.
    pub reason: String,
    /// Why it was ended by something else than its program: an eviction, a node that went away.
    pub disrupted: Option<String>,
    /// Why no node has it yet.
    pub unscheduled: Option<String>,
    /// Why its container does not run yet, in a word and in a sentence.
    pub waiting: Option<(String, String)>,
    /// How its container ended, if it has.
    pub terminated: Option<Terminated>,
}

/// How a container ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terminated {
    /// Its exit code; 128 and more: a signal.
    pub exit_code: i64,
    /// In a word, such as `OOMKilled`.
    pub reason: String,
    /// What it left as its last words.
    pub message: String,
}

impl Job {
    pub(super) fn read(job: &Value, label: &str) -> Self {
        let status = &job["status"];
        let failed = condition(status, "Failed");
        let end = match (condition(status, "Complete"), failed) {
            (Some(_), _) => Some(JobEnd::Complete),
            (None, Some(failed)) => Some(JobEnd::Failed {
                reason: text(&failed["reason"]),
                message: text(&failed["message"]),
            }),
            (None, None) => None,
        };
        Self {
            uid: text(&job["metadata"]["uid"]),
            label: job["metadata"]["labels"][label].as_str().map(str::to_owned),
            is_terminating: job["metadata"]["deletionTimestamp"].is_string(),
            is_suspended: job["spec"]["suspend"] == true,
            deadline: job["spec"]["activeDeadlineSeconds"].as_u64(),
            end,
        }
    }
}

impl JobPod {
    pub(super) fn read(pod: &Value, container: &str) -> Self {
        let status = &pod["status"];
        let containers = status["containerStatuses"].as_array().map(Vec::as_slice);
        let of_it = |it: &&Value| it["name"] == container;
        let state = containers.unwrap_or_default().iter().find(of_it).map(|it| &it["state"]);
        let waiting = state.map(|state| &state["waiting"]).filter(|it| it.is_object());
        let ended = state.map(|state| &state["terminated"]).filter(|it| it.is_object());
        let scheduled = conditions(status).find(|it| it["type"] == "PodScheduled");
        let unscheduled = scheduled.filter(|it| it["status"] == "False");
        Self {
            phase: text(&status["phase"]),
            reason: text(&status["reason"]),
            disrupted: condition(status, "DisruptionTarget").map(|it| text(&it["message"])),
            unscheduled: unscheduled.map(|it| text(&it["message"])),
            waiting: waiting.map(|it| (text(&it["reason"]), text(&it["message"]))),
            terminated: ended.map(|it| Terminated {
                exit_code: it["exitCode"].as_i64().unwrap_or(-1),
                reason: text(&it["reason"]),
                message: text(&it["message"]),
            }),
        }
    }
}

fn conditions(status: &Value) -> impl Iterator<Item = &Value> {
    status["conditions"].as_array().into_iter().flatten()
}

/// The condition of this type, if it holds.
fn condition<'s>(status: &'s Value, kind: &str) -> Option<&'s Value> {
    conditions(status).find(|it| it["type"] == kind && it["status"] == "True")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_has_ended_when_a_condition_says_so() {
        let read = |conditions: Value| {
            let status = json!({"conditions": conditions});
            Job::read(&json!({"metadata": {"uid": "u"}, "status": status}), "l").end
        };
        assert_eq!(read(json!([])), None);
        assert_eq!(read(json!([{"type": "FailureTarget", "status": "True"}])), None);
        assert_eq!(read(json!([{"type": "Failed", "status": "False"}])), None);
        let failed = json!([{"type": "Failed", "status": "True", "reason": "r", "message": "m"}]);
        let end = JobEnd::Failed { reason: "r".into(), message: "m".into() };
        assert_eq!(read(failed), Some(end));
        assert_eq!(read(json!([{"type": "Complete", "status": "True"}])), Some(JobEnd::Complete));
    }

    #[test]
    fn of_a_pod_the_container_that_is_meant_is_looked_at() {
        let state = |name: &str, state: Value| json!({"name": name, "state": state});
        let pod = json!({"status": {
            "phase": "Pending", "reason": "Evicted",
            "conditions": [
                {"type": "PodScheduled", "status": "False", "message": "no node"},
                {"type": "DisruptionTarget", "status": "True", "message": "a taint"},
            ],
            "containerStatuses": [
                state("proxy", json!({"running": {}})),
                state("outhaul", json!({"waiting": {"reason": "ErrImagePull", "message": "no"}})),
            ],
        }});
        let read = JobPod::read(&pod, "outhaul");
        assert_eq!(read.waiting, Some(("ErrImagePull".into(), "no".into())));
        assert_eq!((read.phase.as_str(), read.reason.as_str()), ("Pending", "Evicted"));
        assert_eq!(
            (read.disrupted, read.unscheduled),
            (Some("a taint".into()), Some("no node".into()))
        );
        assert_eq!(JobPod::read(&json!({}), "outhaul"), JobPod::default());
    }
}
