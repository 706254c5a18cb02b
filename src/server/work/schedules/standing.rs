//! How a schedule stands: its conditions, its next times, and what is under way. Pure.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::cluster::record::schedule::{
    ExportSchedule, ExportScheduleStatus, MAX_ACTIVE, NEXT_TIMES,
};
use crate::cluster::record::{ConditionStatus, Export};
use crate::schedule::declared::Invalid;
use crate::schedule::retention::Rules;
use crate::schedule::rules::Plan;
use crate::server::work::conditions;

/// Whether it says what can be, and may.
pub(super) const VALID: &str = "Valid";

/// Whether the last export of every application succeeded.
pub(super) const HEALTHY: &str = "Healthy";

/// Whether what is in the registry is enough to have every application again.
const RESTORABLE: &str = "Restorable";

/// By what a time is before the due time that comes next: these are whole seconds.
const INSTANT: SignedDuration = SignedDuration::from_secs(1);

/// Why a schedule cannot be, in a word and in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// What the schedule says, as the rules take it.
///
/// # Errors
/// What it says that cannot be, or may not where it is.
pub(super) fn read(schedule: &ExportSchedule, system_namespace: &str) -> Result<Plan, Fault> {
    let fault = |reason, message: String| Fault { reason, message };
    let plan = Plan::of(schedule).map_err(|error| match error {
        Invalid::Zone { .. } => fault("UnknownZone", error.to_string()),
        error => fault("InvalidSchedule", error.to_string()),
    })?;
    if let Some(retention) = &schedule.spec.retention {
        Rules::of(retention).map_err(|error| fault("InvalidRetention", error.to_string()))?;
    }
    let template = &schedule.spec.template;
    let reaches =
        template.namespace_selector.is_some() || schedule.target() != schedule.namespace();
    if reaches && schedule.namespace() != system_namespace {
        let words = "a schedule exports applications of its own namespace only, but in the system namespace";
        return Err(fault("OtherNamespace", words.to_owned()));
    }
    Ok(plan)
}

/// Begins to look at the schedule: says since when it says what it says. A change that is seen after
/// a time that was announced, and still is one by `plan`, does not take its run away.
pub(super) fn observe(
    status: &mut ExportScheduleStatus,
    schedule: &ExportSchedule,
    plan: Option<&Plan>,
    now: Timestamp,
) {
    let generation = schedule.metadata.generation;
    if status.observed_generation != generation {
        let is_new = status.observed_generation.is_none();
        let created = schedule.created();
        let before = plan.and_then(|plan| {
            let before = status.next_schedule_times.first()?.checked_sub(INSTANT).ok()?;
            let next = next_times(plan, created.unwrap_or(now), before).into_iter().next()?;
            (status.next_schedule_times.first() == Some(&next) && next <= now).then_some(before)
        });
        status.since = Some(created.filter(|_| is_new).or(before).unwrap_or(now));
        status.observed_generation = generation;
    }
    status.suspended = schedule.spec.suspend;
}

/// When it is due next.
pub(super) fn next_times(plan: &Plan, created: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    if plan.suspended {
        return Vec::new();
    }
    let next = |after: &Timestamp| plan.next(*after, created);
    std::iter::successors(next(&now), next).take(NEXT_TIMES).collect()
}

/// What is under way.
pub(super) fn active(records: &[Arc<Export>], made: &HashSet<String>) -> Vec<String> {
    let open = records.iter().filter(|record| !record.is_terminal());
    let open = open.map(|record| record.name().to_owned());
    let mut active: Vec<String> = open.chain(made.iter().cloned()).collect();
    active.sort();
    active.truncate(MAX_ACTIVE);
    active
}

/// Writes whether it is valid; with what is worth knowing all the same.
pub(super) fn valid(
    status: &mut ExportScheduleStatus,
    fault: Option<&Fault>,
    others: &[String],
    now: Timestamp,
) -> bool {
    let (holds, reason, message) = match fault {
        Some(fault) => (ConditionStatus::False, fault.reason, fault.message.clone()),
        None if others.is_empty() => (ConditionStatus::True, "Valid", String::new()),
        None => {
            let message = format!(
                "{} export the same to the same destination: a version goes only if each lets it go",
                others.join(", ")
            );
            (ConditionStatus::True, "Shared", message)
        }
    };
    conditions::put(&mut status.conditions, VALID, holds, (reason, &message), now)
}

/// Writes whether the last export of every application succeeded.
pub(super) fn healthy(status: &mut ExportScheduleStatus, now: Timestamp) -> bool {
    use ConditionStatus::{False, True, Unknown};
    let failing: Vec<_> = status.apps.iter().filter(|app| app.failures > 0).collect();
    let has_run = |status: &ExportScheduleStatus| {
        let skipped = status.last_skipped.as_ref().map(|skipped| skipped.time);
        status.last_schedule_time.is_some() && status.last_schedule_time != skipped
    };
    let (holds, reason, message) = match failing.first() {
        Some(worst) => {
            let reason = worst.reason.clone().unwrap_or_default();
            let message = format!(
                "{} of {} applications fail: {}/{} for the {}th time",
                failing.len(),
                status.apps.len() + status.more_apps as usize,
                worst.namespace,
                worst.name,
                worst.failures
            );
            (False, reason, message)
        }
        None if !status.apps.is_empty() => (True, "Succeeded".to_owned(), String::new()),
        None if status.active.is_empty() && has_run(status) => {
            (False, "NoApplications".to_owned(), "nothing is selected".to_owned())
        }
        None => (Unknown, "NoRun".to_owned(), "no export has ended yet".to_owned()),
    };
    conditions::put(&mut status.conditions, HEALTHY, holds, (&reason, &message), now)
}

/// Writes whether the registry is enough to have every application again.
pub(super) fn restorable(status: &mut ExportScheduleStatus, now: Timestamp) {
    use ConditionStatus::{False, True, Unknown};
    let lacking = status.apps.iter().find_map(|app| Some((app, app.not_restorable.as_ref()?)));
    let (holds, reason, message) = match lacking {
        Some((app, why)) => (False, "Incomplete", format!("{}/{}: {why}", app.namespace, app.name)),
        None if status.apps.iter().any(|app| app.last_successful_time.is_some()) => {
            (True, "Complete", String::new())
        }
        None => (Unknown, "NoRun", "no export has succeeded yet".to_owned()),
    };
    conditions::put(&mut status.conditions, RESTORABLE, holds, (reason, &message), now);
}

#[cfg(test)]
mod tests;
