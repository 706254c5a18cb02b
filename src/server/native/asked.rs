//! Who asks: the layer that finds it out, and what handlers get of it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::destination::select;
use crate::error::{Code, Error};
use crate::server::audit::{self, About, Decision, Entry, Event};
use crate::server::auth::{AuthError, Caller, Denied, Right};
use crate::server::caller::{Unknown, recognise};
use crate::server::problem::Problem;
use crate::server::request::RequestId;
use crate::server::state::State;
use crate::server::work::place::Place;

/// When to come back while the API server does not answer reviews.
pub(super) const AWAY: Duration = Duration::from_secs(5);

/// A request whose sender is known. Handlers of `/v1` cannot be written without, and there is none
/// where [`authenticate`] has not been.
pub(super) struct Asked {
    pub(super) state: Arc<State>,
    caller: Arc<Caller>,
    id: RequestId,
    source: IpAddr,
}

/// Finds out who asks before anything else is looked at.
pub(super) async fn authenticate(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = match recognise(&state, peer.ip(), &mut request).await {
        Ok(caller) => caller,
        Err(Unknown::TooOften(wait)) => return Problem::too_often(wait).into_response(),
        Err(Unknown::Nobody(error)) => {
            return nobody(error, request.extensions().get(), peer.ip());
        }
    };
    request.extensions_mut().insert(Arc::new(caller));
    next.run(request).await
}

/// What those get who are not known.
fn nobody(error: AuthError, id: Option<&RequestId>, source: IpAddr) -> Response {
    let text = error.to_string();
    if error == AuthError::Unavailable {
        return Problem::new(Code::AuthUnavailable, text).retry_after(AWAY).into_response();
    }
    audit::write(&Entry {
        event: Event::LoginFail,
        caller: None,
        about: About::default(),
        decision: Decision::Deny,
        reason: Some(&text),
        request_id: id.map_or("", RequestId::as_str),
        source: Some(source),
    });
    let problem = Problem::new(Code::Unauthenticated, text)
        .hint("send `Authorization: Bearer TOKEN`, such as of `kubectl create token`");
    let mut response = problem.into_response();
    let challenge = HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

impl Asked {
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Identity of the request.
    pub(super) fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Address of who sent it.
    pub(super) fn source(&self) -> IpAddr {
        self.source
    }

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
        let State { live, system_namespace, local_sources, .. } = self.state.as_ref();
        let system = select::system_namespace(live, system_namespace.as_deref()).await?;
        Place::read(live, &system, destination, namespace, pull_secrets, local_sources).await
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
        let Err(denied) = self.state.authorizer.allow(&self.caller, right).await else {
            return Ok(());
        };
        let text = denied.to_string();
        let code = match denied {
            Denied::Unavailable => {
                return Err(Problem::new(Code::AuthUnavailable, text).retry_after(AWAY));
            }
            Denied::Forbidden => Code::Forbidden,
            Denied::Kinds(_) => Code::KindNotReadable,
        };
        self.audit(event, about, Decision::Deny, Some(&text));
        Err(Problem::new(code, text))
    }

    /// Whether the caller has the right, where the answer only decides what is shown.
    ///
    /// # Errors
    /// 503 when it cannot be found out.
    pub(super) async fn may(&self, right: &Right) -> Result<bool, Problem> {
        match self.state.authorizer.allow(&self.caller, right).await {
            Ok(()) => Ok(true),
            Err(denied @ Denied::Unavailable) => {
                let text = denied.to_string();
                Err(Problem::new(Code::AuthUnavailable, text).retry_after(AWAY))
            }
            Err(_) => Ok(false),
        }
    }

    /// Writes into the audit what the caller did.
    pub(super) fn audit(
        &self,
        event: Event,
        about: About<'_>,
        decision: Decision,
        reason: Option<&str>,
    ) {
        audit::write(&Entry {
            event,
            caller: Some(&self.caller),
            about,
            decision,
            reason,
            request_id: self.id.as_str(),
            source: Some(self.source),
        });
    }
}

impl FromRequestParts<Arc<State>> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<State>,
    ) -> Result<Self, Self::Rejection> {
        let caller = parts.extensions.get::<Arc<Caller>>().cloned();
        let id = parts.extensions.get::<RequestId>().cloned();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        match (caller, id, peer) {
            (Some(caller), Some(id), Some(source)) => {
                Ok(Self { state: Arc::clone(state), caller, id, source })
            }
            // A route outside of the layer: a fault of ours, which opens nothing.
            _ => Err(Problem::new(Code::Internal, Code::Internal.title())),
        }
    }
}
