//! The end: not ready, then no new connections, then the open ones, then gone.

use std::net::SocketAddr;
use std::time::Duration;

use axum_server::Handle;

use super::health::Health;

/// Kubernetes takes a pod that ends out of its Services while it is told to end. Until that has
/// come round, requests still arrive here, and are served.
const LINGER: Duration = Duration::from_secs(5);

/// Ends the listening in at most `drain`: first `/readyz` says that requests should go elsewhere,
/// then the listener closes, and open requests may end in what is left of the time.
pub(super) async fn drain(health: &Health, handle: &Handle<SocketAddr>, drain: Duration) {
    health.stop();
    let linger = LINGER.min(drain / 4);
    tracing::info!(seconds = drain.as_secs(), open = handle.connection_count(), "stopping");
    tokio::time::sleep(linger).await;
    handle.graceful_shutdown(Some(drain - linger));
}
