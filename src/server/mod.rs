//! The server: what the command line does, for many users, in the cluster.
//!
//! ```text
//!  listen ─► request ─► catch panic ─► limit ─► auth ─► handler ─► auth::Authorizer
//!  TLS       id, log,                                     │
//!            problem ◄────────────────────────────────────┘
//! ```
//!
//! `docs/SERVER.md` is its design.

pub mod audit;
pub mod auth;
mod caller;
mod config;
mod epinio;
mod health;
mod http1;
mod json;
mod limit;
mod listen;
mod native;
mod notify;
mod openapi;
mod page;
mod problem;
mod request;
mod router;
mod routes;
mod shutdown;
mod state;
mod submit;
pub mod telemetry;
mod tls;
mod watching;
pub mod work;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use axum_server::Handle;
use tokio_util::sync::CancellationToken;

use crate::cluster::Live;
use crate::error::Error;

pub use config::{Config, EPINIO_VERSION, Epinio, Origin, Tls, Upstream};
pub use epinio::table as epinio_routes;
pub use openapi::document as openapi;

use auth::epinio::Users;
use auth::{Chain, Clock, Kubernetes, Marks};
use state::State;
use telemetry::metrics::Metrics;
use work::{Controller, Known};

/// Serves until `shutdown` comes and what runs then has ended, or [`Config::drain`] is over.
///
/// # Errors
/// When the settings do not go together, a certificate or the address cannot be used, or there is
/// no configuration for the cluster. A cluster that does not answer is no error: `/readyz` says so.
pub async fn serve(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    config.check()?;
    let proxies = config.front_proxy_ca.as_deref();
    let load = |tls| tls::Certificates::load(tls, config.listen, proxies);
    let certificates = config.tls.as_ref().map(load).transpose()?;
    let live = Live::connect(&config.cluster).await?;
    let listener = listen::bind(config.listen)?;
    let for_metrics = config.metrics_listen.map(listen::bind).transpose()?;
    let (rights, users) = rights(&live, &config).map_err(|source| Error::Runtime { source })?;
    let namespaces = config.namespaces.names();
    let (store, index) = (live.watch_exports(namespaces), live.watch_apps(namespaces));
    let schedules = live.watch_schedules(namespaces);
    let settings = config.exports.clone();
    let marks = Marks::new(live.clone(), settings.system_namespace.clone());
    let known = Known { exports: store.clone(), schedules: schedules.clone(), apps: index.clone() };
    let metrics = Metrics::default().with_watches(known.clone(), config.metrics_apps);
    let metrics = Arc::new(metrics);
    let controller = Controller::new(
        live.clone(),
        known,
        rights.clone(),
        marks.clone(),
        Arc::clone(&metrics),
        settings,
    );
    let (leads, who) = (controller.leads(), (rights, users));
    let watches = (store, schedules, index);
    let state = State::new(live, watches, leads, who, marks, Arc::clone(&metrics), &config)?;
    let state = Arc::new(state);
    let stop = CancellationToken::new();
    let working = tokio::spawn(controller.run(stop.clone()));
    let handle = Handle::new();
    let app = router::router(&state);
    let served = listen::serve(listener, certificates.as_ref(), app, handle.clone());
    let stopped = async {
        shutdown.await;
        stop.cancel();
        shutdown::drain(&state.health, &handle, config.drain).await;
        std::future::pending::<()>().await; // `served` ends when the last connection does
    };
    let ended = tokio::select! {
        served = listen::metrics(for_metrics, telemetry::listener(metrics)) => {
            served.map_err(|source| Error::Runtime { source })
        }
        served = served => served.map_err(|source| Error::Listen { address: config.listen, source }),
        () = stopped => Ok(()),
        () = state.health.watch(&state.live) => Ok(()),
        () = tls::follow(certificates.as_ref()) => Ok(()),
        () = epinio::follow(state.upstream.as_deref()) => Ok(()),
    };
    stop.cancel();
    if let Err(error) = working.await {
        tracing::error!("exports ended before the server: {error}");
    }
    ended
}

/// Who is known, and what they may; and Epinio's users among them.
fn rights(live: &Live, config: &Config) -> io::Result<(Arc<Chain>, Arc<Users>)> {
    let clock: Clock = Arc::new(Instant::now);
    let audiences = config.token_audiences.clone();
    let kubernetes = Kubernetes::new(live.clone(), audiences, Arc::clone(&clock))?;
    let system_namespace = config.exports.system_namespace.clone();
    let users = Users::new(live.clone(), system_namespace, config.epinio.users, clock)?;
    let users = Arc::new(users);
    let chain = Chain::new(Arc::new(kubernetes), Arc::clone(&users), config.namespaces.clone());
    Ok((Arc::new(chain), users))
}
