//! The records of a schedule: what one is to say, which of them stand in each other's way, and which go.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::App;
use crate::cluster::record::schedule::{ConcurrencyPolicy, ExportSchedule, SCHEDULE};
use crate::cluster::record::{Export, ExportSpec, Phase, Scheduled};
use crate::export::scheduled::export_of;
use crate::schedule::rules::{AHEAD, Plan};
use crate::schedule::run::{record_name, requested_name};
use crate::server::work::accept::Requester;

/// Finished records of schedules that stay in all, besides the last of each kind of each application: a
/// store keeps 4096 records.
const MOST: usize = 1500;

/// The run that records are made for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Run<'a> {
    /// Of a due time.
    Due(Timestamp),
    /// That somebody has asked for by this value of the annotation, now.
    Requested(&'a str, Timestamp),
}

impl Run<'_> {
    pub(super) fn at(self) -> Timestamp {
        match self {
            Self::Due(at) | Self::Requested(_, at) => at,
        }
    }
}

/// The record of an application's run. Its name is the same whoever makes it.
pub(super) fn draft(
    schedule: &ExportSchedule,
    run: Run<'_>,
    app: &App,
    requester: Requester,
) -> Export {
    let own = schedule.namespace();
    let name = match run {
        Run::Due(due) => record_name(schedule.name(), due, &app.namespace, &app.name),
        Run::Requested(request, _) => {
            let uid = schedule.uid();
            requested_name(schedule.name(), uid, request, &app.namespace, &app.name)
        }
    };
    let spec = ExportSpec {
        namespace: (app.namespace != own).then(|| app.namespace.clone()),
        requested_by: requester.by,
        service_account_name: requester.account,
        scheduled: Some(Scheduled {
            name: schedule.name().to_owned(),
            due: run.at(),
            even_if_unchanged: !schedule.spec.skip_if_unchanged,
        }),
        app: app.name.clone(),
        ..export_of(&schedule.spec.template)
    };
    Export::draft(own, &name, spec).with_label(SCHEDULE, schedule.name())
}

/// The run that a record is of; `None` of one that is of none, or lies so far ahead that a wrong clock,
/// or somebody who is not us, has made it.
pub(super) fn due(export: &Export, now: Timestamp) -> Option<Timestamp> {
    let due = export.spec.scheduled.as_ref()?.due;
    let latest = now.checked_add(AHEAD).ok()?;
    (due <= latest).then_some(due)
}

/// Whether it has not begun, as far as is known.
pub(super) fn waits(export: &Export) -> bool {
    export.status.as_ref().is_none_or(|status| {
        matches!(status.phase, None | Some(Phase::Pending)) && status.attempts == 0
    })
}

/// Which records give way, and why, in a word: those that could not begin within their deadline, and
/// those that a later run of their application has taken the place of.
pub(super) fn gives_way<'e>(
    schedule: &ExportSchedule,
    plan: Option<&Plan>,
    records: &'e [Arc<Export>],
    now: Timestamp,
) -> Vec<(&'e Arc<Export>, &'static str)> {
    let mut latest: BTreeMap<App, Timestamp> = BTreeMap::new();
    for (record, due) in records.iter().filter_map(|record| Some((record, due(record, now)?))) {
        let last = latest.entry(App::of(record)).or_insert(due);
        *last = due.max(*last);
    }
    let why = |record: &Export| {
        let due = due(record, now)?;
        let is_overtaken = latest.get(&App::of(record)).is_some_and(|latest| due < *latest);
        let is_late = || {
            let (plan, begins) = (plan?, plan?.begins(due));
            plan.deadline.filter(|deadline| now.duration_since(begins) > *deadline)
        };
        match schedule.spec.concurrency_policy {
            ConcurrencyPolicy::Replace if is_overtaken => Some(REPLACED),
            ConcurrencyPolicy::Forbid if is_overtaken && waits(record) => Some(SUPERSEDED),
            _ if waits(record) && is_timed(schedule, record) && is_late().is_some() => Some(LATE),
            _ => None,
        }
    };
    let open = records.iter().filter(|record| !record.is_terminal() && !record.is_cancelled());
    open.filter_map(|record| Some((record, why(record)?))).collect()
}

/// Values of the annotation that cancels a record, by which it is known that nobody but the schedule did.
const REPLACED: &str = "Replaced";
const SUPERSEDED: &str = "Superseded";
const LATE: &str = "Late";

/// Why a record has ended that gave way.
pub(super) fn gave_way(export: &Export) -> Option<&'static str> {
    let value = export.annotation(crate::cluster::record::CANCEL)?;
    [REPLACED, SUPERSEDED, LATE].into_iter().find(|known| *known == value)
}

/// Whether the record is of a due time, and not asked for.
fn is_timed(schedule: &ExportSchedule, export: &Export) -> bool {
    let Some(scheduled) = &export.spec.scheduled else { return false };
    let name = record_name(schedule.name(), scheduled.due, export.target(), &export.spec.app);
    name == export.name()
}

/// How many finished records of each kind of an application stay at most, where there are so many
/// applications in all schedules.
pub(super) fn share(apps: usize) -> usize {
    (MOST / 2 / apps.max(1)).max(1)
}

/// Which finished records go: those beyond the limits that `is_counted`, and are of an earlier run than
/// the latest one, whose records say that it was begun.
pub(super) fn expired<'e>(
    schedule: &ExportSchedule,
    records: &'e [Arc<Export>],
    share: usize,
    is_counted: impl Fn(&Export) -> bool,
    now: Timestamp,
) -> Vec<&'e Arc<Export>> {
    let last = schedule.status.as_ref().and_then(|status| status.last_schedule_time);
    let limits = schedule.spec.history_limits;
    let mut finished: Vec<_> = { records.iter() }
        .filter(|record| record.is_terminal())
        .filter_map(|record| Some((due(record, now)?, record)))
        .collect();
    finished.sort_by(|(a, _), (b, _)| b.cmp(a));
    let mut seen: BTreeMap<(App, bool), usize> = BTreeMap::new();
    let mut expired = Vec::new();
    for (due, record) in finished {
        let succeeded = record.phase() == Some(Phase::Succeeded);
        let limit = if succeeded { limits.successful } else { limits.failed } as usize;
        let seen = seen.entry((App::of(record), succeeded)).or_default();
        *seen += 1;
        let is_old = last.is_some_and(|last| due < last);
        if *seen > limit.min(share) && is_old && is_counted(record) {
            expired.push(record);
        }
    }
    expired
}
