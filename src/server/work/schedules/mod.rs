//! Makes the records that schedules ask for, while this replica leads, and says what became of them.
//!
//! ```text
//!  schedules, records, clock ─► standing::read ─► rules::decide ─► select ─► records::draft ─► Export
//!                                                                                               │
//!              status ◄─ standing ◄─ tally ◄──────────── what the records say ◄─────────────────┘
//! ```
//!
//! `lastScheduleTime` moves after the last record of a run is there, and a record's name says which run it
//! is of: whoever leads next makes those that are missing. Nothing else has to be remembered.

mod begin;
mod look;
mod prune;
mod records;
mod restorable;
mod select;
mod standing;
mod tally;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::sleep;

use self::look::{Asked, Looked};
pub(in crate::server) use self::prune::Charts;
use self::prune::Pruner;
use super::{Clock, Desk};
use crate::cluster::record::schedule::ExportSchedule;
use crate::cluster::record::{Export, ExportStore, Health, Record, ScheduleStore, Store};
use crate::cluster::{self, AppIndex};

/// Changes that come together are looked at together: exports write their progress all the time.
const GATHER: Duration = Duration::from_millis(200);

/// All schedules are looked at so often even if nothing has changed.
const EVERY: Duration = Duration::from_secs(10);

/// How long an answer to what a schedule may is good; records ask again.
const GRANTED: Duration = Duration::from_secs(60);

/// Between two records that are made: 50 a second are a tenth of what an API server takes.
const PACE: Duration = Duration::from_millis(20);

/// Schedules that are looked at at once: a look is a handful of requests, one after the other, and a
/// thousand schedules may be due in one minute.
const AT_ONCE: usize = 8;

/// Records that one schedule makes before others have their turn.
const TURN: usize = 50;

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::server) struct App {
    pub(in crate::server) namespace: String,
    pub(in crate::server) name: String,
}

/// Namespace and name of a schedule.
type Key = (String, String);

/// The schedules while this replica leads.
pub(super) struct Schedules<'a> {
    desk: Arc<Desk>,
    schedules: &'a ScheduleStore,
    exports: &'a ExportStore,
    index: &'a AppIndex,
    clock: Clock,
    seen: HashMap<Key, Seen>,
    pruner: Pruner,
    /// Held by who waits after a record was made, so that all of them together keep to [`PACE`].
    pace: Mutex<()>,
}

/// What was seen of a schedule when it was last looked at.
struct Seen {
    /// As the store had it.
    stored: Arc<ExportSchedule>,
    /// As it is after what was written.
    current: Arc<ExportSchedule>,
    records: Vec<Arc<Export>>,
    /// When to look again.
    wake: Option<Timestamp>,
    asked: Option<Asked>,
    /// Names of records that were made, which the store does not have yet.
    made: HashSet<String>,
    at: Instant,
    /// Whether it is to be looked at soon again.
    is_restless: bool,
}

impl<'a> Schedules<'a> {
    pub(super) fn new(
        desk: Arc<Desk>,
        schedules: &'a ScheduleStore,
        exports: &'a ExportStore,
        index: &'a AppIndex,
    ) -> Self {
        let clock = desk.means.clock.clone();
        let (seen, pruner, pace) = (HashMap::new(), Pruner::default(), Mutex::default());
        Self { desk, schedules, exports, index, clock, seen, pruner, pace }
    }

    /// Does what there is to do, for ever.
    pub(super) async fn go_on(&mut self) {
        let mut schedules = pin!(self.schedules.ticks());
        let mut exports = pin!(self.exports.ticks());
        let mut wake = None;
        loop {
            if is_known(self.schedules) && is_known(self.exports) {
                wake = self.pass().await;
            }
            sleep(GATHER).await;
            tokio::select! {
                _ = schedules.next() => {}
                _ = exports.next() => {}
                () = self.pruner.ended(&self.desk.metrics) => {}
                () = self.clock.wait(wake, EVERY) => {}
            }
        }
    }

