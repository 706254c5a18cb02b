//! Metrics. Values of labels are of closed sets: results, reasons and routes of ours, and, behind a
//! cap, names of destinations and applications.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::destinations::Seen;
use super::records::Records;
use super::schedules::Declared;
use crate::cluster::record::{Bytes, Outcome};
use crate::server::work::Known;

/// Media type of what is told (OpenMetrics 1.0).
pub(in crate::server) const OPEN_METRICS: &str =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds in seconds: an unchanged application takes a second or two, many GiB take an hour.
const EXPORTS: [f64; 11] = [1., 2., 5., 10., 30., 60., 120., 300., 600., 1800., 3600.];

/// Bounds in seconds: of a cache milliseconds, of a namespace that is read seconds.
const REQUESTS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1., 2.5, 10., 60.];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// What this replica has counted, and what the records say.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exports: Family<Labels<2>, Counter>,
    durations: Histograms<Labels<1>>,
    bytes: Family<Labels<1>, Counter>,
    requests: Family<[(&'static str, String); 2], Counter>,
    latencies: Histograms<[(&'static str, String); 1]>,
    authentications: Family<Labels<2>, Counter>,
    webhooks: Family<Labels<1>, Counter>,
    scheduled: Family<Labels<1>, Counter>,
    missed: Counter,
    prunes: Family<Labels<1>, Counter>,
    pruned: Family<Labels<1>, Counter>,
    destinations: Seen,
    leader: Gauge,
}

/// How an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Well.
    Done(Outcome),
    /// Not.
    Failed,
    /// By somebody's wish.
    Cancelled,
}

impl End {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done(Outcome::Exported) => "exported",
            Self::Done(Outcome::Unchanged) => "unchanged",
            Self::Done(Outcome::Restored) => "restored",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How a prune ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Prune {
    /// All went that was to go.
    Done,
    /// Nothing was to go yet, as a schedule only plans.
    Planned,
    /// Something was to go and stays, or it did not come to its end.
    Failed,
}

impl Prune {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Planned => "planned",
            Self::Failed => "failed",
        }
    }
}

impl Default for Metrics {
    /// All at zero.
    fn default() -> Self {
        let mut registry = Registry::with_prefix("outhaul");
        let metrics = Self {
            exports: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(EXPORTS)),
            bytes: Family::default(),
            requests: Family::default(),
            latencies: Family::new_with_constructor(|| Histogram::new(REQUESTS)),
            authentications: Family::default(),
            webhooks: Family::default(),
            scheduled: Family::default(),
            missed: Counter::default(),
            prunes: Family::default(),
            pruned: Family::default(),
            destinations: Seen::default(),
            leader: Gauge::default(),
            registry: Registry::default(),
        };
        let all = &metrics;
        registry.register("exports", "Exports that this replica has ended", all.exports.clone());
        registry.register(
            "bytes",
            "Bytes of the images of exports, by how they came to be there",
            all.bytes.clone(),
        );
        registry.register(
            "auth",
            "Requests by their credentials and what became of these",
            all.authentications.clone(),
        );
        registry.register(
            "export_duration_seconds",
            "How long exports took from their first start",
            all.durations.clone(),
        );
        registry.register("http_requests", "Requests that were answered", all.requests.clone());
        registry.register(
            "http_duration_seconds",
            "How long it took until an answer began",
            all.latencies.clone(),
        );
        registry.register(
            "webhooks",
            "Ends of exports that were to be told, by whether they were",
            all.webhooks.clone(),
        );
        registry.register(
            "schedule_runs",
            "Exports of schedules whose end this replica has counted",
            all.scheduled.clone(),
        );
        registry.register(
            "schedule_missed",
            "Due times of schedules for which nothing was done",
            all.missed.clone(),
        );
        registry.register(
            "prunes",
            "Prunes after exports of schedules, by how they ended",
            all.prunes.clone(),
        );
        registry.register(
            "pruned_versions",
            "Versions that rules let go, by whether they have gone",
            all.pruned.clone(),
        );
        registry.register_collector(Box::new(all.destinations.clone()));
        registry.register("leader", "Whether this replica carries out exports", all.leader.clone());
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// With what the records say, and how their watch and those of applications are; of at most `apps`
    /// applications and as many schedules the last success is told.
    #[must_use]
    pub fn with_watches(mut self, known: Known, apps: usize) -> Self {
        let Known { exports: store, schedules, apps: index } = known;
        let most = apps;
        self.registry.register_collector(Box::new(Declared { store: schedules.clone(), most }));
        self.registry.register_collector(Box::new(Records { store, schedules, index, apps }));
        self
    }

    /// An export has ended, for a reason of the closed set of its status. `took` is its time since it
    /// was first started, if it was.
    pub fn export(&self, end: End, reason: &'static str, took: Option<Duration>, bytes: Bytes) {
        let result = end.as_str();
        self.exports.get_or_create(&[("result", result), ("reason", reason)]).inc();
        if let Some(took) = took {
            self.durations.get_or_create(&[("result", result)]).observe(took.as_secs_f64());
        }
        let Bytes { copied, mounted, present } = bytes;
        for (how, bytes) in [("copied", copied), ("mounted", mounted), ("present", present)] {
            self.bytes.get_or_create(&[("how", how)]).inc_by(bytes);
        }
    }

    /// A request was answered. `route` is the pattern of a route, never a path.
    pub(in crate::server) fn request(&self, route: &str, status: u16, took: Duration) {
        let route = ("route", route.to_owned());
        self.requests.get_or_create(&[route.clone(), ("status", status.to_string())]).inc();
        self.latencies.get_or_create(&[route]).observe(took.as_secs_f64());
    }

    /// Somebody was recognised by credentials of this kind, or was not.
    pub(in crate::server) fn authentication(&self, kind: &'static str, result: &'static str) {
        self.authentications.get_or_create(&[("kind", kind), ("result", result)]).inc();
    }

    /// The end of an export was told to a webhook, or was not.
    pub(in crate::server) fn webhook(&self, result: &'static str) {
        self.webhooks.get_or_create(&[("result", result)]).inc();
    }

    /// So many exports of schedules have ended, with a result of a closed set.
    pub(in crate::server) fn scheduled(&self, result: &'static str, count: u64) {
        if count > 0 {
            self.scheduled.get_or_create(&[("result", result)]).inc_by(count);
        }
    }

    /// For so many due times of a schedule nothing was done.
    pub(in crate::server) fn missed(&self, count: u64) {
        self.missed.inc_by(count);
    }

    /// A prune after an export of a schedule has ended: so many versions went, so many were to go and
    /// stay.
    pub(in crate::server) fn pruned(&self, result: Prune, removed: u64, left: u64) {
        self.prunes.get_or_create(&[("result", result.as_str())]).inc();
        for (result, count) in [("removed", removed), ("left", left)] {
            if count > 0 {
                self.pruned.get_or_create(&[("result", result)]).inc_by(count);
            }
        }
    }

    /// Whether this replica carries out exports.
    pub(in crate::server) fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
        if !leads {
            self.destinations.set(Vec::new()); // the next leader says it
        }
    }

    /// Whether each destination works.
    pub(super) fn destinations(&self) -> &Seen {
        &self.destinations
    }

    /// All of them, as a scraper reads them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a `String` does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// The same as an answer.
    pub(in crate::server) fn answer(&self) -> Response {
        ([(header::CONTENT_TYPE, OPEN_METRICS)], self.text()).into_response()
    }
}

/// What a listener of its own serves, to whoever reaches it.
pub(in crate::server) fn listener(metrics: Arc<Metrics>) -> Router {
    Router::new().route("/metrics", get(|| async move { metrics.answer() }))
}
