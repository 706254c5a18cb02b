//! The native API, `/v1`. Nothing of it is reached without authentication: one layer is around all
//! of its routes, and handlers take what that layer puts in ([`Asked`]).

mod apps;
mod asked;
mod destinations;
mod events;
mod exports;
mod headers;
mod history;
mod lists;
mod metrics;
mod model;
mod plan;
mod prune;
mod query;
mod report;
mod schedules;
mod table;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use super::router::{unknown, wrong_method};
use super::routes::router;
use super::state::State;

use asked::Asked;

pub(super) use table::table;

/// The routes with their authentication. Whoever is nobody learns of no route.
pub(super) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    router(table())
        .route("/v1", any(unknown))
        .route("/v1/", any(unknown))
        .route("/v1/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(state), asked::authenticate))
}
