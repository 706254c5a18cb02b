//! The controller in the test's process, with the test's clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use outhaul::cluster::{ClientOptions, Live};
use outhaul::server::auth::epinio::{Mode, Users};
use outhaul::server::auth::{Chain, Kubernetes, Marks, Served};
use outhaul::server::telemetry::metrics::Metrics;
use outhaul::server::work::{Clock, Controller, Known, Settings};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::server::exports::site::{SYSTEM, Site};

/// How long its threads may take to come to a place where they can end.
const END: Duration = Duration::from_secs(5);

/// A replica that only carries out exports, and is told what time it is. Dropping it ends it.
pub(super) struct Replica {
    name: String,
    runtime: Option<Runtime>,
    stop: CancellationToken,
    time: Arc<watch::Sender<Timestamp>>,
    metrics: Arc<Metrics>,
}

impl Replica {
    pub(super) fn start(site: &Site) -> Self {
        Self::of(site, "r0", Arc::new(watch::Sender::new(Timestamp::now())))
    }

    /// Another one, by the same clock.
    pub(super) fn beside(&self, site: &Site, name: &str) -> Self {
        Self::of(site, name, Arc::clone(&self.time))
    }

    fn of(site: &Site, name: &str, time: Arc<watch::Sender<Timestamp>>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_stack_size(8 << 20) // an export renders a chart, unoptimised
            .enable_all()
            .build()
            .unwrap();
        let (stop, metrics) = (CancellationToken::new(), Arc::<Metrics>::default());
        let clock = Clock::standing(time.subscribe());
        let options = ClientOptions {
            kubeconfig: Some(site.cluster.kubeconfig("admin")),
            ..ClientOptions::default()
        };
        let (stopped, own, counting) = (stop.clone(), name.to_owned(), Arc::clone(&metrics));
        runtime.spawn(async move {
            let live = Live::connect(&options).await.unwrap();
            controller(live, own, counting).with_clock(clock).run(stopped).await;
        });
        Self { name: name.to_owned(), runtime: Some(runtime), stop, time, metrics }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Ends it in the middle of whatever it does. It has the Lease still, if it had it.
    pub(super) fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(END);
        }
    }

    /// Ends it so, and lets go of the Lease for it, as if that had run out.
    pub(super) fn kill(mut self, site: &Site) {
        self.end();
        site.system().delete("coordination.k8s.io/v1", "Lease", "outhaul");
    }

    /// The value of a series of its metrics.
    pub(super) fn metric(&self, series: &str) -> u64 {
        let text = self.metrics.text();
        let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        found.map_or(0, |value| value.parse().unwrap())
    }

    pub(super) fn now(&self) -> Timestamp {
        *self.time.borrow()
    }

    pub(super) fn go_to(&self, at: Timestamp) {
        self.time.send_replace(at);
    }

    pub(super) fn go_on_by(&self, pause: SignedDuration) {
        self.go_to(self.now() + pause);
    }

    /// Goes to a minute past the next full hour, and gives that hour.
    pub(super) fn next_hour(&self) -> Timestamp {
        let hour = self.now().as_second().div_euclid(3600) + 1;
        let hour = Timestamp::from_second(hour * 3600).unwrap();
        self.go_to(hour + SignedDuration::from_mins(1));
        hour
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.stop.cancel();
        self.end();
    }
}

fn controller(live: Live, name: String, metrics: Arc<Metrics>) -> Controller {
    let clock: outhaul::server::auth::Clock = Arc::new(Instant::now);
    let system = Some(SYSTEM.to_owned());
    let kubernetes = Kubernetes::new(live.clone(), Vec::new(), Arc::clone(&clock)).unwrap();
    let users = Users::new(live.clone(), system.clone(), Mode::Off, clock).unwrap();
    let chain = Chain::new(Arc::new(kubernetes), Arc::new(users), Served::default());
    let known = Known {
        exports: live.watch_exports(&[]),
        schedules: live.watch_schedules(&[]),
        apps: live.watch_apps(&[]),
    };
    let settings = Settings {
        name,
        system_namespace: system.clone(),
        local_sources: vec!["127.0.0.1".to_owned()],
        ..Settings::default()
    };
    let marks = Marks::new(live.clone(), system);
    Controller::new(live, known, Arc::new(chain), marks, metrics, settings)
}
