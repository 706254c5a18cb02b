//! What the Controller says against a request, by situation.

use crate::destination::iofog::InvalidRow;
use crate::registry;

/// Why a request to the Controller came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControllerError {
    /// 401, to a login or to a token.
    #[error("the Controller at {place} refused the {}: {message}", if *.is_login { "login" } else { "token" })]
    Unauthorized {
        /// Host and port.
        place: String,
        /// Whether it was a login.
        is_login: bool,
        /// Its words.
        message: String,
    },
    /// 403.
    #[error("the Controller at {place} denied it: {message}")]
    Forbidden {
        /// Host and port.
        place: String,
        /// Its words.
        message: String,
    },
    /// 404: no row of the user has this id.
    #[error("the Controller at {place} has no registry {id} of yours")]
    NotFound {
        /// Host and port.
        place: String,
        /// The id.
        id: u32,
    },
    /// 409.
    #[error("the Controller at {place} says that it conflicts: {message}")]
    Conflict {
        /// Host and port.
        place: String,
        /// Its words.
        message: String,
    },
    /// A microservice names the row.
    #[error(
        "registry {id} of the Controller at {place} is in use: images of an application name it"
    )]
    InUse {
        /// Host and port.
        place: String,
        /// The id.
        id: u32,
    },
    /// 400.
    #[error("the Controller at {place} does not take the row: {message}")]
    Invalid {
        /// Host and port.
        place: String,
        /// Its words.
        message: String,
    },
    /// 502, 503 or 504.
    #[error("the Controller at {place} is not available now (HTTP {status})")]
    Unavailable {
        /// Host and port.
        place: String,
        /// HTTP status.
        status: u16,
    },
    /// 500 for another reason.
    #[error("the Controller at {place} failed (HTTP 500): {message}")]
    Failed {
        /// Host and port.
        place: String,
        /// Its words.
        message: String,
    },
    /// An answer that no Controller gives.
    #[error("{place} answered HTTP {status} with {what}, which is no answer of a Controller")]
    Strange {
        /// Host and port.
        place: String,
        /// HTTP status.
        status: u16,
        /// What came in place of JSON.
        what: String,
    },
    /// No answer.
    #[error(transparent)]
    Unanswered(registry::Error),
    /// A row that each ioFog has by itself.
    #[error("registry {id} (`{alias}`) is ioFog's own and is never changed or removed")]
    System {
        /// The id.
        id: u32,
        /// What applications call it.
        alias: &'static str,
    },
    /// A change to which the Controller answered 204, and that did not come about.
    #[error(
        "registry {id} of the Controller at {place} did not change ({fields}): it is not yours"
    )]
    Unchanged {
        /// Host and port.
        place: String,
        /// The id.
        id: u32,
        /// What is not as it was asked for.
        fields: String,
    },
    /// A row that it would refuse.
    #[error(transparent)]
    Row(#[from] InvalidRow),
}

impl ControllerError {
    /// What the user can do about it, in a sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unauthorized { is_login: true, .. } => {
                "check `--controller-email` and what `--controller-password-file` holds"
            }
            Self::Unauthorized { .. } => {
                "tokens expire: get another one by `POST /api/v3/user/login` and put it into \
                 OUTHAUL_CONTROLLER_TOKEN, or log in with `--controller-email` and \
                 `--controller-password-file`"
            }
            Self::Forbidden { .. } => "log in as a user who may change registries there",
            Self::NotFound { .. } => {
                "`outhaul registry list --controller URL` lists yours and all public ones; those of \
                 others are neither changed nor removed"
            }
            Self::Conflict { .. } => "look at `outhaul registry list --controller URL`, then again",
            Self::InUse { .. } => {
                "give the application's images another `registry`, or delete the application, first"
            }
            Self::Invalid { .. } => "correct that field",
            Self::Unavailable { .. } => {
                "try again later; a change may have arrived: look at `outhaul registry list \
                 --controller URL` before it is sent again"
            }
            Self::Failed { .. } => "the Controller's log has more",
            Self::Strange { .. } => {
                "is that the address of a Controller, such as https://HOST:51121? A proxy or a login \
                 page may be in between; no redirect is followed, as the token goes to that address \
                 only"
            }
            Self::Unanswered(registry::Error::UntrustedCertificate { .. }) => {
                "give the authority that signed it with `--ca-file`"
            }
            Self::Unanswered(_) => {
                "check the address, the network and the proxy; a change may have arrived: look \
                 at `outhaul registry list --controller URL` before it is sent again"
            }
            Self::System { .. } => {
                "rows with an id from 3 on are yours: `outhaul registry create --apply controller` \
                 makes one"
            }
            Self::Unchanged { .. } => {
                "rows of others can be used where they are public, and changed by their owners only"
            }
            Self::Row(error) => error.hint(),
        }
    }
}
