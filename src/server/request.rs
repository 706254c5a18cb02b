//! The outermost layer: each request gets an id, a span and a line in the log.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::problem;
use super::telemetry::metrics::Metrics;

/// Where callers give an id of their own, and find the one that was used.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a caller.
const MAX_ID: usize = 64;

/// What ties an answer to the lines about it in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestId(String);

impl RequestId {
    /// The caller's own if it can stand in a log, else one that is made up.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match given.filter(|id| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(plain)) {
            Some(id) => Self(id.to_owned()),
            None => Self(format!("{:016x}", fastrand::u64(..))),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs a request within a span that has its id, writes down what failed, and logs the end.
/// The query is not logged: callers put into it what they like.
pub(super) async fn outermost(
    State(metrics): State<Arc<Metrics>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let is_probe = matches!(route, "/healthz" | "/readyz");
    let span = tracing::info_span!("request", %id, route, user = tracing::field::Empty);
    let response = next.run(request).instrument(span.clone()).await;
    let mut response = problem::render(response, &path, &id);
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().entry(HEADER).or_insert(id);
    }
    let (status, took) = (response.status().as_u16(), started.elapsed());
    metrics.request(route, status, took);
    let ms = took.as_millis();
    let _entered = span.entered();
    if is_probe && response.status().is_success() {
        tracing::debug!(target: "access", %peer, %method, path, status, ms);
    } else {
        tracing::info!(target: "access", %peer, %method, path, status, ms);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_line_of_the_log_is_replaced() {
        let of = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_bytes(id.as_bytes()).unwrap());
            RequestId::of(&headers)
        };
        assert_eq!(of("a-1_b.C").as_str(), "a-1_b.C");
        for bad in ["", "a b", "a\tb", "é", &"x".repeat(MAX_ID + 1)] {
            let made = of(bad);
            assert_eq!(made.as_str().len(), 16, "{made}");
            assert_ne!(made, of(bad));
        }
    }
}
