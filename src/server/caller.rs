//! Who sends a request: found out by every door before anything else of it is looked at, within the
//! limits of those who are not known yet.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum_server::tls::TlsInfo;

use super::audit::{self, About, Decision, Entry, Event};
use super::auth::{AuthError, Caller, Credentials, is_vouched_for};
use super::limit::place;
use super::problem::Problem;
use super::request::RequestId;
use super::state::State;
use crate::error::Code;

/// Longest part of a name by which wrong passwords are counted.
const MAX_NAME: usize = 64;

/// Who sends a request that was let in. It is in the request where [`recognise`] has been, and
/// nowhere else.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) caller: Arc<Caller>,
    /// Identity of the request.
    pub(super) id: RequestId,
    /// Address of who sent it.
    pub(super) source: IpAddr,
}

/// Why nobody is let in. Each door words it in its own way.
pub(super) enum Unknown {
    /// Too many requests, or too many wrong passwords.
    TooOften(Duration),
    /// Nobody is known by what was sent.
    Nobody(AuthError),
}

/// Finds out who sends `request`, and puts the [`Sender`] into it. Who is nobody is in the audit.
///
/// # Errors
/// When nobody is let in.
pub(super) async fn recognise(
    state: &State,
    source: IpAddr,
    id: RequestId,
    request: &mut Request,
) -> Result<(), Unknown> {
    match known(state, source, request).await {
        Ok(caller) => {
            request.extensions_mut().insert(Sender { caller: Arc::new(caller), id, source });
            Ok(())
        }
        Err(Unknown::Nobody(error)) => {
            if error != AuthError::Unavailable {
                audit::write(&Entry {
                    event: Event::LoginFail,
                    caller: None,
                    about: About::default(),
                    decision: Decision::Deny,
                    reason: Some(&error.to_string()),
                    request_id: id.as_str(),
                    source: Some(source),
                });
            }
            Err(Unknown::Nobody(error))
        }
        Err(unknown) => Err(unknown),
    }
}

async fn known(state: &State, peer: IpAddr, request: &mut Request) -> Result<Caller, Unknown> {
    let from = place(peer);
    state.limits.strangers.is_spent(&from, Instant::now()).map_err(Unknown::TooOften)?;
    let connection = request.extensions().get::<Arc<TlsInfo>>().cloned();
    let vouched = is_vouched_for(connection.as_deref());
    let (kind, known) = match Credentials::take(request.headers_mut(), vouched) {
        Ok(credentials) => (credentials.kind(), admit(state, &credentials, from).await),
        Err(error) => ("none", Err(Unknown::Nobody(error))),
    };
    let result = match &known {
        Ok(_) => "ok",
        Err(Unknown::Nobody(error)) => error.as_str(),
        Err(Unknown::TooOften(_)) => "too-often",
    };
    state.metrics.authentication(kind, result);
    match known {
        Ok(caller) => {
            tracing::Span::current().record("user", &caller.user);
            let taken = state.limits.users.take(caller.user.clone(), Instant::now());
            taken.map(|()| caller).map_err(Unknown::TooOften)
        }
        Err(unknown) => {
            let _ = state.limits.strangers.take(from, Instant::now());
            Err(unknown)
        }
    }
}

/// Credentials that somebody else verifies: who guesses there by way of us is as slow as here.
pub(super) struct Attempt {
    from: IpAddr,
    /// By name and address, if it is a password.
    guess: Option<(String, IpAddr)>,
}

impl Attempt {
    /// What `headers` try.
    ///
    /// # Errors
    /// How long to wait after too much that was refused.
    pub(super) fn new(state: &State, peer: IpAddr, headers: &HeaderMap) -> Result<Self, Duration> {
        let (from, now) = (place(peer), Instant::now());
        state.limits.strangers.is_spent(&from, now)?;
        let guess = match Credentials::authorization(headers) {
            Ok(Credentials::Basic { user, .. }) => Some(guess(&user, from)),
            _ => None,
        };
        if let Some(guess) = &guess {
            state.limits.failures.is_spent(guess, now)?;
        }
        Ok(Self { from, guess })
    }

    /// Counts that it was refused.
    pub(super) fn refused(self, state: &State) {
        let now = Instant::now();
        let _ = state.limits.strangers.take(self.from, now);
        if let Some(guess) = self.guess {
            let _ = state.limits.failures.take(guess, now);
        }
    }
}

/// What wrong passwords of `user` are counted by.
fn guess(user: &str, from: IpAddr) -> (String, IpAddr) {
    (user[..user.floor_char_boundary(MAX_NAME)].to_owned(), from)
}

async fn admit(state: &State, credentials: &Credentials, from: IpAddr) -> Result<Caller, Unknown> {
    let Credentials::Basic { user, .. } = credentials else {
        return state.door.authenticate(credentials).await.map_err(Unknown::Nobody);
    };
    let attempt = guess(user, from);
    let failures = &state.limits.failures;
    failures.is_spent(&attempt, Instant::now()).map_err(Unknown::TooOften)?;
    let known = state.door.authenticate(credentials).await;
    if let Err(AuthError::WrongPassword | AuthError::UserUnknown | AuthError::UserTwice) = known {
        let _ = failures.take(attempt, Instant::now());
    }
    known.map_err(Unknown::Nobody)
}

impl Sender {
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

impl<S: Sync> FromRequestParts<S> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // A route where nobody was recognised is a fault of ours, which opens nothing.
        let missing = || Problem::new(Code::Internal, Code::Internal.title());
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }
}
