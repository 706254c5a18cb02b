//! Carries out what `Export` records ask for: on one replica at a time, a few at once, in turn.
//!
//! ```text
//!  Election ─ leads ─► pass over all records ─► reconcile::next ─┬─► accept ─► Pending
//!                          ▲                                     ├─► Queue ─► Executor ─► status
//!                          └──────── a record has changed ───────┴─► cancel, retire
//! ```
//!
//! The records are all that is kept: whoever leads next reads them and goes on.

pub mod accept;
mod attempt;
mod clock;
pub(in crate::server) mod conditions;
mod ended;
mod executor;
mod failure;
mod inline;
pub mod job;
mod join;
pub mod leader;
pub mod observe;
pub mod place;
pub mod queue;
pub mod reconcile;
pub mod retire;
pub(in crate::server) mod schedules;
mod shift;
pub mod shrink;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::attempt::Means;
pub use self::clock::Clock;
use self::executor::Executor;
pub use self::failure::{DEADLINE_EXCEEDED, Failure};
use self::inline::InProcess;
use self::job::Jobs;
use self::leader::Election;
use self::queue::Limits;
use self::schedules::Schedules;
use self::shift::Shift;
use super::auth::{Authorizer, Marks};
use super::notify::Courier;
use super::telemetry::look;
use super::telemetry::metrics::Metrics;
use crate::cluster::record::{ExportStore, ScheduleStore};
use crate::cluster::{AppIndex, Live};
use crate::destination::select;

/// Between two tries to find the namespace of the destinations.
const AGAIN: Duration = Duration::from_secs(2);

/// How exports are carried out.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What tells people which replica it is.
    pub name: String,
    /// Namespace of the destinations and of the Lease; `None`: where they usually are.
    pub system_namespace: Option<String>,
    /// How much at once.
    pub limits: Limits,
    /// How long finished records stay.
    pub keep: Duration,
    /// How long what runs may end at a stop.
    pub drain: Duration,
    /// How long an attempt may take, besides its wait for a rollout.
    pub longest: Duration,
    /// Hosts of our own surroundings, with or without a port, of which images are read all the same.
    pub local_sources: Vec<String>,
    /// Where they are carried out.
    pub executor: Where,
}

/// Where exports are carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Where {
    /// In the server's process.
    InProcess,
    /// Each in a Job of Kubernetes.
    Jobs {
        /// ConfigMap of the system namespace with the template of Jobs.
        template: String,
    },
}

/// Carries out exports whenever this replica leads.
pub struct Controller {
    live: Live,
    known: Known,
    authorizer: Arc<dyn Authorizer>,
    marks: Marks,
    metrics: Arc<Metrics>,
    settings: Settings,
    clock: Clock,
    me: String,
    leads: watch::Sender<bool>,
}

/// What is known of the cluster by watches.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its records.
    pub exports: ExportStore,
    /// Its schedules.
    pub schedules: ScheduleStore,
    /// Its applications.
    pub apps: AppIndex,
}

/// What a leader works with.
struct Desk {
    means: Means,
    me: String,
    metrics: Arc<Metrics>,
    longest: Duration,
    courier: Courier,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "outhaul".to_owned(),
            system_namespace: None,
            limits: Limits { workers: 2, per_destination: 2, waiting: 1000 },
            keep: Duration::from_secs(7 * 24 * 3600),
            drain: Duration::from_secs(20),
            longest: Duration::from_secs(6 * 3600),
            local_sources: Vec::new(),
            executor: Where::InProcess,
        }
    }
}

impl Controller {
    /// One that knows the cluster from `known`, asks `authorizer` what may be done, knows by `marks`
    /// who asked the doors of the server, and counts in `metrics` what was done.
    pub fn new(
        live: Live,
        known: Known,
        authorizer: Arc<dyn Authorizer>,
        marks: Marks,
        metrics: Arc<Metrics>,
        settings: Settings,
    ) -> Self {
        let me = format!("{}_{:08x}", settings.name, fastrand::u32(..));
        Self {
            live,
            known,
            authorizer,
            marks,
            metrics,
            settings,
            clock: Clock::default(),
            me,
            leads: watch::Sender::new(false),
        }
    }

    /// The same with another clock for schedules and what they make.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Whether this replica leads, from now on.
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Takes part in the election and works, until `stop` and until what runs then has ended, at most
    /// [`Settings::drain`] later. What has not ended is left to the next leader. Never fails: what
    /// goes wrong is logged, and tried again.
    pub async fn run(self, stop: CancellationToken) {
        let Some(Some(namespace)) = stop.run_until_cancelled(self.system_namespace()).await else {
            return;
        };
        let means = Means {
            live: self.live.clone(),
            system_namespace: namespace.clone(),
            authorizer: Arc::clone(&self.authorizer),
            marks: self.marks.clone(),
            local_sources: self.settings.local_sources.clone(),
            clock: self.clock.clone(),
        };
        let metrics = Arc::clone(&self.metrics);
        let desk = Arc::new(Desk {
            means,
            me: self.me.clone(),
            courier: Courier::new(self.live.clone(), namespace.clone(), Arc::clone(&metrics)),
            metrics,
            longest: self.settings.longest,
        });
        let election =
            Election::new(self.live.clone(), namespace, self.me.clone(), self.leads.clone());
        let work = |lost| self.work(Arc::clone(&desk), stop.clone(), lost);
        election.run(stop.clone(), work).await;
    }

    async fn system_namespace(&self) -> Option<String> {
        loop {
            let wanted = self.settings.system_namespace.as_deref();
            match select::system_namespace(&self.live, wanted).await {
                Ok(namespace) => return Some(namespace),
                Err(error) => tracing::warn!("no exports are carried out yet: {error}"),
            }
            sleep(AGAIN).await;
        }
    }

    /// Works until `lost`, or until `stop` and what runs has ended.
    async fn work(&self, desk: Arc<Desk>, stop: CancellationToken, lost: CancellationToken) {
        let Settings { limits, keep, drain, .. } = self.settings;
        let executor: Arc<dyn Executor> = match &self.settings.executor {
            Where::InProcess => Arc::new(InProcess),
            Where::Jobs { template } => Arc::new(Jobs { template: template.clone() }),
        };
        let Known { exports, schedules, apps } = &self.known;
        let stores = (exports, schedules);
        let mut shift = Shift::new(Arc::clone(&desk), executor, stores, limits, keep);
        let mut scheduled = Schedules::new(Arc::clone(&desk), schedules, exports, apps);
        self.metrics.leads(true);
        let worked = async {
            stop.run_until_cancelled(shift.go_on()).await;
            if tokio::time::timeout(drain, shift.drain()).await.is_err() {
                tracing::info!("what has not ended in time is left to the next leader");
            }
        };
        let looking = look(&desk.means.live, &desk.means.system_namespace, &desk.metrics);
        let scheduling = async {
            stop.run_until_cancelled(scheduled.go_on()).await;
            std::future::pending::<()>().await; // it ends with the shift
        };
        lost.run_until_cancelled(async {
            tokio::select! {
                () = worked => {}
                () = scheduling => {}
                () = looking => {}
            }
        })
        .await;
        self.metrics.leads(false);
        drop(scheduled); // ends a prune
        shift.leave().await;
    }
}
