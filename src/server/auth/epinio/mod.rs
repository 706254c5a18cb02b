//! Epinio's users: Basic against the bcrypt hashes in their Secrets, and rights by their roles.

mod actions;
mod directory;
mod rights;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::cache::{Answer, Cache, Clock};
use super::{AuthError, Authenticator, Caller, Credentials, Via};
use crate::cluster::{Live, SecretReader as _};
use crate::destination::select;
use crate::error::Error;

pub use actions::Action;
pub use directory::{Lacking, Role, User};

use directory::Directory;

/// What the names of callers who are Epinio's users begin with, so that nobody whom Kubernetes knows
/// is taken for one of them.
pub const PREFIX: &str = "epinio:";

/// Label of users' Secrets.
const LABEL: &str = "epinio.io/api-user-credentials";

/// How long users and roles are as they were read.
const FRESH: Duration = Duration::from_secs(10);

/// How long a password that was right is right. A change of it counts at once when it is seen, as the
/// hash is part of what is remembered.
const GOOD: Duration = Duration::from_secs(5 * 60);

/// Most passwords that are known to be right.
const MAX_GOOD: usize = 10_000;

/// Hashes at once: each takes a core for some 50 ms, and exports want some, too.
const AT_ONCE: usize = 2;

/// Who waits longer for a hash, or for the users, is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Go's own default, and so that of Epinio.
const USUAL_COST: u32 = 10;

/// A hash of a higher cost takes many seconds: nobody could log in, and others neither.
const HIGHEST_COST: u32 = 15;

/// Whether Epinio's users are known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// If there are any.
    #[default]
    Auto,
    /// They are.
    On,
    /// They are not.
    Off,
}

/// Knows Epinio's users, and what their roles allow.
#[derive(Debug)]
pub struct Users {
    source: Arc<Source>,
    mode: Mode,
    known: Cache<Arc<Directory>, Away>,
    good: Cache<(), AuthError>,
    hashing: Arc<Semaphore>,
}

#[derive(Debug)]
struct Source {
    live: Live,
    system_namespace: Option<String>,
}

/// The users cannot be read now.
#[derive(Clone, Copy, Debug)]
struct Away;

/// Why a user may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Something is lacking.
    Lacking(Lacking),
    /// It cannot be found out now.
    Unavailable,
}

