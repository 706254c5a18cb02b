//! What every request may use.

use super::Config;
use super::health::Health;
use super::limit::Limits;
use crate::cluster::Live;

/// Shared by all requests, in an `Arc`.
pub(super) struct State {
    pub(super) live: Live,
    pub(super) health: Health,
    pub(super) limits: Limits,
}

impl State {
    pub(super) fn new(live: Live, config: &Config) -> Self {
        Self { live, health: Health::default(), limits: Limits::new(config.rate) }
    }
}
