//! What operators see: metrics for Prometheus, and Events at what was exported. Logs are everywhere;
//! the audit is in [`super::audit`].

mod destinations;
pub mod events;
pub mod metrics;
mod records;
mod schedules;

pub(super) use destinations::look;
pub(super) use metrics::listener;
