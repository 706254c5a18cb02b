//! Prunes after runs: what the rules of a schedule let go is deleted once an export of it has ended well.
//!
//! ```text
//!  tally ─ ended well ─► owe ─► begin ─► run: Charts: claims, plan, carry_out ─► ended ─► status
//! ```
//!
//! Nothing of this is kept: a prune that is lost is made up for by that of the next run, and one that is
//! interrupted leaves whole what stays.

mod charts;
mod claims;
mod outcome;
mod run;

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(in crate::server) use self::charts::Charts;
pub(super) use self::outcome::{Done, News};
use super::{App, Key};
use crate::cluster::AppIndex;
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::record::{ChosenNames, Export, ScheduleStore};
use crate::server::telemetry::metrics::Metrics;
use crate::server::work::Desk;

/// After a prune, runs that find nothing new bring the next one only after this time, as it would only
/// find what has become too old, and images that had to wait. Less than a day, so that a run of every day
/// always brings one.
const IDLE: SignedDuration = SignedDuration::from_hours(20);

/// Longest time that one prune takes, so that a registry that hardly answers does not keep all others
/// waiting. It goes on with the next run.
const LONGEST: Duration = Duration::from_secs(600);

/// The versions of an application at a destination, which are to be pruned for a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owed {
    key: Key,
    app: App,
    destination: String,
    names: ChosenNames,
}

/// Prunes that are owed, one after the other: a registry's other users want to be served as well, and
/// two at once in one repository would not know of each other. Dropping it ends the one that runs.
#[derive(Default)]
pub(super) struct Pruner {
    waiting: VecDeque<Owed>,
    running: Option<Owed>,
    work: JoinSet<Option<Done>>,
    /// When the last one began of those that nothing went wrong with.
    last: HashMap<(Key, App), Timestamp>,
    /// What no status says yet.
    untold: HashMap<Key, Done>,
}

impl Owed {
    /// After the export that `record` was of the schedule.
    pub(super) fn after(schedule: &ExportSchedule, record: &Export) -> Self {
        Self {
            key: (schedule.namespace().to_owned(), schedule.name().to_owned()),
            app: App::of(record),
            destination: record.spec.destination.clone(),
            names: record.spec.names.clone(),
        }
    }
}

impl Pruner {
    /// Notes that an export has ended well; `is_new`: it has made a version.
    pub(super) fn owe(&mut self, owed: Owed, is_new: bool, now: Timestamp) {
        let last = self.last.get(&(owed.key.clone(), owed.app.clone()));
        let is_recent = last.is_some_and(|last| now.duration_since(*last).abs() < IDLE);
        if (is_new || !is_recent) && !self.waiting.contains(&owed) {
            self.waiting.push_back(owed);
        }
    }

    /// Begins the next one if none runs.
    pub(super) fn begin(
        &mut self,
        desk: &Arc<Desk>,
        (schedules, index): (&ScheduleStore, &AppIndex),
        now: Timestamp,
    ) {
        if self.running.is_some() {
            return;
        }
        let Some(owed) = self.waiting.pop_front() else { return };
        self.running = Some(owed.clone());
        self.last.retain(|_, last| now.duration_since(*last).abs() < IDLE);
        self.last.insert((owed.key.clone(), owed.app.clone()), now);
        let (desk, schedules, index) = (Arc::clone(desk), schedules.clone(), index.clone());
        self.work.spawn(async move {
            let carried_out = run::run(&desk.means, &schedules, &index, &owed, now);
            match timeout(LONGEST, carried_out).await {
                Ok(Ok(did)) => did.map(|did| Done::of(&owed.app, did, now)),
                Ok(Err(reason)) => Some(Done::failed(&owed.app, &reason, now)),
                Err(_) => {
                    let reason = format!("it had not ended after {} s", LONGEST.as_secs());
                    Some(Done::failed(&owed.app, &reason, now))
                }
            }
        });
    }

    /// Waits until the one that runs has ended, and keeps what is to be told of it. Never returns where
    /// none runs.
    pub(super) async fn ended(&mut self, metrics: &Metrics) {
        let done = match self.work.join_next().await {
            Some(done) => done,
            None => pending().await,
        };
        let Some(owed) = self.running.take() else { return };
        let done = done.unwrap_or_else(|error| {
            let reason = format!("it ended without an end: {error}");
            Some(Done::failed(&owed.app, &reason, Timestamp::now()))
        });
        let Some(done) = done else { return };
        done.count(metrics);
        if let Some(error) = &done.said.error {
            tracing::warn!("the versions of {}/{}: {error}", owed.app.namespace, owed.app.name);
            self.last.remove(&(owed.key.clone(), owed.app));
        }
        self.untold.insert(owed.key, done);
    }

    /// What no status of the schedule says yet.
    pub(super) fn untold(&self, key: &Key) -> Option<&Done> {
        self.untold.get(key)
    }

    /// Its status says it.
    pub(super) fn told(&mut self, key: &Key) {
        self.untold.remove(key);
    }

    /// Forgets schedules that are gone.
    pub(super) fn retain(&mut self, is_there: impl Fn(&Key) -> bool) {
        self.untold.retain(|key, _| is_there(key));
        self.waiting.retain(|owed| is_there(&owed.key));
    }
}

#[cfg(test)]
mod tests;
