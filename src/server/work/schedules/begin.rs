//! Begins runs: those that somebody has asked for, and that of the latest due time.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::look::Asked;
use super::records::{Run, draft};
use super::select::select;
use super::{App, PACE, Schedules, TURN};
use crate::cluster::Error;
use crate::cluster::record::Export;
use crate::cluster::record::schedule::{ExportSchedule, ExportScheduleStatus, RUN, Skipped};
use crate::schedule::rules::{Before, Plan, Skip, decide};
use crate::server::work::accept::Requester;

/// Runs of one schedule, as one look finds and leaves them.
pub(super) struct Runs<'r> {
    pub(super) schedule: &'r ExportSchedule,
    pub(super) records: &'r [Arc<Export>],
    pub(super) status: ExportScheduleStatus,
    pub(super) now: Timestamp,
    pub(super) asked: Option<Asked>,
    /// Names of records that were made, which the store need not have yet.
    pub(super) made: HashSet<String>,
    /// Whether all records are there of the runs that have begun.
    pub(super) is_whole: bool,
    /// Whether a run has begun.
    pub(super) began: bool,
    /// Due times for which nothing was done.
    pub(super) missed: u64,
    /// Exports that were left out.
    pub(super) skipped: u64,
    /// The run that was left out, and why.
    pub(super) left_out: Option<(Timestamp, &'static str)>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    /// All its records are there.
    Whole,
    /// Others have their turn first.
    Partly,
    /// Not now.
    Later,
}

