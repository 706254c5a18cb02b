//! Answers that are no success, as the specification writes them.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::registry::Error;

/// A status with a code of the specification (distribution-spec, "Error Codes").
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn not_found(code: &'static str, what: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, format!("{what} is not here"))
    }

    pub(super) fn invalid(code: &'static str, message: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message.to_string())
    }
}

/// Paths of this machine are for the log only.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match &error {
            Error::ContentMissing { reason, .. } => Self::new(
                StatusCode::NOT_FOUND,
                "MANIFEST_BLOB_UNKNOWN",
                format!("the manifest refers to content that was not pushed: {reason}"),
            ),
            Error::MalformedManifest { reason, .. } => Self::invalid("MANIFEST_INVALID", reason),
            _ => {
                tracing::error!(error = %error, "the layout cannot be used");
                let message = "the layout could not be read or written; see the server's log";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", message)
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "errors": [{ "code": self.code, "message": self.message }] });
        (self.status, json_body(&body)).into_response()
    }
}

/// A JSON body with its type.
pub(super) fn json_body(body: &Value) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string())
}
