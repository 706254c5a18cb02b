//! One look at one schedule: what is to be done about it, and how it stands then.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::begin::Runs;
use super::prune::Owed;
use super::records::{Run, draft, expired, gives_way, waits};
use super::standing::{self, Fault};
use super::tally::{self, End};
use super::{App, GRANTED, Key, Schedules, Seen, prune};
use crate::cluster::Error;
use crate::cluster::events::About;
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::record::{CANCEL, ConditionStatus, Export};
use crate::server::notify;
use crate::server::telemetry::events::{News, tell};
use crate::server::work::accept::{Refusal, Requester, permit_schedule};

/// In whose name a schedule runs, and when that was asked.
pub(super) type Asked = (Instant, Result<Requester, Fault>);

/// What comes of a look.
pub(super) struct Looked {
    pub(super) seen: Seen,
    /// Prunes that are to follow, and whether there is a new version.
    pub(super) owed: Vec<(Owed, bool)>,
    /// Whether the status says now what the last prune did.
    pub(super) told: bool,
}

impl Schedules<'_> {
    /// Does what there is to do about one schedule, and writes how it stands then; `before` is what was
    /// seen of it last.
    pub(super) async fn look(
        &self,
        key: &Key,
        before: Option<Seen>,
        stored: Arc<ExportSchedule>,
        records: Vec<Arc<Export>>,
        (others, share): (&[String], usize),
    ) -> Result<Looked, Error> {
        let (now, at) = (self.clock.now(), Instant::now());
        let current = before.as_ref().filter(|seen| Arc::ptr_eq(&seen.stored, &stored));
        let schedule = Arc::clone(current.map_or(&stored, |seen| &seen.current));
        let (asked, made) = before.map(|seen| (seen.asked, seen.made)).unwrap_or_default();
        let mut status = schedule.status.clone().unwrap_or_default();
        let is_changed = status.observed_generation != schedule.metadata.generation;
        let asked = asked.filter(|_| !is_changed);
        let plan = standing::read(&schedule, &self.desk.means.system_namespace);
        standing::observe(&mut status, &schedule, plan.as_ref().ok(), now);

        let mut runs = Runs {
            schedule: &schedule,
            records: &records,
            status,
            now,
            asked,
            made,
            is_whole: true,
            began: false,
            missed: 0,
            skipped: 0,
            left_out: None,
        };
        let wake = match &plan {
            Ok(plan) => self.begin(&mut runs, plan).await,
            Err(_) => None,
        };
        for (record, why) in gives_way(&schedule, plan.as_ref().ok(), &records, now) {
            self.cancel(record, why).await;
        }

        let Runs { mut status, asked, made, is_whole, began, missed, skipped, left_out, .. } = runs;
        let secrets = schedule.spec.template.secrets;
        let ends = tally::tally(&mut status, &records, secrets, (is_whole, began), now);
        let made = { made.into_iter() }
            .filter(|name| !records.iter().any(|record| record.name() == *name))
            .collect();
        status.active = standing::active(&records, &made);
        status.next_schedule_times = match &plan {
            Ok(plan) => standing::next_times(plan, schedule.created().unwrap_or(now), now),
            Err(_) => Vec::new(),
        };
        let fault = plan.as_ref().err();
        let fault = fault.or_else(|| asked.as_ref().and_then(|(_, answer)| answer.as_ref().err()));
        let is_faulty = fault.is_some();
        let is_known = is_faulty || asked.is_some();
        let valid = is_known && standing::valid(&mut status, fault, others, now);
        let healthy = standing::healthy(&mut status, now);
        standing::restorable(&mut status, now);
        let pruned = self.pruner.untold(key).cloned();
        let pruned_before = status.pruned.clone();
        if let Some(done) = &pruned {
            status.pruned = Some(done.said.clone());
        }

        let mut owed = Vec::new();
        let current = if schedule.status.as_ref() == Some(&status) {
            schedule
        } else {
            let mut written =
                self.desk.means.live.patch_schedule_status(&schedule, &status).await?;
            written.metadata.managed_fields = None;
            for (record, end) in ends {
                self.desk.metrics.scheduled(end.as_str(), 1);
                owed.extend(owes(&written, record, end));
            }
            self.desk.metrics.scheduled(tally::End::Skipped.as_str(), skipped);
            self.desk.metrics.missed(missed);
            if let Some((due, why)) = left_out {
                let note = format!("the run of {due} is left out: {why}");
                self.tell(&written, "RunLeftOut", &note, true).await;
            }
            self.tell_of(&written, [(standing::VALID, valid), (standing::HEALTHY, healthy)]).await;
            Arc::new(written)
        };
        if let Some(done) = &pruned {
            for prune::News { reason, note, is_warning } in done.news(pruned_before.as_ref()) {
                self.tell(&current, reason, &note, is_warning).await;
            }
        }
        self.retire(&current, &records, share, now).await;
        let is_restless = is_faulty || records.iter().any(|record| !record.is_terminal());
        let seen = Seen { stored, current, records, wake, asked, made, at, is_restless };
        Ok(Looked { seen, owed, told: pruned.is_some() })
    }

    /// In whose name the schedule runs, asked again where that is to be `fresh`, or it was refused;
    /// `None` where it cannot be found out now.
    pub(super) async fn ask(
        &self,
        schedule: &ExportSchedule,
        asked: Option<Asked>,
        fresh: bool,
    ) -> Option<Asked> {
        let is_good = |(at, answer): &Asked| {
            (!fresh && answer.is_ok())
                || at.elapsed() < if answer.is_ok() { GRANTED } else { super::EVERY }
        };
        if let Some(asked) = asked.filter(is_good) {
            return Some(asked);
        }
        let means = &self.desk.means;
        // Whether somebody may export each of many namespaces is asked for each record.
        let app = schedule.spec.template.app.clone().unwrap_or_else(|| "any".to_owned());
        let app = App { namespace: schedule.target().to_owned(), name: app };
        let draft = draft(schedule, Run::Due(Timestamp::UNIX_EPOCH), &app, Requester::default());
        let draft = Some(draft).filter(|_| schedule.spec.template.namespace_selector.is_none());
        let authorizer = means.authorizer.as_ref();
        let answer = permit_schedule(schedule, draft, authorizer, &means.marks, &means.live).await;
        let answer = match answer {
            Ok(requester) => Ok(requester),
            Err(Refusal::Denied(failure)) => {
                let hint = failure.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                Err(Fault { reason: failure.reason, message: failure.message + &hint })
            }
            Err(Refusal::Unavailable) => return None,
        };
        Some((Instant::now(), answer))
    }

    /// Cancels a record that gives way; one that waits only if it still does.
    async fn cancel(&self, record: &Export, why: &'static str) {
        let live = &self.desk.means.live;
        let cancelled = match waits(record) {
            true => live.annotate_as_read(record, (CANCEL, why)).await,
            false => live.annotate(record, &[(CANCEL, why)]).await,
        };
        match cancelled {
            Ok(_) => tracing::info!("{} gives way: {why}", record.title()),
            Err(Error::Conflict { .. }) => {}
            Err(error) => tracing::warn!("{} is not cancelled: {error}", record.title()),
        }
    }

    async fn retire(
        &self,
        schedule: &ExportSchedule,
        records: &[Arc<Export>],
        share: usize,
        now: Timestamp,
    ) {
        let Some(status) = &schedule.status else { return };
        let is_counted = |record: &Export| tally::is_counted(status, record, now);
        let old = expired(schedule, records, share, is_counted, now);
        for record in old.into_iter().filter(|record| !notify::is_owed(record)) {
            match self.desk.means.live.delete_export(record).await {
                Ok(()) | Err(Error::Conflict { .. }) => {}
                Err(error) => tracing::warn!("{} is not removed: {error}", record.title()),
            }
        }
    }

    /// Tells of conditions that have turned, but for those that are as they should be from the start.
    async fn tell_of(&self, schedule: &ExportSchedule, turned: [(&'static str, bool); 2]) {
        let conditions = schedule.status.iter().flat_map(|status| &status.conditions);
        for condition in conditions {
            let (kind, holds) = (condition.kind.as_str(), condition.status);
            if !turned.iter().any(|(of, turned)| *turned && *of == kind) {
                continue;
            }
            let (reason, is_warning) = match (kind, holds) {
                (standing::VALID, ConditionStatus::False) => ("ScheduleInvalid", true),
                (standing::VALID, _) => ("ScheduleValid", false),
                (_, ConditionStatus::False) => ("ScheduleUnhealthy", true),
                (_, ConditionStatus::True) => ("ScheduleHealthy", false),
                (_, ConditionStatus::Unknown) => continue,
            };
            let note = format!("{}: {}", condition.reason, condition.message);
            self.tell(schedule, reason, note.trim_end_matches([':', ' ']), is_warning).await;
        }
    }

    async fn tell(
        &self,
        schedule: &ExportSchedule,
        reason: &'static str,
        note: &str,
        is_warning: bool,
    ) {
        let news = News::OfSchedule { reason, note, is_warning };
        let about = About::schedule(schedule);
        tell(&self.desk.means.live, &self.desk.me, &[&about], &news).await;
    }
}

/// The prune that is to follow an export that has ended well, where it is said what stays; and whether
/// there is a new version.
fn owes(schedule: &ExportSchedule, record: &Export, end: End) -> Option<(Owed, bool)> {
    let has_rules = schedule.spec.retention.is_some();
    let is_well = matches!(end, End::Succeeded | End::Unchanged);
    (has_rules && is_well).then(|| (Owed::after(schedule, record), end == End::Succeeded))
}
