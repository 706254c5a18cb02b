//! Epinio's users: Basic against the bcrypt hashes in their Secrets, tokens of dex, and rights by their
//! roles.

mod actions;
mod dex;
mod directory;
mod keys;
mod oidc;
mod password;
mod rights;
mod user;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::timeout;

use super::cache::{Answer, Cache, Clock};
use super::{AuthError, Authenticator, Caller, Credentials, Via};
use crate::cluster::{Live, SecretReader as _};
use crate::destination::{self, select};
use crate::error::Error;

pub use actions::Action;
pub use user::{Lacking, Role, User};

use dex::Dex;
use directory::Directory;
use keys::Keys;
use password::Passwords;

/// What the names of callers who are Epinio's users begin with, so that nobody whom Kubernetes knows
/// is taken for one of them.
pub const PREFIX: &str = "epinio:";

/// Label of users' Secrets.
const LABEL: &str = "epinio.io/api-user-credentials";

/// How long users and roles are as they were read.
const FRESH: Duration = Duration::from_secs(10);

/// Who waits longer for a hash, or for the users, is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

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
    passwords: Passwords,
    keys: Keys,
}

#[derive(Debug)]
struct Source {
    live: Live,
    system_namespace: Option<String>,
}

/// The users, or the keys of dex, cannot be read now.
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
            passwords: Passwords::new(Arc::clone(&clock))?,
            keys: Keys::new(clock),
        })
    }

    /// The user that the caller is; `None` if it is none of Epinio's, or none any more.
    ///
    /// # Errors
    /// When the users cannot be read now.
    pub async fn user(&self, caller: &Caller) -> Result<Option<Arc<User>>, AuthError> {
        let name = caller.user.strip_prefix(PREFIX).filter(|_| caller.via == Via::Epinio);
        let Some(name) = name else { return Ok(None) };
        Ok(self.directory().await?.known(name, &caller.groups))
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

    /// Whether dex logs users in.
    ///
    /// # Errors
    /// When its settings cannot be read now.
    pub async fn has_dex(&self) -> Result<bool, AuthError> {
        Ok(self.mode != Mode::Off && self.directory().await?.dex().is_some())
    }

    /// Whom dex has logged in; `None`: the token is none that it says it has made.
    ///
    /// # Errors
    /// When the token is not valid, or it cannot be found out now.
    pub(super) async fn bearer(&self, token: &SecretString) -> Result<Option<Caller>, AuthError> {
        let Some(issuer) = oidc::issuer(token).filter(|_| self.mode != Mode::Off) else {
            return Ok(None);
        };
        let directory = self.directory().await?;
        match directory.dex().filter(|dex| dex.issuer == issuer) {
            Some(dex) => oidc::verify(token, dex, &self.keys).await.map(Some),
            None => Ok(None),
        }
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
            self.passwords.spend(directory.cost(), password).await?;
            return Err(if found.is_some() {
                AuthError::UserTwice
            } else {
                AuthError::UserUnknown
            });
        };
        self.passwords.check(user, password).await?;
        Ok(Caller {
            user: format!("{PREFIX}{name}"),
            uid: String::new(),
            groups: Vec::new(),
            extra: BTreeMap::new(),
            via: Via::Epinio,
        })
    }
}

impl Source {
    async fn read(&self) -> Result<Directory, Error> {
        let wanted = self.system_namespace.as_deref();
        let namespace = match select::system_namespace(&self.live, wanted).await {
            // Nor are there users then.
            Err(destination::Error::NoSystemNamespace { .. }) => return Ok(Directory::default()),
            found => found?,
        };
        let users = self.live.labelled_secrets(&namespace, LABEL).await?;
        let roles = self.live.epinio_roles(&namespace).await?;
        let dex = self.live.secret(&namespace, dex::SECRET).await?;
        let dex = dex.as_ref().map(Dex::read).transpose().unwrap_or_else(|fault| {
            tracing::warn!("Secret {} cannot be used: {fault}", dex::SECRET);
            None
        });
        Ok(Directory::new(&users, &roles, dex))
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
