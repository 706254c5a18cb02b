//! One token and the single request for it, however many wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;

use super::super::transport::Transport;
use super::super::{Credential, Error};
use super::Authorization;
use super::challenge::Bearer;
use super::scope::Scopes;
use super::token::{self, Token};

/// The token for one set of scopes.
#[derive(Debug)]
pub(super) struct Slot {
    /// The scopes hinted by the request, and those that its challenges added.
    wanted: Mutex<Scopes>,
    /// Requests for a token that have ended, well or not.
    ended: AtomicU64,
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// How the last request for a token failed, and when.
    failure: Option<(Instant, Error)>,
}

/// How long a refusal of the credentials stands for requests that come just after it: those of
/// one export start within moments of each other, and many services lock an account after five
/// or ten wrong passwords.
const REFUSAL_AGE: Duration = Duration::from_secs(10);

impl Slot {
    pub(super) fn new(wanted: Scopes) -> Self {
        Self { wanted: Mutex::new(wanted), ended: AtomicU64::new(0), state: Default::default() }
    }

    /// Adds what a challenge asked for; whether that was anything new.
    pub(super) fn want(&self, scopes: Scopes) -> bool {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let before = wanted.clone();
        wanted.extend(scopes);
        *wanted != before
    }

    /// The token kept, if it is good and not the one that was `refused`; else a new one. Who
    /// waited while another fetched shares that one's result, a failure too.
    pub(super) async fn get(
        &self,
        transport: &Transport,
        bearer: &Bearer,
        credential: &Credential,
        refused: Option<&HeaderValue>,
    ) -> Result<Authorization, Error> {
        let before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let waited = self.ended.load(Ordering::Acquire) != before;
        if let Some(token) = state.token.as_ref().filter(|token| Instant::now() < token.renew_at)
            && let Some(header) = token::bearer(&token.secret).filter(|it| Some(it) != refused)
        {
            return Ok(Authorization { header, fresh: waited });
        }
        if let Some((since, failure)) = &state.failure {
            let refusal = matches!(failure, Error::Unauthorized { .. });
            if waited || (refusal && since.elapsed() < REFUSAL_AGE) {
                return Err(again(failure));
            }
        }
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let outcome = token::fetch(transport, bearer, &wanted, credential).await;
        self.ended.fetch_add(1, Ordering::Release);
        match outcome {
            Ok(token) => {
                let header = token::bearer(&token.secret);
                *state = State { token: Some(token), failure: None };
                let header = header.ok_or_else(|| Error::Protocol {
                    host: transport.name().to_owned(),
                    reason: "its token does not fit in a header".to_owned(),
                })?;
                Ok(Authorization { header, fresh: true })
            }
            Err(error) => {
                *state = State { token: None, failure: Some((Instant::now(), again(&error))) };
                Err(error)
            }
        }
    }
}

/// The same failure for another caller. Errors hold an `io::Error` in places and cannot be
/// cloned; those places are not reached by fetching a token.
fn again(error: &Error) -> Error {
    match error {
        Error::Unauthorized { host, user } => {
            Error::Unauthorized { host: host.clone(), user: user.clone() }
        }
        Error::Forbidden { host, repository, reason } => Error::Forbidden {
            host: host.clone(),
            repository: repository.clone(),
            reason: reason.clone(),
        },
        Error::UntrustedCertificate { host, reason } => {
            Error::UntrustedCertificate { host: host.clone(), reason: reason.clone() }
        }
        Error::Unreachable { host, reason } => {
            Error::Unreachable { host: host.clone(), reason: reason.clone() }
        }
        Error::Status { host, status, method, path, reason } => Error::Status {
            host: host.clone(),
            status: *status,
            method: method.clone(),
            path: path.clone(),
            reason: reason.clone(),
        },
        Error::RedirectRefused { host, what, target } => Error::RedirectRefused {
            host: host.clone(),
            what: what.clone(),
            target: target.clone(),
        },
        other => {
            Error::Protocol { host: "the token service".to_owned(), reason: other.to_string() }
        }
    }
}
