//! The native API, `/v1`. Nothing of it is reached without authentication: one layer is around all
//! of its routes, and handlers take what that layer puts in ([`Asked`]).

mod apps;
mod asked;
mod destinations;
mod events;
mod exports;
mod history;
mod lists;
mod metrics;
mod model;
mod plan;
mod query;
mod report;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};

use super::router::{unknown, wrong_method};
use super::state::State;

use asked::Asked;

/// The routes with their authentication. Whoever is nobody learns of no route.
pub(super) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    Router::new()
        .route("/v1/destinations", get(destinations::list))
        .route("/v1/destinations/{name}", get(destinations::one))
        .route("/v1/destinations/{name}/check", post(destinations::check))
        .route("/v1/apps", get(lists::all))
        .route("/v1/namespaces/{ns}/apps", get(lists::of_namespace))
        .route("/v1/namespaces/{ns}/apps/{app}", get(apps::one))
        .route("/v1/namespaces/{ns}/apps/{app}/plan", post(plan::plan))
        .route("/v1/namespaces/{ns}/apps/{app}/diff", post(plan::diff))
        .route("/v1/namespaces/{ns}/apps/{app}/history", get(history::history))
        .route("/v1/exports", get(exports::all))
        .route("/v1/namespaces/{ns}/exports", get(exports::of_namespace).post(exports::create))
        .route("/v1/namespaces/{ns}/exports/{name}", get(exports::one))
        .route("/v1/namespaces/{ns}/exports/{name}/cancel", post(exports::cancel))
        .route("/v1/namespaces/{ns}/exports/{name}/events", get(events::events))
        .route("/v1/namespaces/{ns}/exports/{name}/report", get(report::report))
        .route("/metrics", get(metrics::all))
        .route("/v1", any(unknown))
        .route("/v1/", any(unknown))
        .route("/v1/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(state), asked::authenticate))
}
