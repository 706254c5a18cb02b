//! JSON out.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::Problem;
use crate::error::Error;

/// An answer in JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(text) => {
                let headers = [
                    (header::CONTENT_TYPE, "application/json"),
                    // What is of one caller belongs into nobody's cache.
                    (header::CACHE_CONTROL, "no-store"),
                ];
                (StatusCode::OK, headers, text).into_response()
            }
            Err(error) => {
                Problem::from(Error::Output { reason: error.to_string() }).into_response()
            }
        }
    }
}
