//! What every request may use.

use tokio::sync::watch;

use super::Config;
use super::health::Health;
use super::limit::Limits;
use crate::cluster::Live;
use crate::cluster::record::ExportStore;

/// Shared by all requests, in an `Arc`.
pub(super) struct State {
    pub(super) live: Live,
    pub(super) exports: ExportStore,
    /// Whether this replica carries out exports.
    pub(super) leads: watch::Receiver<bool>,
    pub(super) health: Health,
    pub(super) limits: Limits,
}

impl State {
    pub(super) fn new(
        live: Live,
        exports: ExportStore,
        leads: watch::Receiver<bool>,
        config: &Config,
    ) -> Self {
        Self { live, exports, leads, health: Health::default(), limits: Limits::new(config.rate) }
    }
}
