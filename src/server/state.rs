//! What every request may use.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Config;
use super::auth::epinio::Users;
use super::auth::{Authenticator, Authorizer, Chain, Marks, Served};
use super::config::Epinio;
use super::epinio::Upstream;
use super::health::{Health, Readiness};
use super::limit::Limits;
use super::submit::Turns;
use super::telemetry::metrics::Metrics;
use crate::cluster::record::{ExportStore, ScheduleStore};
use crate::cluster::{AppIndex, Live};
use crate::error::Error;

/// Shared by all requests, in an `Arc`.
pub(super) struct State {
    pub(super) live: Live,
    pub(super) exports: ExportStore,
    pub(super) schedules: ScheduleStore,
    /// What there is to export.
    pub(super) index: AppIndex,
    /// Whether this replica carries out exports.
    pub(super) leads: watch::Receiver<bool>,
    pub(super) health: Health,
    pub(super) limits: Limits,
    pub(super) metrics: Arc<Metrics>,
    /// How long what runs may end at a stop.
    pub(super) drain: Duration,
    /// Namespace with the destinations' Secrets, if it was said.
    pub(super) system_namespace: Option<String>,
    /// Finds out who asks.
    pub(super) door: Arc<dyn Authenticator>,
    /// Of which namespaces anything is said.
    pub(super) namespaces: Served,
    /// Decides what they may.
    pub(super) authorizer: Arc<dyn Authorizer>,
    /// Says in a record that a door made it.
    pub(super) marks: Marks,
    /// Whose turn it is to ask for an export.
    pub(super) turns: Turns,
    /// Exports that wait at most.
    pub(super) queue: usize,
    /// Hosts of our own surroundings of which images are read.
    pub(super) local_sources: Vec<String>,
    /// Epinio's users, of whom its API asks more than rights.
    pub(super) users: Arc<Users>,
    pub(super) epinio: Epinio,
    /// Epinio's own server, if there is one beside this.
    pub(super) upstream: Option<Arc<Upstream>>,
}

impl State {
    /// # Errors
    /// When Epinio's own server cannot be called as it is configured.
    pub(super) fn new(
        live: Live,
        (exports, schedules, index): (ExportStore, ScheduleStore, AppIndex),
        leads: watch::Receiver<bool>,
        (rights, users): (Arc<Chain>, Arc<Users>),
        marks: Marks,
        metrics: Arc<Metrics>,
        config: &Config,
    ) -> Result<Self, Error> {
        let upstream = config.epinio.upstream.as_ref().map(Upstream::new).transpose()?;
        Ok(Self {
            live,
            exports,
            schedules,
            index,
            leads,
            health: Health::default(),
            limits: Limits::new(config.rate),
            metrics,
            drain: config.drain,
            system_namespace: config.exports.system_namespace.clone(),
            door: Arc::clone(&rights) as Arc<dyn Authenticator>,
            namespaces: config.namespaces.clone(),
            authorizer: rights,
            marks,
            turns: Turns::default(),
            queue: config.exports.limits.waiting,
            local_sources: config.exports.local_sources.clone(),
            users,
            epinio: config.epinio.clone(),
            upstream: upstream.map(Arc::new),
        })
    }

    /// Whether requests should come here.
    pub(super) fn readiness(&self) -> Readiness {
        let (exports, leads) = (self.exports.health(), *self.leads.borrow());
        self.health.readiness(Instant::now(), &exports, self.index.unread(), leads)
    }
}
