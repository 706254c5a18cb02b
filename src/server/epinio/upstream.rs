//! Epinio's own server beside this one: what of its API is none of ours goes there as it came, with the
//! caller's own credentials, which are verified there. Nothing is kept of what passes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum_reverse_proxy::{
    HostBehaviour, ProxyError, ProxyPolicy, ReverseProxy, TunnelGuard, XForwardedFor,
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{sleep, timeout};

use super::envelope::Refusal;
use super::info::Info;
use crate::error::Error;
use crate::server::caller::Attempt;
use crate::server::config;
use crate::server::problem::{Foreign, Problem};
use crate::server::{state, tls};

/// A server in the same cluster that takes longer to connect is away.
const CONNECT: Duration = Duration::from_secs(10);

/// How long it may take to begin its answer: as long as Epinio's client waits.
const ANSWER: Duration = Duration::from_secs(15 * 60);

/// How long it may take to agree to a websocket. It looks at roles and namespaces before.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// How often it is asked what it is.
const EVERY: Duration = Duration::from_secs(60);

/// How often while it has not answered yet: until then clients are told a version that is not its.
const AGAIN: Duration = Duration::from_secs(2);

/// How long that may take, and the largest answer that is read.
const PATIENCE: Duration = Duration::from_secs(10);
const MAX_INFO: usize = 64 << 10;

type Connector = HttpsConnector<HttpConnector>;

/// The way to Epinio's own server.
pub(in crate::server) struct Upstream {
    proxy: ReverseProxy<Connector>,
    client: Client<Connector, Body>,
    url: String,
    /// What it said last of itself.
    info: RwLock<Option<Info>>,
}

impl Upstream {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When the authorities cannot be read, or have nothing to do.
    pub(in crate::server) fn new(config: &config::Upstream) -> Result<Self, Error> {
        if config.ca.is_some() && !config.url.is_https() {
            return Err(Error::Arguments {
                text: format!("{} has no certificate that authorities sign", config.url),
                hint: "leave out `--epinio-upstream-ca`, or give an address with https",
            });
        }
        let connector = connector(config.ca.as_deref())?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let url = config.url.to_string();
        let policy = ProxyPolicy::new()
            .with_host_behaviour(HostBehaviour::Preserve)
            .with_x_forwarded_for(XForwardedFor::Preserve)
            .with_websocket_connect_timeout(HANDSHAKE)
            .with_upstream_timeout(ANSWER);
        let proxy = ReverseProxy::new_with_client("/", url.clone(), client.clone());
        Ok(Self { proxy: proxy.with_policy(policy), client, url, info: RwLock::default() })
    }

    /// What it said last of itself, if it has yet.
    pub(super) fn info(&self) -> Option<Info> {
        self.info.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks it what it is.
    ///
    /// # Errors
    /// Why nobody knows.
    async fn ask(&self) -> Result<Info, String> {
        let uri: Uri = format!("{}/api/v1/info", self.url).parse().map_err(|_| "no address")?;
        let asked = timeout(PATIENCE, async {
            let response = self.client.get(uri).await.map_err(|error| chain(&error))?;
            if response.status() != StatusCode::OK {
                return Err(format!("it answers {}", response.status()));
            }
            let body = to_bytes(Body::new(response.into_body()), MAX_INFO).await;
            body.map_err(|error| chain(&error))
        });
        let body = asked.await.map_err(|_| "it does not answer in time")??;
        serde_json::from_slice(&body)
            .map_err(|_| "it answers no information of Epinio's".to_owned())
    }
}

/// An error and what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Asks Epinio's own server now and again what it is, for ever.
pub(in crate::server) async fn follow(upstream: Option<&Upstream>) {
    let Some(upstream) = upstream else { return std::future::pending().await };
    loop {
        match upstream.ask().await {
            Ok(info) => {
                let mut known = upstream.info.write().unwrap_or_else(PoisonError::into_inner);
                *known = Some(info);
            }
            Err(error) => tracing::warn!(error, url = upstream.url, "Epinio's server is away"),
        }
        sleep(if upstream.info().is_some() { EVERY } else { AGAIN }).await;
    }
}

/// Which version of Epinio clients are told: its own server's, else ours.
pub(super) fn version(state: &state::State) -> String {
    let own = state.upstream.as_ref().and_then(|upstream| upstream.info());
    own.map_or_else(|| state.epinio.version.clone(), |info| info.version)
}

/// Hands a request to Epinio's own server, and its answer to the caller.
pub(super) async fn pass(
    State(state): State<Arc<state::State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    let Some(upstream) = &state.upstream else {
        return super::unknown(request.into_parts().0.uri).await.into_response();
    };
    let attempt = match Attempt::new(&state, peer.ip(), request.headers()) {
        Ok(attempt) => attempt,
        Err(wait) => return Problem::too_often(wait).into_response(),
    };
    match state.limits.passed() {
        // It is given back at the end of the answer, or of the websocket.
        Ok(room) => request.extensions_mut().insert(TunnelGuard::new(room)),
        Err(problem) => return problem.into_response(),
    };
    let Ok(mut response) = upstream.proxy.proxy_request(request).await;
    if let Some(error) = response.extensions().get::<ProxyError>() {
        return away(response.status(), error).into_response();
    }
    if response.status() == StatusCode::UNAUTHORIZED {
        attempt.refused(&state);
    }
    response.extensions_mut().insert(Foreign);
    response
}

/// What callers hear where Epinio's server does not answer. Addresses are for the log.
fn away(status: StatusCode, error: &ProxyError) -> Refusal {
    tracing::warn!(error = error.message(), "Epinio's server gave no answer");
    let title = match status {
        StatusCode::GATEWAY_TIMEOUT => "Epinio's own server did not answer in time",
        _ if error.is_connect() => "Epinio's own server cannot be reached",
        _ => "Epinio's own server broke off",
    };
    Refusal::new(status, title)
}

fn connector(ca: Option<&Path>) -> Result<Connector, Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT));
    let provider = Arc::new(aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Runtime { source: std::io::Error::other(error) })?
        .with_root_certificates(roots(ca)?)
        .with_no_client_auth();
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    Ok(https.wrap_connector(http))
}

/// The authorities of the system, and those of a file.
fn roots(ca: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::debug!(%error, "a root certificate of the system cannot be used");
    }
    roots.add_parsable_certificates(system.certs);
    let Some(path) = ca else { return Ok(roots) };
    for certificate in tls::authorities(path)? {
        let added = roots.add(certificate);
        added.map_err(|error| Error::Certificate {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
    }
    Ok(roots)
}