impl Schedules<'_> {
    /// Begins what is to begin now. Says when to look again.
    pub(super) async fn begin(&self, runs: &mut Runs<'_>, plan: &Plan) -> Option<Timestamp> {
        let schedule = runs.schedule;
        let again = runs.now.checked_add(super::EVERY).ok();
        let request = schedule.annotation(RUN).filter(|_| !runs.has_done_what_was_asked());
        let created = schedule.created().unwrap_or(runs.now);
        let since = runs.status.since.unwrap_or(created);
        let before = Before { created, since, decided: runs.status.last_schedule_time };
        let decision = decide(plan, before, false, runs.now);
        let skip = decision.skip.filter(|(due, _)| !runs.has_begun(*due));
        let start = decision.start.or_else(|| Some(decision.skip.filter(|_| skip.is_none())?.0));

        let is_due = request.is_some() || start.is_some();
        runs.asked = self.ask(schedule, runs.asked.take(), is_due).await;
        let Some((_, Ok(requester))) = runs.asked.clone() else {
            runs.is_whole = false;
            return again;
        };
        if let Some(request) = request {
            match self.make_all(runs, Run::Requested(request, runs.moment()), &requester).await {
                Begun::Whole => runs.status.last_run = Some(request.to_owned()),
                Begun::Partly => return runs.unfinished(Some(runs.now)),
                Begun::Later => return runs.unfinished(again),
            }
        }
        if let Some(due) = start {
            match self.make_all(runs, Run::Due(due), &requester).await {
                Begun::Whole => runs.decided(due, u64::from(decision.missed)),
                Begun::Partly => return runs.unfinished(Some(runs.now)),
                Begun::Later => return runs.unfinished(again),
            }
        } else if let Some((due, why)) = skip {
            runs.leave_out(due, why);
            runs.decided(due, u64::from(decision.missed) + 1);
        }
        decision.wake
    }

    /// Makes the records of a run that are not there yet.
    async fn make_all(&self, runs: &mut Runs<'_>, run: Run<'_>, requester: &Requester) -> Begun {
        let schedule = runs.schedule;
        let apps = match select(schedule, self.index, &self.desk.means.live).await {
            Ok(apps) => apps,
            Err(error) => {
                tracing::warn!("{} has to wait: {error}", schedule.title());
                return Begun::Later;
            }
        };
        let (mut count, mut left_out) = (0, 0);
        for app in &apps {
            if matches!(run, Run::Due(_)) && runs.waits(app, run.at()) {
                left_out += 1;
                continue;
            }
            let draft = draft(schedule, run, app, requester.clone());
            if runs.has(draft.name()) {
                continue;
            }
            if count == TURN {
                return Begun::Partly;
            }
            if let Err(error) = self.make(&draft).await {
                tracing::warn!("{} is not made: {error}", draft.title());
                return Begun::Later;
            }
            runs.made.insert(draft.name().to_owned());
            count += 1;
            let _turn = self.pace.lock().await;
            sleep(PACE).await;
        }
        runs.began = true;
        runs.skip(run.at(), left_out);
        let until = runs.status.counted;
        runs.status.apps.retain(|of| {
            let app = App { namespace: of.namespace.clone(), name: of.name.clone() };
            apps.contains(&app) || of.counted > until
        });
        let more = apps.len().saturating_sub(runs.status.apps.len());
        runs.status.more_apps = if apps.len() > crate::cluster::record::schedule::MAX_APPS {
            u32::try_from(more).unwrap_or(u32::MAX)
        } else {
            0
        };
        Begun::Whole
    }

    /// Makes a record, with the mark that says that it is ours. One of its name is the same, as another
    /// leader has made it.
    async fn make(&self, draft: &Export) -> Result<(), crate::error::Error> {
        let means = &self.desk.means;
        let marked = means.marks.put(draft.clone(), Timestamp::now()).await?;
        match means.live.create_export(&marked).await {
            Ok(_) => Ok(()),
            Err(Error::Exists { .. }) => {
                let found = means.live.export(draft.namespace(), draft.name()).await?;
                let of = |export: &Export| export.spec.scheduled.as_ref().map(|of| of.name.clone());
                if found.is_some_and(|found| of(&found) != of(draft)) {
                    tracing::warn!("{} is somebody else's, so a run has none", draft.title());
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Runs<'_> {
    /// Whether a record of this name is there.
    fn has(&self, name: &str) -> bool {
        self.made.contains(name) || self.records.iter().any(|record| record.name() == name)
    }

    /// Whether a record of this run is there: then the others follow, however late it is.
    fn has_begun(&self, due: Timestamp) -> bool {
        let of = |record: &Arc<Export>| record.spec.scheduled.as_ref().map(|of| of.due);
        self.records.iter().any(|record| of(record) == Some(due))
    }

    fn has_done_what_was_asked(&self) -> bool {
        self.schedule.annotation(RUN) == self.status.last_run.as_deref()
    }

    /// When a run that was asked for was due: now, but after everything that is counted.
    fn moment(&self) -> Timestamp {
        let status = &self.status;
        let counted = status.apps.iter().filter_map(|app| app.counted).max();
        let last = counted.max(status.counted).max(status.last_schedule_time);
        let second = SignedDuration::from_secs(1);
        let after = last.and_then(|last| last.checked_add(second).ok());
        let now = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        after.map_or(now, |after| after.max(now))
    }

    /// Whether the application has failed so often that its run is left out.
    fn waits(&self, app: &App, due: Timestamp) -> bool {
        let mut all = self.status.apps.iter();
        let of = all.find(|of| of.name == app.name && of.namespace == app.namespace);
        of.and_then(|of| of.waits_until).is_some_and(|until| due < until)
    }

    fn skip(&mut self, due: Timestamp, count: u64) {
        if count > 0 {
            self.skipped += count;
            self.status.runs.skipped += count;
            let reason = "BackOff".to_owned();
            self.status.last_skipped = Some(Skipped { time: due, reason });
        }
    }

    fn leave_out(&mut self, due: Timestamp, why: Skip) {
        let why = match why {
            Skip::Late => "Late",
            Skip::Missed => "Missed",
        };
        self.left_out = Some((due, why));
        self.status.last_skipped = Some(Skipped { time: due, reason: why.to_owned() });
    }

    fn decided(&mut self, due: Timestamp, missed: u64) {
        self.status.last_schedule_time = Some(due);
        self.missed += missed;
        self.status.runs.missed += missed;
    }

    fn unfinished(&mut self, wake: Option<Timestamp>) -> Option<Timestamp> {
        self.is_whole = false;
        wake
    }
}