    /// Looks at every schedule of which something has changed, or whose time has come. Says when the
    /// next one's comes.
    async fn pass(&mut self) -> Option<Timestamp> {
        let all = self.schedules.list();
        let mut records = by_schedule(&self.exports.list());
        let apps = records.values().flatten().map(|record| App::of(record));
        let share = records::share(apps.collect::<HashSet<_>>().len());
        let shared = shared(&all);
        let is_there = |key: &Key| self.schedules.get(&key.0, &key.1).is_some();
        self.seen.retain(|key, _| is_there(key));
        self.pruner.retain(is_there);
        let mut due = Vec::new();
        for schedule in all {
            let key = (schedule.namespace().to_owned(), schedule.name().to_owned());
            let records = records.remove(&key).unwrap_or_default();
            if self.is_due(&key, &schedule, &records) {
                let before = self.seen.remove(&key);
                due.push((key, before, schedule, records));
            }
        }
        let (this, shared) = (&*self, &shared);
        let looks = due.into_iter().map(|(key, before, schedule, records)| async move {
            let others = shared.get(&key).map_or(&[][..], Vec::as_slice);
            let title = schedule.title();
            match this.look(&key, before, schedule, records, (others, share)).await {
                Ok(looked) => return Some((key, looked)),
                Err(cluster::Error::Conflict { .. }) => {} // it is seen next time
                Err(error) => tracing::warn!("{title} has to wait: {error}"),
            }
            None
        });
        let looks = stream::iter(looks.collect::<Vec<_>>()).buffer_unordered(AT_ONCE);
        let looked: Vec<Option<(Key, Looked)>> = looks.collect().await;
        for (key, looked) in looked.into_iter().flatten() {
            self.keep(key, looked);
        }
        self.pruner.begin(&self.desk, (self.schedules, self.index), self.clock.now());
        self.seen.values().filter_map(|seen| seen.wake).min()
    }

    fn keep(&mut self, key: Key, Looked { seen, owed, told }: Looked) {
        let now = self.clock.now();
        owed.into_iter().for_each(|(owed, is_new)| self.pruner.owe(owed, is_new, now));
        if told {
            self.pruner.told(&key);
        }
        self.seen.insert(key, seen);
    }

    fn is_due(&self, key: &Key, stored: &Arc<ExportSchedule>, records: &[Arc<Export>]) -> bool {
        let Some(seen) = self.seen.get(key) else { return true };
        let is_same = Arc::ptr_eq(&seen.stored, stored)
            && seen.records.len() == records.len()
            && seen.records.iter().zip(records).all(|(a, b)| Arc::ptr_eq(a, b));
        let now = self.clock.now();
        let most = if seen.is_restless { EVERY } else { GRANTED };
        !is_same
            || self.pruner.untold(key).is_some()
            || seen.wake.is_some_and(|wake| wake <= now)
            || seen.at.elapsed() > most
    }
}

impl App {
    fn of(export: &Export) -> Self {
        Self { namespace: export.target().to_owned(), name: export.spec.app.clone() }
    }
}

/// Whether a store is up to date, as far as it goes.
fn is_known<R: Record>(store: &Store<R>) -> bool {
    matches!(store.health(), Health::Synced | Health::Full)
}

/// The records of each schedule.
fn by_schedule(exports: &[Arc<Export>]) -> HashMap<Key, Vec<Arc<Export>>> {
    let mut all: HashMap<Key, Vec<Arc<Export>>> = HashMap::new();
    for export in exports {
        if let Some(scheduled) = &export.spec.scheduled {
            let key = (export.namespace().to_owned(), scheduled.name.clone());
            all.entry(key).or_default().push(Arc::clone(export));
        }
    }
    all
}

/// Of each schedule of one application, the others of that application and destination.
fn shared(all: &[Arc<ExportSchedule>]) -> HashMap<Key, Vec<String>> {
    let mut of: BTreeMap<(&str, &str, &str), Vec<&ExportSchedule>> = BTreeMap::new();
    for schedule in all {
        if let Some(app) = &schedule.spec.template.app {
            let target =
                (schedule.target(), app.as_str(), schedule.spec.template.destination.as_str());
            of.entry(target).or_default().push(schedule);
        }
    }
    let mut shared = HashMap::new();
    for group in of.into_values().filter(|group| group.len() > 1) {
        for schedule in &group {
            let others = group.iter().filter(|other| other.uid() != schedule.uid());
            let others = others.map(|other| other.title()).collect();
            shared.insert((schedule.namespace().to_owned(), schedule.name().to_owned()), others);
        }
    }
    shared
}
