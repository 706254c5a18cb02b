//! Counts what became of the records of a schedule, each once: also if a leader dies, and also if the
//! record goes afterwards.
//!
//! Everything that was due until `status.counted` is counted, and of an application in `status.apps`
//! everything until its own `counted`. So the numbers and what they are of are written together. What is
//! of an application that finds no place there is counted when its whole run has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::records::{due, gave_way};
use super::{App, restorable};
use crate::cluster::record::schedule::{
    AppStatus, Attempt, ExportScheduleStatus, MAX_APPS, Skipped,
};
use crate::cluster::record::{Export, Outcome, Phase, SecretsPolicy};

/// After this time every replica has seen a record that was made.
const SEEN: SignedDuration = SignedDuration::from_mins(2);

/// Longest time that an application which fails again and again is left out: a run of every day always
/// has its turn.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(23);

/// How an export of a schedule ended, as metrics have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Unchanged,
    Failed,
    Cancelled,
    Skipped,
}

impl End {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    fn of(export: &Export) -> Self {
        let result = export.status.as_ref().and_then(|status| status.result.as_ref());
        match export.phase() {
            _ if gave_way(export).is_some() && export.phase() == Some(Phase::Cancelled) => {
                Self::Skipped
            }
            Some(Phase::Succeeded) if result.map(|of| of.status) == Some(Outcome::Unchanged) => {
                Self::Unchanged
            }
            Some(Phase::Succeeded) => Self::Succeeded,
            Some(Phase::Cancelled) => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// Counts into `status` what has ended and is not counted yet, and says what that was. `begun`: every
/// record of the runs until now is made. `settle`: what is counted of single applications is to be in
/// that of all, as far as it can be.
pub(super) fn tally<'r>(
    status: &mut ExportScheduleStatus,
    records: &'r [Arc<Export>],
    secrets: SecretsPolicy,
    (begun, settle): (bool, bool),
    now: Timestamp,
) -> Vec<(&'r Export, End)> {
    let mut known: Vec<(Timestamp, &'r Export)> =
        records.iter().filter_map(|record| Some((due(record, now)?, &**record))).collect();
    known.sort_by_key(|(due, record)| (*due, record.name().to_owned()));
    let mut apps: BTreeMap<App, AppStatus> = std::mem::take(&mut status.apps)
        .into_iter()
        .map(|app| (App { namespace: app.namespace.clone(), name: app.name.clone() }, app))
        .collect();
    let before = status.counted;
    let is_needed = settle || is_crowded(&known, &apps, before);
    let whole = whole_until(status, &known, begun, now).filter(|_| is_needed);
    let mut places: BTreeSet<App> = apps.keys().cloned().collect();
    let mut ends = Vec::new();
    let mut open: Vec<App> = Vec::new();
    for (due, record) in known {
        let app = App::of(record);
        let known = apps.get(&app);
        if before.is_some_and(|until| due <= until)
            || known.and_then(|app| app.counted).is_some_and(|until| due <= until)
        {
            continue;
        }
        let is_whole = whole.is_some_and(|until| due <= until);
        let has_place = places.contains(&app) || places.len() < MAX_APPS;
        if !record.is_terminal() || !(is_whole || has_place) || open.contains(&app) {
            open.push(app); // what is due later has to wait for it
            continue;
        }
        if !is_whole {
            places.insert(app.clone());
        }
        let end = End::of(record);
        let of = apps.entry(app).or_insert_with_key(|app| AppStatus {
            namespace: app.namespace.clone(),
            name: app.name.clone(),
            ..AppStatus::default()
        });
        of.counted = Some(due);
        count(status, of, record, end, (due, secrets));
        ends.push((record, end));
    }
    if whole.is_some() {
        status.counted = whole.max(before);
    }
    keep_worst(status, apps);
    ends
}

/// Whether some of what has ended finds no place among the applications.
fn is_crowded(
    known: &[(Timestamp, &Export)],
    apps: &BTreeMap<App, AppStatus>,
    counted: Option<Timestamp>,
) -> bool {
    let new = { known.iter() }
        .filter(|(due, record)| {
            counted.is_none_or(|until| *due > until) && !apps.contains_key(&App::of(record))
        })
        .map(|(_, record)| App::of(record));
    apps.len() + new.collect::<BTreeSet<_>>().len() > MAX_APPS
}

/// Until when everything has ended that was due, and nothing can come that was due earlier.
fn whole_until(
    status: &ExportScheduleStatus,
    known: &[(Timestamp, &Export)],
    begun: bool,
    now: Timestamp,
) -> Option<Timestamp> {
    let open = known.iter().find(|(_, record)| !record.is_terminal()).map(|(due, _)| *due);
    let seen = now.checked_sub(SEEN).ok()?;
    let latest = if begun { seen } else { seen.min(status.last_schedule_time?) };
    let ended = known.iter().map(|(due, _)| *due);
    ended.filter(|due| open.is_none_or(|open| *due < open) && *due <= latest).max()
}

fn count(
    status: &mut ExportScheduleStatus,
    app: &mut AppStatus,
    record: &Export,
    end: End,
    (due, secrets): (Timestamp, SecretsPolicy),
) {
    let of = record.status.clone().unwrap_or_default();
    let at = of.finished_at.unwrap_or(due);
    let runs = &mut status.runs;
    match end {
        End::Succeeded | End::Unchanged => {
            app.failures = 0;
            app.waits_until = None;
            app.reason = None;
            app.last_successful_time = Some(at);
            app.not_restorable = restorable::why_not(of.result.as_ref(), secrets);
            app.version = of.result.as_ref().map(|result| result.chart.version.clone());
            status.last_successful_time = Some(at).max(status.last_successful_time);
        }
        End::Failed => {
            app.failures = app.failures.saturating_add(1);
            app.reason.clone_from(&of.reason);
            app.waits_until = due.checked_add(wait(app.failures)).ok();
        }
        End::Cancelled | End::Skipped => {}
    }
    match end {
        End::Succeeded => runs.succeeded += 1,
        End::Unchanged => {
            runs.unchanged += 1;
            status.last_unchanged_time = Some(at).max(status.last_unchanged_time);
        }
        End::Failed | End::Cancelled => runs.failed += 1,
        End::Skipped => {
            runs.skipped += 1;
            let reason = gave_way(record).unwrap_or_default().to_owned();
            status.last_skipped = Some(Skipped { time: due, reason });
        }
    }
    if end != End::Skipped && status.last_attempt.as_ref().is_none_or(|last| last.time <= at) {
        let result = match of.result.map(|result| result.status) {
            Some(Outcome::Restored) => "restored",
            Some(Outcome::Exported) => "exported",
            _ => end.as_str(),
        };
        status.last_attempt = Some(Attempt {
            name: record.name().to_owned(),
            time: at,
            result: result.to_owned(),
            reason: of.reason.filter(|_| matches!(end, End::Failed | End::Cancelled)),
        });
    }
}

/// How long after the due time of its last failure an application is left out: 2^n minutes.
fn wait(failures: u32) -> SignedDuration {
    let minutes = 1_i64.checked_shl(failures).unwrap_or(i64::MAX);
    SignedDuration::from_mins(minutes.clamp(1, LONGEST_WAIT.as_mins()))
}

/// Lists the applications that are worst off, and in any case those whose count is not in that of all.
fn keep_worst(status: &mut ExportScheduleStatus, apps: BTreeMap<App, AppStatus>) {
    let until = status.counted;
    let rank = |app: &AppStatus| {
        let is_needed = app.counted > until;
        (!is_needed, std::cmp::Reverse(app.failures), app.last_successful_time)
    };
    let mut apps: Vec<AppStatus> = apps.into_values().collect();
    apps.sort_by_key(rank);
    let more = apps.len().saturating_sub(MAX_APPS);
    apps.truncate(MAX_APPS);
    apps.sort_by_key(|app| {
        (std::cmp::Reverse(app.failures), app.namespace.clone(), app.name.clone())
    });
    status.apps = apps;
    if more > 0 {
        status.more_apps = u32::try_from(more).unwrap_or(u32::MAX);
    }
}

/// Whether the end of a record is counted.
pub(super) fn is_counted(status: &ExportScheduleStatus, record: &Export, now: Timestamp) -> bool {
    let Some(due) = due(record, now) else { return true };
    let until = |until: Option<Timestamp>| until.is_some_and(|until| due <= until);
    let is_it = |app: &&AppStatus| app.name == record.spec.app && app.namespace == record.target();
    until(status.counted) || until(status.apps.iter().find(is_it).and_then(|app| app.counted))
}

#[cfg(test)]
mod tests;
