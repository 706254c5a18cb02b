//! What Epinio's answers look like: JSON as Go's encoder writes it, and refusals in an envelope.
//!
//! ```json
//! {"errors":[{"status":404,"title":"application 'shop' does not exist","details":"…"}]}
//! ```

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::cluster;
use crate::error::{Code, Error};
use crate::server::problem::{AWAY, Foreign, Problem};
use crate::server::request::RequestId;

const JSON: &str = "application/json; charset=utf-8";

/// An answer in JSON.
pub(super) struct Json<T>(pub(super) T);

/// A refusal. Layers and handlers answer with it, and [`written`] writes it down.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// None of a failure whose words are for the log alone.
    title: Option<String>,
    details: Option<String>,
    retry_after: Option<Duration>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    errors: [One<'a>; 1],
}

#[derive(Serialize)]
struct One<'a> {
    status: u16,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a str>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, title: impl Into<String>) -> Self {
        Self { status, title: Some(title.into()), details: None, retry_after: None }
    }

    /// For what is not there: a namespace, an application.
    pub(super) fn absent(kind: &str, name: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{kind} '{name}' does not exist"))
    }

    /// For what cannot be found out now.
    pub(super) fn away(title: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, title).retry_after(AWAY)
    }

    /// What to do about it, or what Epinio says besides.
    pub(super) fn details(self, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..self }
    }

    #[cfg(test)]
    pub(super) fn title(&self) -> &str {
        self.title.as_deref().unwrap_or_default()
    }

    fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Of a status that a library gave, whose words are not for callers.
    fn bare(status: StatusCode) -> Self {
        let text = status.canonical_reason().filter(|_| !status.is_server_error());
        Self { status, title: text.map(str::to_owned), details: None, retry_after: None }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let (code, detail, details, retry_after) = problem.into_parts();
        let status = StatusCode::from_u16(code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, title: (code != Code::Internal).then_some(detail), details, retry_after }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<cluster::Error> for Refusal {
    fn from(error: cluster::Error) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            // What is of one caller belongs into nobody's cache.
            Ok(text) => {
                let headers = [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, "no-store")];
                (StatusCode::OK, headers, go(&text)).into_response()
            }
            Err(error) => {
                Problem::from(Error::Output { reason: error.to_string() }).into_response()
            }
        }
    }
}

/// JSON with what Go's encoder escapes so that HTML may hold it. Outside of strings JSON has none of
/// these.
fn go(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text
}

/// Writes down the refusal that `response` stands for, be it one of ours or of a layer's.
pub(super) fn written(response: Response, id: Option<&RequestId>) -> Response {
    if response.extensions().get::<Foreign>().is_some() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    let refusal = match (parts.extensions.remove(), parts.extensions.remove::<Problem>()) {
        (Some(refusal), _) => refusal,
        (None, Some(problem)) => problem.into(),
        (None, None) if is_error => Refusal::bare(parts.status),
        (None, None) => return Response::from_parts(parts, body),
    };
    let Refusal { status, title, details, retry_after } = refusal;
    let title = title.unwrap_or_else(|| {
        let id = id.map_or("", RequestId::as_str);
        format!("something bad happened [request ID: {id}]")
    });
    let one = One { status: status.as_u16(), title: &title, details: details.as_deref() };
    let text = serde_json::to_string(&Envelope { errors: [one] }).unwrap_or_default();
    parts.status = status;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    parts.headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(wait) = retry_after {
        let seconds = wait.as_secs_f64().ceil().max(1.0);
        if let Ok(seconds) = HeaderValue::try_from(format!("{seconds}")) {
            parts.headers.insert(header::RETRY_AFTER, seconds);
        }
    }
    Response::from_parts(parts, Body::from(go(&text)))
}
