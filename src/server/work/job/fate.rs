//! What became of an attempt, as its Job and its pods say it.

use std::time::Duration;

use super::note;
use crate::cluster::jobs::{Job, JobEnd, JobPod, Terminated};
use crate::error::Exit;
use crate::server::work::Failure;

/// Why a Job failed that took longer than it may, in Kubernetes' words.
const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";

/// How a container ended that took more memory than it may.
const OOM_KILLED: &str = "OOMKilled";

/// Exit codes from here on are signals: nobody knows of what use another end would have been.
const SIGNALS: i64 = 128;

/// What became of an attempt.
#[derive(Debug)]
pub(super) enum Fate {
    /// It has not ended. Why it does not run, if it does not.
    Runs(Option<String>),
    /// It ended well; `before`: what it was to do, an earlier attempt had done.
    Done { before: bool },
    /// It failed, and would fail again.
    Failed(Failure),
    /// It was ended from outside, or nobody knows how.
    Lost(String),
}

/// Reads it from the Job, `None` if there is none, and its pods. `longest` is how long it may take.
pub(super) fn fate(job: Option<&Job>, pods: &[JobPod], longest: Duration) -> Fate {
    let Some(job) = job else { return Fate::Lost("its Job was deleted".to_owned()) };
    match &job.end {
        None if job.is_terminating => Fate::Runs(Some("its Job is being deleted".to_owned())),
        None => Fate::Runs(waits(job, pods)),
        Some(JobEnd::Complete) => Fate::Done { before: pods.iter().any(was_before) },
        Some(JobEnd::Failed { reason, .. }) if reason == DEADLINE_EXCEEDED => {
            Fate::Failed(Failure::too_long(longest))
        }
        Some(JobEnd::Failed { message, .. }) => failed(pods, message),
    }
}

/// Why the Job does not run yet; `None` if it does.
fn waits(job: &Job, pods: &[JobPod]) -> Option<String> {
    if job.is_suspended {
        return Some("its Job waits until a queue lets it in".to_owned());
    }
    let Some(pod) = pods.last() else {
        return Some("its Job has no pod yet; Events of the Job say why if it stays so".to_owned());
    };
    if pod.phase != "Pending" {
        return None;
    }
    Some(match (&pod.unscheduled, &pod.waiting) {
        (Some(why), _) => format!("no node has its pod yet: {why}"),
        (None, Some((reason, why))) if why.is_empty() => format!("its pod does not run: {reason}"),
        (None, Some((reason, why))) => format!("its pod does not run: {reason}: {why}"),
        (None, None) => "its pod is about to run".to_owned(),
    })
}

fn was_before(pod: &JobPod) -> bool {
    pod.terminated.as_ref().is_some_and(|ended| note::was_before(&ended.message))
}