impl Users {
    /// The users in the Secrets of `system_namespace`; `None`: where destinations usually are.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(
        live: Live,
        system_namespace: Option<String>,
        mode: Mode,
        clock: Clock,
    ) -> io::Result<Self> {
        Ok(Self {
            source: Arc::new(Source { live, system_namespace }),
            mode,
            known: Cache::new(1, Arc::clone(&clock))?,
            good: Cache::new(MAX_GOOD, clock)?,
            hashing: Arc::new(Semaphore::new(AT_ONCE)),
        })
    }

    /// The user that the caller is; `None` if it is none of Epinio's, or none any more.
    ///
    /// # Errors
    /// When the users cannot be read now.
    pub async fn user(&self, caller: &Caller) -> Result<Option<Arc<User>>, AuthError> {
        let name = caller.user.strip_prefix(PREFIX).filter(|_| caller.via == Via::Epinio);
        let Some(name) = name else { return Ok(None) };
        Ok(self.directory().await?.find(name).flatten().cloned())
    }

    /// Whether the roles that the caller has now allow this.
    ///
    /// # Errors
    /// Why not.
    pub async fn may(
        &self,
        caller: &Caller,
        action: Action,
        namespace: Option<&str>,
    ) -> Result<(), Refused> {
        let user = self.user(caller).await.map_err(|_| Refused::Unavailable)?;
        let user = user.ok_or(Refused::Lacking(Lacking::Role))?;
        user.may(action, namespace).map_err(Refused::Lacking)
    }

    async fn directory(&self) -> Result<Arc<Directory>, Away> {
        let ask = || {
            let source = Arc::clone(&self.source);
            async move {
                match timeout(PATIENCE, source.read()).await {
                    Ok(Ok(read)) => return Ok(Answer { value: Arc::new(read), life: FRESH }),
                    Ok(Err(error)) => tracing::warn!(%error, "users of Epinio cannot be read"),
                    Err(_) => tracing::warn!("users of Epinio cannot be read in time"),
                }
                Err(Away)
            }
        };
        self.known.get(self.known.key(&()), ask).await
    }

    async fn login(&self, name: &str, password: &SecretString) -> Result<Caller, AuthError> {
        if self.mode == Mode::Off {
            return Err(AuthError::Scheme);
        }
        let directory = self.directory().await?;
        if self.mode == Mode::Auto && directory.is_empty() {
            return Err(AuthError::Scheme);
        }
        let found = directory.find(name);
        let Some(Some(user)) = found else {
            // As long as a wrong password takes.
            let cost = directory.cost().unwrap_or(USUAL_COST).min(HIGHEST_COST);
            let password = password.clone();
            self.hash(move || {
                bcrypt::hash_with_salt(password.expose_secret(), cost, [0; 16]).is_ok()
            })
            .await?;
            return Err(if found.is_some() {
                AuthError::UserTwice
            } else {
                AuthError::UserUnknown
            });
        };
        self.check(user, password).await?;
        Ok(Caller {
            user: format!("{PREFIX}{name}"),
            uid: String::new(),
            groups: Vec::new(),
            extra: BTreeMap::new(),
            via: Via::Epinio,
        })
    }

    async fn check(&self, user: &User, password: &SecretString) -> Result<(), AuthError> {
        if directory::cost(&user.hash).is_some_and(|cost| cost > HIGHEST_COST) {
            tracing::warn!(user = user.name, "the cost of the password's hash is too high");
            return Err(AuthError::WrongPassword);
        }
        let key = self.good.key(&(&user.name, password.expose_secret(), user.hash.expose_secret()));
        let (password, hash) = (password.clone(), user.hash.clone());
        let right = self.hash(move || {
            bcrypt::verify(password.expose_secret(), hash.expose_secret()).unwrap_or(false)
        });
        let ask = || async {
            let right = right.await?;
            if right { Ok(Answer { value: (), life: GOOD }) } else { Err(AuthError::WrongPassword) }
        };
        self.good.get(key, ask).await
    }

    /// Does what takes a core for a while, in its turn. The turn ends with the work, also when nobody
    /// waits for it any more.
    fn hash<W>(&self, work: W) -> impl Future<Output = Result<bool, AuthError>> + Send + use<W>
    where
        W: FnOnce() -> bool + Send + 'static,
    {
        let turns = Arc::clone(&self.hashing);
        async move {
            let turn = timeout(PATIENCE, turns.acquire_owned()).await;
            let Ok(Ok(turn)) = turn else { return Err(AuthError::Unavailable) };
            let done = tokio::task::spawn_blocking(move || (work(), turn)).await;
            done.map(|(answer, _)| answer).map_err(|_| AuthError::Unavailable)
        }
    }
}

impl Source {
    async fn read(&self) -> Result<Directory, Error> {
        let wanted = self.system_namespace.as_deref();
        let namespace = select::system_namespace(&self.live, wanted).await?;
        let users = self.live.labelled_secrets(&namespace, LABEL).await?;
        let roles = self.live.epinio_roles(&namespace).await?;
        Ok(Directory::new(&users, &roles))
    }
}

#[async_trait]
impl Authenticator for Users {
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthError> {
        match credentials {
            Credentials::Basic { user, password } => self.login(user, password).await,
            Credentials::Bearer(_) | Credentials::Proxy(_) => Err(AuthError::Scheme),
        }
    }
}

impl From<Away> for AuthError {
    fn from(_: Away) -> Self {
        Self::Unavailable
    }
}
