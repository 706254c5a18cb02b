//! The way to the registry behind: who may pass, and the request and its answer as they are.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Door, State, TOKEN};

/// Headers that are of one connection and not of the message (RFC 9110 §7.6.1), and those that are for
/// this side alone.
const OWN: [header::HeaderName; 3] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::AUTHORIZATION];

/// Lets a request through to the registry behind, if its token does.
pub(super) async fn pass(door: &Door, parts: &Parts, body: Bytes) -> Response {
    if let Some(refusal) = refusal(&mut door.state.lock().unwrap(), parts) {
        return refusal;
    }
    // With the host as it came, so that what the registry says of locations leads here.
    let sent = door.client.request(parts.method.clone(), format!("{}{}", door.behind, parts.uri));
    let sent = sent.headers(passing(&parts.headers)).body(body).send().await;
    let Ok(answer) = sent else { return StatusCode::BAD_GATEWAY.into_response() };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    *response.headers_mut() = passing(answer.headers());
    *response.body_mut() = Body::from(answer.bytes().await.unwrap_or_default());
    response
}

fn refusal(state: &mut State, parts: &Parts) -> Option<Response> {
    let is_manifest = parts.method == Method::PUT && parts.uri.path().contains("/manifests/");
    state.is_ended |= state.ends_at_manifest && is_manifest;
    if password(&parts.headers).as_deref() != Some(TOKEN) || state.is_ended {
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"control-tower\"")];
        return Some((StatusCode::UNAUTHORIZED, ask).into_response());
    }
    let is_read = [Method::GET, Method::HEAD].contains(&parts.method);
    (state.is_pull_only && !is_read).then(|| StatusCode::FORBIDDEN.into_response())
}

/// The password of a request, whatever its user is called.
fn password(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let login = String::from_utf8(STANDARD.decode(given).ok()?).ok()?;
    Some(login.split_once(':')?.1.to_owned())
}

fn passing(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for own in OWN {
        headers.remove(own);
    }
    headers
}
