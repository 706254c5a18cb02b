//! What a failure looks like: RFC 9457, `application/problem+json`.
//!
//! Handlers and layers answer with a [`Problem`]; [`render`], the outermost of all, writes it down,
//! as only there path and id of the request are known.

use std::any::Any;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::request::RequestId;
use crate::error::{Code, Error};
use crate::export::Plan;

/// Media type of a problem.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// When to come back to a server that cannot answer now, where nothing says otherwise.
pub(super) const AWAY: Duration = Duration::from_secs(5);

/// Where the meaning of a code is told.
const TYPES: &str = "https://outhaul.dev/problems/";

/// Marks an answer of somebody else's, in its extensions: it leaves as it is, whatever it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign;

/// A failure to tell a caller.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    code: Code,
    detail: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    /// The field of the body that it is about.
    field: Option<String>,
    /// The plan that findings stop.
    plan: Option<Box<Value>>,
}

/// A problem as it is written (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub(super) struct Document<'a> {
    /// Address of what it means.
    #[serde(rename = "type")]
    kind: String,
    /// What it means, in a sentence.
    title: &'static str,
    /// Status of the answer.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What happened here.
    detail: &'a str,
    /// Path of the request.
    instance: &'a str,
    /// What it is called, for programs.
    #[schemars(schema_with = "codes")]
    code: &'static str,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    /// Path of the field of the body that it is about, such as `spec.retention.maxAge`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// Identity of the request, for whoever looks into the log.
    request_id: &'a str,
    /// The plan that findings stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Plan>")]
    plan: Option<&'a Value>,
}

fn codes(_: &mut SchemaGenerator) -> Schema {
    let all: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json_schema!({"type": "string", "enum": all})
}

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after = (code.status() == 503).then_some(AWAY);
        Self { code, detail: detail.into(), hint: None, retry_after, field: None, plan: None }
    }

    /// For whoever sends more than is taken.
    pub(super) fn too_often(wait: Duration) -> Self {
        let detail = "you send more requests than are taken from one caller";
        Self::new(Code::RateLimited, detail).retry_after(wait)
    }

    /// For what has no place beside what is done already.
    pub(super) fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(Code::Overloaded, detail).retry_after(Duration::from_secs(1))
    }

    /// For what needs a resource of ours that the cluster does not know.
    pub(super) fn not_served(kind: &str) -> Self {
        let problem = Self::new(Code::CrdMissing, format!("the cluster has no resource {kind}"));
        let hint = "`kubectl apply -f deploy/crds` makes it";
        problem.hint(hint).retry_after(Duration::from_secs(30))
    }

    /// What to do about it.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The field that it is about.
    pub(super) fn field(self, path: impl Into<String>) -> Self {
        Self { field: Some(path.into()), ..self }
    }

    /// Shows the plan that is the reason.
    pub(super) fn with_plan(self, plan: Value) -> Self {
        Self { plan: Some(Box::new(plan)), ..self }
    }

    /// When to try again.
    pub(super) fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Its code, detail and hint, and when to try again: for a door with a form of its own.
    pub(super) fn into_parts(self) -> (Code, String, Option<String>, Option<Duration>) {
        (self.code, self.detail, self.hint, self.retry_after)
    }

    /// Of a status that somebody else gave: a library's refusal has no words for callers.
    fn bare(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => Code::RouteUnknown,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
            status if status.is_client_error() => Code::RequestInvalid,
            _ => Code::Internal,
        };
        Self::new(code, code.title())
    }

    fn document<'a>(&'a self, instance: &'a str, id: &'a RequestId) -> Document<'a> {
        let kind = self.code.as_str().to_ascii_lowercase().replace('_', "-");
        Document {
            kind: format!("{TYPES}{kind}"),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            instance,
            code: self.code.as_str(),
            hint: self.hint.as_deref(),
            field: self.field.as_deref(),
            request_id: id.as_str(),
            plan: self.plan.as_deref(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status());
        let mut response = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs_f64().ceil().max(1.0);
            if let Ok(seconds) = HeaderValue::try_from(format!("{seconds}")) {
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
            }
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes down the problem that `response` stands for; any other refusal becomes one.
pub(super) fn render(response: Response, instance: &str, id: &RequestId) -> Response {
    let (mut parts, body) = response.into_parts();
    let problem = match parts.extensions.remove::<Problem>() {
        Some(problem) => problem,
        None if is_refusal(&parts) => Problem::bare(parts.status),
        None => return Response::from_parts(parts, body),
    };
    let text = serde_json::to_string(&problem.document(instance, id)).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    let media_type = HeaderValue::from_static(MEDIA_TYPE);
    parts.headers.insert(header::CONTENT_TYPE, media_type);
    Response::from_parts(parts, Body::from(text))
}

/// `/readyz` and Epinio's API refuse with documents of their own, and Epinio's server as it likes.
fn is_refusal(parts: &axum::http::response::Parts) -> bool {
    let media_type = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    let is_told = media_type.is_some_and(|media_type| media_type.starts_with(b"application/json"));
    is_error && !is_told && parts.extensions.get::<Foreign>().is_none()
}

/// What a panic is answered with. Its text is for the log.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    tracing::error!(panic = text, "a request failed");
    Problem::bare(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code();
        let text = std::iter::once(error.to_string()).chain(error.causes()).collect::<Vec<_>>();
        let text = text.join(": ");
        if code == Code::Internal {
            tracing::error!(error = text, "a request failed");
            return Self::new(code, code.title());
        }
        Self { hint: error.hint(), ..Self::new(code, text) }
    }
}
