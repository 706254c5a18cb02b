//! What an export needs of the place that an application is read from.

use std::collections::BTreeMap;

use async_trait::async_trait;
use secrecy::SecretSlice;

use super::Error;
use crate::app::{Selection, Snapshot};

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The namespace; `None` is the source's own default (the kubeconfig's context, or the only
    /// namespace of the manifests).
    pub namespace: Option<String>,
    /// How much of Secrets.
    pub secrets: SecretRead,
    /// Whether [`crate::app::Origin`] must tell a cluster from others, as an export's must. Those
    /// who have rights in their own namespace only may not read what it does that by, and look
    /// without it: the uid is [`UNKNOWN`] then.
    pub identity: bool,
    /// The releases of Helm of which records are read.
    pub releases: Records,
    /// Whether the definitions of custom resources are read.
    pub definitions: bool,
}

impl Scope {
    /// Objects alone: no Secrets, no identity, no record of a release, no definitions.
    pub const fn new(namespace: Option<String>) -> Self {
        let secrets = SecretRead::Nothing;
        Self { namespace, secrets, identity: false, releases: Records::None, definitions: false }
    }
}

/// Of which releases helm's records are read; no other Secret is, for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// Of none.
    None,
    /// Of the one that has the name of the application that is asked for.
    Of(String),
    /// Of every release of the namespace.
    All,
}

impl From<&Selection> for Records {
    fn from(selection: &Selection) -> Self {
        selection.release().map_or(Self::None, |name| Self::Of(name.to_owned()))
    }
}

/// What stands for the uid and the version of a cluster that were not read.
pub const UNKNOWN: &str = "unknown";

/// How much of Secrets is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretRead {
    /// Nothing: no right to read Secrets is needed. Files are parsed all the same; of their
    /// Secrets only names, types and keys are kept.
    Nothing,
    /// Names, types and keys.
    Keys,
    /// The values as well.
    Values,
}

/// A place that an application is read from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Reads everything in `scope`.
    ///
    /// # Errors
    /// When the place cannot be read at all; a single kind that may not be read is
    /// [`Snapshot::unreadable`].
    async fn snapshot(&self, scope: &Scope) -> Result<Snapshot, Error>;
}

/// A Secret as [`SecretReader`] gives it: `data` and `stringData` as bytes.
#[derive(Clone, Debug)]
pub struct SecretObject {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Values; cannot be printed.
    pub data: BTreeMap<String, SecretSlice<u8>>,
    /// Keys whose value is not base64 (in `data`) or not text (in `stringData`).
    pub malformed: Vec<String>,
}

/// Reads single Secrets, for destinations.
#[async_trait]
pub trait SecretReader: Send + Sync {
    /// Whether the namespace exists.
    ///
    /// # Errors
    /// When the place cannot be read; [`Error::Forbidden`] when the namespace may not be seen,
    /// which says nothing of whether it is there.
    async fn has_namespace(&self, name: &str) -> Result<bool, Error>;

    /// The Secrets of `namespace` that carry `label` with value `true`, in order of name.
    ///
    /// # Errors
    /// When the place cannot be read.
    async fn labelled_secrets(
        &self,
        namespace: &str,
        label: &str,
    ) -> Result<Vec<SecretObject>, Error>;

    /// One Secret; `None` where there is none.
    ///
    /// # Errors
    /// When the place cannot be read.
    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, Error>;
}