fn failed(pods: &[JobPod], message: &str) -> Fate {
    let Some(pod) = pods.iter().find(|pod| pod.terminated.is_some()).or(pods.last()) else {
        return Fate::Lost(format!("its pod is gone: {message}"));
    };
    if let Some(why) = &pod.disrupted {
        return Fate::Lost(format!("its pod was ended: {why}"));
    }
    if !pod.reason.is_empty() {
        return Fate::Lost(format!("its pod was ended: {}", pod.reason));
    }
    let Some(Terminated { exit_code, reason, message }) = &pod.terminated else {
        return Fate::Lost("its pod ended without an end of its program".to_owned());
    };
    if reason == OOM_KILLED {
        return Fate::Lost("it took more memory than its container may".to_owned());
    }
    let exit = u8::try_from(*exit_code).ok().and_then(Exit::of);
    match exit {
        None if *exit_code >= SIGNALS => {
            Fate::Lost(format!("signal {} ended it", exit_code - SIGNALS))
        }
        Some(Exit::Interrupted) => Fate::Lost("it was told to end".to_owned()),
        exit => Fate::Failed(note::failure(message, *exit_code, exit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(end: Option<JobEnd>) -> Job {
        Job { end, ..Job::default() }
    }

    fn ended(reason: &str) -> Job {
        job(Some(JobEnd::Failed { reason: reason.into(), message: "backoff".into() }))
    }

    fn pod(exit_code: i64, reason: &str, message: &str) -> JobPod {
        let (reason, message) = (reason.into(), message.into());
        let terminated = Some(Terminated { exit_code, reason, message });
        JobPod { phase: "Failed".into(), terminated, ..JobPod::default() }
    }

    fn of(job: &Job, pods: &[JobPod]) -> String {
        match fate(Some(job), pods, Duration::from_secs(60)) {
            Fate::Runs(why) => format!("runs: {}", why.unwrap_or_default()),
            Fate::Done { before } => format!("done {before}"),
            Fate::Failed(it) => format!("{} ({}): {}", it.reason, it.exit as u8, it.message),
            Fate::Lost(why) => format!("lost: {why}"),
        }
    }

    #[test]
    fn what_has_not_ended_says_what_it_waits_for() {
        let phase = |phase: &str| JobPod { phase: phase.into(), ..JobPod::default() };
        let waiting = |reason: &str, why: &str| JobPod {
            waiting: Some((reason.into(), why.into())),
            ..phase("Pending")
        };
        let unscheduled = JobPod { unscheduled: Some("no memory".into()), ..phase("Pending") };
        let cases = [
            (vec![], "runs: its Job has no pod yet; Events of the Job say why if it stays so"),
            (vec![unscheduled], "runs: no node has its pod yet: no memory"),
            (vec![waiting("ErrImagePull", "404")], "runs: its pod does not run: ErrImagePull: 404"),
            (
                vec![waiting("ContainerCreating", "")],
                "runs: its pod does not run: ContainerCreating",
            ),
            (vec![phase("Pending")], "runs: its pod is about to run"),
            (vec![phase("Running")], "runs: "),
            (vec![phase("Succeeded")], "runs: "),
        ];
        for (pods, expected) in cases {
            assert_eq!(of(&job(None), &pods), expected);
        }
        let suspended = Job { is_suspended: true, ..job(None) };
        assert_eq!(of(&suspended, &[]), "runs: its Job waits until a queue lets it in");
        let going = Job { is_terminating: true, ..job(None) };
        assert_eq!(of(&going, &[]), "runs: its Job is being deleted");
    }

    #[test]
    fn what_was_ended_from_outside_is_begun_again_and_nothing_else() {
        let failed = ended("BackoffLimitExceeded");
        let evicted = JobPod { reason: "Evicted".into(), ..pod(137, "Error", "") };
        let drained = JobPod { disrupted: Some("a drain".into()), ..pod(130, "Error", "") };
        let headless = JobPod { phase: "Failed".into(), ..JobPod::default() };
        let cases = [
            (vec![], "lost: its pod is gone: backoff"),
            (vec![evicted], "lost: its pod was ended: Evicted"),
            (vec![drained], "lost: its pod was ended: a drain"),
            (vec![headless], "lost: its pod ended without an end of its program"),
            (vec![pod(137, OOM_KILLED, "")], "lost: it took more memory than its container may"),
            (vec![pod(139, "Error", "")], "lost: signal 11 ended it"),
            (vec![pod(130, "Error", "")], "lost: it was told to end"),
            (
                vec![pod(6, "Error", "")],
                "Destination (6): its worker ended with exit code 6 and left no word",
            ),
            (vec![pod(101, "Error", "panicked")], "Failed (1): panicked"),
        ];
        for (pods, expected) in cases {
            assert_eq!(of(&failed, &pods), expected);
        }
        assert!(matches!(fate(None, &[], Duration::ZERO), Fate::Lost(_)));
        let late = of(&ended(DEADLINE_EXCEEDED), &[pod(137, "Error", "")]);
        assert_eq!(late, "DeadlineExceeded (1): it ran for 60 s and had not ended");
    }

    #[test]
    fn what_ended_well_says_whether_it_was_done_before() {
        let complete = job(Some(JobEnd::Complete));
        assert_eq!(of(&complete, &[pod(0, "Completed", "")]), "done false");
        let before = r#"{"reason":"FinishedBeforeCrash"}"#;
        assert_eq!(of(&complete, &[pod(0, "Completed", before)]), "done true");
    }
}
