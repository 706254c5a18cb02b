//! Epinio's labelled Secrets, our native form: what its API says of them, and as rows and back.
//!
//! `destination::secret` and `destination::auths` read the same Secrets into destinations that are used; rows
//! are of the documents alone, unknown spellings included.

mod api;
mod read;
mod resolve;
mod rows;
#[cfg(test)]
mod tests;
mod write;

pub use api::{Fault, LABEL, url};
pub use read::read;
pub use resolve::resolve;
pub use rows::{is_labelled, rows};
pub use write::write;

use super::secret;

/// Namespace of Epinio's Secrets if nobody says.
const NAMESPACE: &str = "epinio";

/// Annotation with the number of a row, as ioFog's rows have one.
pub const REGISTRY_ID: &str = "outhaul.dev/registry-id";

/// Our own label.
const OWN_LABEL: &str = "outhaul.dev/destination";

/// Key that names the Secret with further roots, and the key in it.
const CERTS: (&str, &str) = (secret::CERTS, secret::ROOTS);

/// Our annotations for what Epinio has no place for.
mod annotation {
    pub(super) use crate::destination::secret::{DESCRIPTION, PLAIN_HTTP, REGISTRY, SKIP_VERIFY};

    pub(super) const ID: &str = super::REGISTRY_ID;
    pub(super) const EMAIL: &str = "outhaul.dev/registry-email";
    pub(super) const PUBLIC: &str = "outhaul.dev/registry-public";
    pub(super) const REQUIRES_CERT: &str = "outhaul.dev/registry-requires-cert";
}
