//! Who is asking, and what they may.
//!
//! ```text
//! headers ─► Credentials ─► Authenticator ─► Caller ─► Authorizer ─► audit
//! ```

use std::collections::BTreeMap;
use std::io;

use async_trait::async_trait;

use crate::cluster::reviews::Subject;

mod cache;
mod chain;
mod credentials;
pub mod epinio;
mod kubernetes;
mod mark;
mod proxy;
mod readable;
mod rights;
mod served;

pub use cache::Clock;
pub use chain::Chain;
pub use credentials::Credentials;
pub use kubernetes::Kubernetes;
pub use mark::Marks;
pub use proxy::is_vouched_for;
pub use readable::readable;
pub use served::Served;

/// Who asks, as far as rights and the audit go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name of the user.
    pub user: String,
    /// What tells users apart that had one name at different times; empty where nobody says.
    pub uid: String,
    /// Groups of the user.
    pub groups: Vec<String>,
    /// What else the reviewer of the token said; it goes into each access review.
    pub extra: BTreeMap<String, Vec<String>>,
    /// How we know.
    pub via: Via,
}

/// How a caller was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// By a token that Kubernetes reviewed.
    Kubernetes,
    /// By a front proxy that showed its certificate.
    FrontProxy,
    /// By a password of one of Epinio's users, or a token of its dex. The name then begins with
    /// [`epinio::PREFIX`].
    Epinio,
}

/// Finds out who is asking.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Who these credentials belong to.
    ///
    /// # Errors
    /// When they are nobody's, or it cannot be found out now.
    async fn authenticate(&self, credentials: &Credentials) -> Result<Caller, AuthError>;
}

/// Why nobody was recognised. Each door words these in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// 401: there are none.
    #[error("missing credentials")]
    Missing,
    /// 401: of a scheme that is not taken.
    #[error("credentials of a scheme that is not supported")]
    Scheme,
    /// 401: not in the form that their scheme has.
    #[error("malformed credentials")]
    Malformed,
    /// 401: the token is unknown, expired, revoked or of another audience.
    #[error("the token is not valid for this server")]
    Token,
    /// 401: the token of an identity provider was valid once.
    #[error("the token is expired")]
    Expired,
    /// 401: no user of Epinio's has this name.
    #[error("wrong user or password")]
    UserUnknown,
    /// 401: two Secrets of Epinio's claim the name.
    #[error("wrong user or password")]
    UserTwice,
    /// 401: it is not the user's password.
    #[error("wrong user or password")]
    WrongPassword,
    /// 503: whoever has to be asked does not answer. Never 401, which would make clients log in again.
    #[error("credentials cannot be verified now")]
    Unavailable,
}

impl AuthError {
    /// In a word, for metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Scheme => "scheme",
            Self::Malformed => "malformed",
            Self::Token => "token",
            Self::Expired => "expired",
            Self::UserUnknown => "user-unknown",
            Self::UserTwice => "user-twice",
            Self::WrongPassword => "wrong-password",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Decides what a caller may.
#[async_trait]
pub trait Authorizer: Send + Sync {
    /// Whether the caller has the right. Nothing but rights is asked for, so that a refusal carries
    /// no word, and takes no other time, whether anything exists or not.
    ///
    /// # Errors
    /// When the caller has not, or it cannot be found out now.
    async fn allow(&self, caller: &Caller, right: &Right) -> Result<(), Denied>;
}

/// Why a right was not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// 403, the same for what does not exist.
    #[error("forbidden")]
    Forbidden,
    /// 403: the application has objects of kinds that the caller may not list.
    #[error("no permission to list {}", .0.iter().map(Kind::to_string).collect::<Vec<_>>().join(", "))]
    Kinds(Vec<Kind>),
    /// 503: whoever has to be asked does not answer.
    #[error("rights cannot be verified now")]
    Unavailable,
}

/// What a caller needs for what is asked. Names are those of the path, never of the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// To see the applications of a namespace.
    ReadNamespace(String),
    /// The same of every namespace, those to come included.
    ReadNamespaces,
    /// To see names and keys of the Secrets of a namespace.
    ListSecrets(String),
    /// To get at the values of the Secrets of a namespace.
    ReadSecrets(String),
    /// To see objects of kinds that [`Self::ReadNamespace`] does not speak of.
    ReadKinds {
        /// Where the application is.
        namespace: String,
        /// The kinds.
        kinds: Vec<Kind>,
    },
    /// To export to a destination out of a namespace. The destination itself may be closed to a
    /// namespace as well ([`crate::destination::select::allow`]), which is asked once it is read.
    UseDestination {
        /// Name of the destination.
        name: String,
        /// Where the application is.
        namespace: String,
    },
    /// To see a destination.
    SeeDestination {
        /// Its name.
        name: String,
    },
    /// To make, see or change exports.
    Exports {
        /// What with them.
        verb: Verb,
        /// Where; `None` is everywhere.
        namespace: Option<String>,
    },
    /// The same of schedules.
    Schedules {
        /// What with them.
        verb: Verb,
        /// Where; `None` is everywhere.
        namespace: Option<String>,
    },
    /// To see the metrics.
    Metrics,
}

/// What is done with an export or a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Ask for one.
    Create,
    /// See one.
    Get,
    /// See all.
    List,
    /// Cancel or change one.
    Update,
    /// Remove one.
    Delete,
}

/// A kind of objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// API group; empty for the core.
    pub group: String,
    /// Plural, such as `networkpolicies`.
    pub plural: String,
    /// Whether its objects are in namespaces. For others a right in a namespace is none.
    pub namespaced: bool,
}

/// A key for HMAC-SHA256.
///
/// # Errors
/// When the system gives no random bytes.
fn random_key() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random.fill(&mut key).map_err(|_| io::Error::other("no random bytes"))?;
    Ok(key)
}

impl Caller {
    /// As an access review names the caller.
    pub fn subject(&self) -> Subject {
        Subject {
            user: self.user.clone(),
            uid: self.uid.clone(),
            groups: self.groups.clone(),
            extra: self.extra.clone(),
        }
    }
}

impl Kind {
    /// Whether [`Right::ReadNamespace`] speaks of it already.
    pub fn is_common(&self) -> bool {
        rights::NAMESPACE.contains(&(self.group.as_str(), self.plural.as_str()))
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.group.as_str() {
            "" => f.write_str(&self.plural),
            group => write!(f, "{}.{group}", self.plural),
        }
    }
}
