//! Who sends a request: found out by every door before anything else of it is looked at, within the
//! limits of those who are not known yet.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum_server::tls::TlsInfo;

use super::auth::{AuthError, Caller, Credentials, is_vouched_for};
use super::limit::place;
use super::state::State;

/// Longest part of a name by which wrong passwords are counted.
const MAX_NAME: usize = 64;

/// Why nobody is let in. Each door words it in its own way.
pub(super) enum Unknown {
    /// Too many requests, or too many wrong passwords.
    TooOften(Duration),
    /// Nobody is known by what was sent.
    Nobody(AuthError),
}

/// Who sends `request`.
pub(super) async fn recognise(
    state: &State,
    peer: IpAddr,
    request: &mut Request,
) -> Result<Caller, Unknown> {
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

async fn admit(state: &State, credentials: &Credentials, from: IpAddr) -> Result<Caller, Unknown> {
    let Credentials::Basic { user, .. } = credentials else {
        return state.door.authenticate(credentials).await.map_err(Unknown::Nobody);
    };
    let attempt = (user[..user.floor_char_boundary(MAX_NAME)].to_owned(), from);
    let failures = &state.limits.failures;
    failures.is_spent(&attempt, Instant::now()).map_err(Unknown::TooOften)?;
    let known = state.door.authenticate(credentials).await;
    if let Err(AuthError::WrongPassword | AuthError::UserUnknown | AuthError::UserTwice) = known {
        let _ = failures.take(attempt, Instant::now());
    }
    known.map_err(Unknown::Nobody)
}
