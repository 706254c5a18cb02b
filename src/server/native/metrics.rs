//! `/metrics` beside the APIs, for those who may `get` that path.

use axum::response::Response;

use super::Asked;
use crate::server::audit::{About, Event};
use crate::server::auth::Right;
use crate::server::problem::Problem;

/// `GET /metrics`
pub(super) async fn all(asked: Asked) -> Result<Response, Problem> {
    asked.need(&Right::Metrics, Event::Read, About::default()).await?;
    Ok(asked.state.metrics.answer())
}
