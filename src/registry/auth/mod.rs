//! Token and basic authentication.
//!
//! A request goes out with what is known; the 401 that may come back says what is wanted, and is
//! remembered for the host, so that nothing is probed (oras-go, `registry/remote/auth`). A token
//! is fetched once for all who wait for it, kept for its set of scopes and renewed before it ends.

pub(in crate::registry) mod challenge;
mod flight;
mod scope;
mod token;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;

pub(in crate::registry) use challenge::Challenge;
pub(in crate::registry) use scope::Scopes;

use super::transport::Transport;
use super::{Credential, Error, Keychain, RepositoryName};
use challenge::Bearer;
use flight::Slot;

/// Proves to one registry who we are.
#[derive(Debug)]
pub(in crate::registry) struct Auth {
    keychain: Keychain,
    scheme: Mutex<Scheme>,
    tokens: Mutex<HashMap<Key, Arc<Slot>>>,
    credentials: tokio::sync::Mutex<HashMap<Option<RepositoryName>, (Instant, Credential)>>,
}

/// What an `Authorization` header holds, and whether it was made just now.
#[derive(Clone, Debug)]
pub(in crate::registry) struct Authorization {
    pub(in crate::registry) header: HeaderValue,
    /// A refusal is final: no newer one is to be had.
    pub(in crate::registry) fresh: bool,
}

/// For whom and what a token is.
type Key = (Option<RepositoryName>, Scopes);

/// How the registry wants to be spoken to, as far as it has said.
#[derive(Clone, Debug)]
enum Scheme {
    Unknown,
    Basic,
    Bearer(Bearer),
}

/// How long the answer of the keychain is believed. A helper is a process started, and the
/// tokens that helpers give live for hours; a rotated password is noticed at once by its 401.
const CREDENTIAL_AGE: Duration = Duration::from_secs(300);

/// Tokens kept. Two for each repository of the largest export, and a bound for a server that
/// runs for months.
const MAX_TOKENS: usize = 1024;

impl Auth {
    pub(in crate::registry) fn new(keychain: Keychain) -> Self {
        Self {
            keychain,
            scheme: Mutex::new(Scheme::Unknown),
            tokens: Mutex::default(),
            credentials: tokio::sync::Mutex::default(),
        }
    }

    /// What to send with a request before the registry has said anything about it.
    pub(in crate::registry) async fn authorize(
        &self,
        transport: &Transport,
        repository: Option<&RepositoryName>,
        scopes: &Scopes,
    ) -> Result<Option<Authorization>, Error> {
        let credential = self.credential(transport, repository).await?;
        if let Credential::RegistryToken(token) = &credential {
            return Ok(token::bearer(token).map(|header| Authorization { header, fresh: true }));
        }
        let scheme = self.scheme.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match scheme {
            Scheme::Unknown => Ok(None),
            Scheme::Basic => Ok(basic(&credential)),
            Scheme::Bearer(bearer) => {
                let slot = self.slot(repository, scopes);
                self.token(transport, &slot, &bearer, repository, &credential, None).await.map(Some)
            }
        }
    }

    /// What to send after a 401 with these challenges; `None` if there is nothing better than
    /// what was `refused`.
    pub(in crate::registry) async fn renew(
        &self,
        transport: &Transport,
        repository: Option<&RepositoryName>,
        scopes: &Scopes,
        challenges: &[Challenge],
        refused: Option<&Authorization>,
    ) -> Result<Option<Authorization>, Error> {
        let credential = self.credential(transport, repository).await?;
        if matches!(credential, Credential::RegistryToken(_)) {
            return Ok(None);
        }
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer(bearer) => Some(bearer),
            Challenge::Basic => None,
        });
        let Some(bearer) = bearer else {
            self.remember(Scheme::Basic);
            let refused = refused.map(|refused| &refused.header);
            let newer = basic(&credential).filter(|it| Some(&it.header) != refused);
            self.forget_unless(newer.is_some(), repository).await;
            return Ok(newer);
        };
        self.remember(Scheme::Bearer(bearer.clone()));
        let slot = self.slot(repository, scopes);
        let asks_for_more = slot.want(Scopes::parse(&bearer.scope));
        if refused.is_some_and(|refused| refused.fresh) && !asks_for_more {
            self.forget_unless(false, repository).await;
            return Ok(None);
        }
        let refused = refused.map(|refused| &refused.header);
        self.token(transport, &slot, bearer, repository, &credential, refused).await.map(Some)
    }

    /// What requests about this repository are sent with.
    pub(in crate::registry) async fn sent(
        &self,
        transport: &Transport,
        repository: Option<&RepositoryName>,
    ) -> Credential {
        self.credential(transport, repository).await.unwrap_or_default()
    }

    async fn token(
        &self,
        transport: &Transport,
        slot: &Slot,
        bearer: &Bearer,
        repository: Option<&RepositoryName>,
        credential: &Credential,
        refused: Option<&HeaderValue>,
    ) -> Result<Authorization, Error> {
        let token = slot.get(transport, bearer, credential, refused).await;
        let refused = matches!(token, Err(Error::Unauthorized { .. }));
        self.forget_unless(!refused, repository).await;
        token
    }

    async fn credential(
        &self,
        transport: &Transport,
        repository: Option<&RepositoryName>,
    ) -> Result<Credential, Error> {
        let mut known = self.credentials.lock().await;
        let key = repository.cloned();
        if let Some((since, credential)) = known.get(&key)
            && since.elapsed() < CREDENTIAL_AGE
        {
            return Ok(credential.clone());
        }
        let credential = match repository {
            Some(repository) => self.keychain.resolve(transport.host(), repository).await?,
            None => self.keychain.resolve_host(transport.host()).await?,
        };
        if known.len() >= MAX_TOKENS {
            known.clear();
        }
        known.insert(key, (Instant::now(), credential.clone()));
        Ok(credential)
    }

    /// Drops a credential that was refused, so that the keychain is asked again next time.
    async fn forget_unless(&self, good: bool, repository: Option<&RepositoryName>) {
        if !good {
            self.credentials.lock().await.remove(&repository.cloned());
        }
    }

    fn remember(&self, scheme: Scheme) {
        *self.scheme.lock().unwrap_or_else(PoisonError::into_inner) = scheme;
    }

    fn slot(&self, repository: Option<&RepositoryName>, scopes: &Scopes) -> Arc<Slot> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, slot| Arc::strong_count(slot) > 1); // someone waits for those
        }
        let key = (repository.cloned(), scopes.clone());
        Arc::clone(tokens.entry(key).or_insert_with(|| Arc::new(Slot::new(scopes.clone()))))
    }
}

fn basic(credential: &Credential) -> Option<Authorization> {
    token::basic(credential).map(|header| Authorization { header, fresh: false })
}
