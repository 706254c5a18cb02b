//! What is around the routes: who asks, the version, and the form of refusals.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::envelope::{self, Refusal};
use crate::server::audit::{self, About, Decision, Entry, Event};
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
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match recognise(&state, peer.ip(), &mut request).await {
        Ok(caller) => caller,
        Err(Unknown::TooOften(wait)) => return Problem::too_often(wait).into_response(),
        Err(Unknown::Nobody(error)) => {
            let refusal = nobody(error);
            if error != AuthError::Unavailable {
                audit::write(&Entry {
                    event: Event::LoginFail,
                    caller: None,
                    about: About::default(),
                    decision: Decision::Deny,
                    reason: Some(&error.to_string()),
                    request_id: request.extensions().get().map_or("", RequestId::as_str),
                    source: Some(peer.ip()),
                });
            }
            return refusal.into_response();
        }
    };
    request.extensions_mut().insert(Arc::new(caller));
    let mut response = next.run(request).await;
    if let Ok(version) = HeaderValue::from_str(&state.epinio.version) {
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
        AuthError::UserUnknown => "user not found",
        AuthError::UserTwice => "user is defined multiple times",
        AuthError::WrongPassword => "wrong user or password",
        AuthError::Unavailable => return Refusal::away("credentials cannot be verified now"),
    };
    Refusal::new(StatusCode::UNAUTHORIZED, title)
}
