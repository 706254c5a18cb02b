//! What is around the routes: who asks, the version, and the form of refusals.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::envelope::{self, Refusal};
use super::upstream;
use crate::server::auth::AuthError;
use crate::server::caller::{Unknown, recognise};
use crate::server::problem::Problem;
use crate::server::request::RequestId;
use crate::server::state;

const VERSION: HeaderName = HeaderName::from_static("epinio-version");

/// The outermost: refusals leave in their envelope.
pub(super) async fn out(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    envelope::written(next.run(request).await, id.as_ref())
}

/// Finds out who asks. From here on every answer says which version of Epinio this is.
pub(super) async fn known(
    State(state): State<Arc<state::State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Response {
    match recognise(&state, peer.ip(), id, &mut request).await {
        Ok(()) => {}
        Err(Unknown::TooOften(wait)) => return Problem::too_often(wait).into_response(),
        Err(Unknown::Nobody(error)) => return nobody(error).into_response(),
    }
    let mut response = next.run(request).await;
    if let Ok(version) = HeaderValue::from_str(&upstream::version(&state)) {
        response.headers_mut().insert(VERSION, version);
    }
    response
}

/// In Epinio's words, which tell more than we would of who exists.
fn nobody(error: AuthError) -> Refusal {
    let title = match error {
        AuthError::Missing => "missing credentials",
        AuthError::Scheme => "not supported Authorization Header",
        AuthError::Malformed => "Couldn't extract user or password from the auth header",
        AuthError::Token => "token verification failed",
        AuthError::Expired => "token verification failed: token is expired",
        AuthError::UserUnknown => "user not found",
        AuthError::UserTwice => "user is defined multiple times",
        AuthError::WrongPassword => "wrong user or password",
        AuthError::Unavailable => return Refusal::away("credentials cannot be verified now"),
    };
    Refusal::new(StatusCode::UNAUTHORIZED, title)
}
