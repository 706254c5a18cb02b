//! Who asks: the layer that finds it out, and what handlers get of it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::destination::select;
use crate::error::{Code, Error};
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::{AuthError, Denied, Right, readable};
use crate::server::caller::{Sender, Unknown, recognise};
use crate::server::problem::Problem;
use crate::server::request::RequestId;
use crate::server::routes::{Argument, Takes};
use crate::server::state::State;
use crate::server::work::place::{Place, Wanted};

/// A request whose sender is known. Handlers of `/v1` cannot be written without, and there is none
/// where [`authenticate`] has not been.
pub(super) struct Asked {
    pub(super) state: Arc<State>,
    pub(super) sender: Sender,
}

/// Finds out who asks before anything else is looked at.
pub(super) async fn authenticate(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(id): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Response {
    match recognise(&state, peer.ip(), id, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(Unknown::TooOften(wait)) => Problem::too_often(wait).into_response(),
        Err(Unknown::Nobody(error)) => nobody(error),
    }
}

/// What those get who are not known.
fn nobody(error: AuthError) -> Response {
    if error == AuthError::Unavailable {
        return Problem::new(Code::AuthUnavailable, error.to_string()).into_response();
    }
    let problem = Problem::new(Code::Unauthenticated, error.to_string())
        .hint("send `Authorization: Bearer TOKEN`, such as of `kubectl create token`");
    let mut response = problem.into_response();
    let challenge = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

impl Asked {
    /// The destination of this name, for applications of `namespace`, as exports of the server see it.
    ///
    /// # Errors
    /// When there is none, it cannot be used, or it is not for that namespace.
    pub(super) async fn place(
        &self,
        destination: &str,
        namespace: &str,
        pull_secrets: bool,
    ) -> Result<Place, Error> {
        let State { live, system_namespace, local_sources, authorizer, .. } = self.state.as_ref();
        let system = select::system_namespace(live, system_namespace.as_deref()).await?;
        let caller = Some(self.sender.caller.as_ref());
        let wanted = Wanted { destination, namespace, pull_secrets, caller };
        Place::read(live, &system, local_sources, authorizer.as_ref(), wanted).await
    }

    /// Whether the caller has the right. Asked before anything is looked up, so that a refusal says
    /// nothing of what exists.
    ///
    /// # Errors
    /// 403, which is written into the audit, or 503 when it cannot be found out.
    pub(super) async fn need(
        &self,
        right: &Right,
        event: Event,
        about: About<'_>,
    ) -> Result<(), Problem> {
        let Err(denied) = self.state.authorizer.allow(&self.sender.caller, right).await else {
            return Ok(());
        };
        let text = denied.to_string();
        let code = match denied {
            Denied::Unavailable => {
                return Err(Problem::new(Code::AuthUnavailable, text));
            }
            Denied::Forbidden => Code::Forbidden,
            Denied::Kinds(_) => Code::KindNotReadable,
        };
        self.sender.audit(event, about, Decision::Deny, Some(&text));
        Err(Problem::new(code, text))
    }

    /// Those of the namespaces whose applications the caller may see.
    ///
    /// # Errors
    /// 503 when it cannot be found out.
    pub(super) async fn readable(&self, namespaces: Vec<String>) -> Result<Vec<String>, Problem> {
        let readable = readable(&*self.state.authorizer, &self.sender.caller, namespaces).await;
        readable.map_err(|denied| Problem::new(Code::AuthUnavailable, denied.to_string()))
    }

    /// Whether the caller has the right, where the answer only decides what is shown.
    ///
    /// # Errors
    /// 503 when it cannot be found out.
    pub(super) async fn may(&self, right: &Right) -> Result<bool, Problem> {
        match self.state.authorizer.allow(&self.sender.caller, right).await {
            Ok(()) => Ok(true),
            Err(denied @ Denied::Unavailable) => {
                let text = denied.to_string();
                Err(Problem::new(Code::AuthUnavailable, text))
            }
            Err(_) => Ok(false),
        }
    }
}

impl FromRequestParts<Arc<State>> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<State>,
    ) -> Result<Self, Self::Rejection> {
        let sender = Sender::from_request_parts(parts, state).await?;
        Ok(Self { state: Arc::clone(state), sender })
    }
}

impl Argument for Asked {
    fn describe(takes: &mut Takes) {
        takes.sender = true;
        takes.refuses.extend([
            Code::Unauthenticated,
            Code::RateLimited,
            Code::AuthUnavailable,
            Code::Overloaded,
        ]);
    }
}
