//! What can go wrong on the way to a destination, by situation.

use crate::cluster;
use crate::registry::reference::InvalidReference;

/// No destination, or none that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither a Secret of that name nor an address.
    #[error("bad export destination `{name}`: {}", list(.known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names that exist there.
        known: Vec<String>,
    },
    /// A destination whose description has a fault.
    #[error("bad export destination `{name}`: {reason}")]
    Unusable {
        /// Its name.
        name: String,
        /// The fault, without any value of a Secret.
        reason: String,
    },
    /// A destination that other namespaces may use.
    #[error(
        "bad export destination `{name}`: it is not for applications of namespace `{namespace}`"
    )]
    NotAllowed {
        /// Its name.
        name: String,
        /// The namespace of the application.
        namespace: String,
    },
    /// An address with something before `@`.
    #[error("bad export destination `{rest}`: an address holds no credentials and no digest")]
    Credentials {
        /// What follows it. What stands before may be a password.
        rest: String,
    },
    /// An address that is none.
    #[error("bad export destination `{address}`")]
    Address {
        /// As given.
        address: String,
        /// What is wrong with it.
        #[source]
        source: InvalidReference,
    },
    /// A file with credentials or roots that cannot be read.
    #[error("cannot read {}", .path.display())]
    File {
        /// Which file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of roots that holds none.
    #[error("{} cannot be used: {reason}", .path.display())]
    Roots {
        /// Which file.
        path: std::path::PathBuf,
        /// Why not.
        reason: String,
    },
    /// The namespace that holds destinations is not known.
    #[error("there is no namespace for destinations: neither `{}` nor `{}` exists", .tried[0], .tried[1])]
    NoSystemNamespace {
        /// Where they were sought.
        tried: [&'static str; 2],
    },
    /// The place that holds destinations cannot be read.
    #[error("cannot read the destinations in namespace `{namespace}`")]
    Unreadable {
        /// That namespace.
        namespace: String,
        /// Why not.
        source: Box<cluster::Error>,
    },
}

impl Error {
    /// What the user can do about it, in a sentence.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unknown { .. } => {
                "`outhaul export-registries` lists them; an address such as \
                 oci://registry.example.com/team needs none"
            }
            Self::Unusable { .. } => {
                "correct its description, or choose another; `outhaul export-registries` shows the state"
            }
            Self::NotAllowed { .. } => {
                "add the namespace to its annotation outhaul.dev/allowed-namespaces"
            }
            Self::Credentials { .. } => {
                "give credentials with --username and --password-stdin, and leave out a digest"
            }
            Self::NoSystemNamespace { .. } => {
                "name it with --system-namespace or OUTHAUL_SYSTEM_NAMESPACE"
            }
            Self::Address { .. } => "an address is [oci://]HOST[:PORT][/PATH]",
            Self::File { .. } => "check the path and that you may read it",
            Self::Roots { .. } => "give a file of PEM blocks `CERTIFICATE`",
            // What can be done is said by its cause.
            Self::Unreadable { .. } => return None,
        })
    }
}

fn list(known: &[String]) -> String {
    /// More would hide the message.
    const MOST: usize = 20;
    if known.is_empty() {
        return "there are no destinations at all".to_owned();
    }
    let names = known.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    format!(
        "there is no such destination; known: {names}{}",
        if known.len() > MOST { ", …" } else { "" }
    )
}
