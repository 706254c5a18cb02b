//! The routes and the layers around them.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;

use super::problem::{Problem, panicked};
use super::request::outermost;
use super::state::State;
use super::telemetry::metrics::Metrics;
use super::{epinio, health, limit, native, openapi, routes};
use crate::error::Code;

/// Everything that is served.
pub(super) fn router(state: &Arc<State>) -> Router {
    let at_once = from_fn_with_state(Arc::clone(state), limit::at_once);
    let strangers = from_fn_with_state(Arc::clone(state), limit::strangers);
    let routes = Router::new()
        .merge(routes::router(health::table()))
        .method_not_allowed_fallback(wrong_method)
        .merge(native::routes(state).merge(openapi::routes(state)).layer(at_once))
        .merge(epinio::routes(state))
        .fallback_service(unknown.layer(strangers).with_state(()));
    layers(routes.with_state(Arc::clone(state)), Arc::clone(&state.metrics))
}

/// What is around every route.
fn layers(routes: Router, metrics: Arc<Metrics>) -> Router {
    let catch = CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| panicked(panic.as_ref()));
    routes.layer(catch).layer(from_fn_with_state(metrics, outermost))
}

pub(super) async fn unknown(uri: Uri) -> Problem {
    Problem::new(Code::RouteUnknown, format!("there is no route `{}`", uri.path()))
}

pub(super) async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not know the method {method}", uri.path());
    Problem::new(Code::MethodNotAllowed, detail)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::{Body, to_bytes};
    use axum::extract::ConnectInfo;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    /// The text of a panic went nowhere, and the connection broke.
    #[tokio::test]
    async fn a_panic_is_a_problem_that_says_nothing_of_it() {
        async fn panics() -> &'static str {
            panic!("canary")
        }
        let routes = Router::new().route("/boom", get(panics));
        let app = layers(routes, Arc::new(Metrics::default()));
        let mut request = Request::get("/boom").body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&problem["code"], &problem["instance"]), (&"INTERNAL".into(), &"/boom".into()));
        assert!(!String::from_utf8_lossy(&body).contains("canary"));
    }
}
