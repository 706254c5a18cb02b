//! Pages of another origin that call Epinio's API from a browser (CORS), as Epinio allows them.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// With credentials neither list may be a wildcard.
const METHODS: HeaderValue = HeaderValue::from_static("POST, PUT, PATCH, GET, OPTIONS, DELETE");
const HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization,x-api-csrf,content-type,file-size");

/// Allows pages of `origin` whatever its users may. A browser asks for that with `OPTIONS`, without
/// credentials, so that it is answered before anything else is looked at.
pub(super) async fn allow(
    State(origin): State<HeaderValue>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    response
}
