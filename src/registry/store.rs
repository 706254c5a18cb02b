//! What the copy engine needs of a place that holds images: a registry or an OCI layout.

use std::fmt;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;

use super::{Deleted, Descriptor, Digest, Error, Manifest, RepositoryName, Tag};

/// The bytes of a blob as they arrive. Nothing has been verified; [`super::blob::verified`] does.
pub type BlobStream = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// Which manifest of a repository is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// What the tag points to now.
    Tag(Tag),
    /// The manifest with this digest.
    Digest(Digest),
}

/// How a blob came to be at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Its bytes were sent.
    Written,
    /// The destination took it from another repository of its own.
    Mounted,
}

/// Opens the bytes of one blob, each time from the beginning, so that a cut transfer can be
/// started anew.
#[async_trait]
pub trait BlobSource: Send + Sync {
    /// # Errors
    /// When the source cannot be reached or does not have the blob.
    async fn open(&self) -> Result<BlobStream, Error>;
}

/// A place that holds manifests, blobs and tags by repository.
///
/// Calls are single attempts at one thing made robust by the store itself (a registry retries
/// requests); starting a cut blob anew is the copy engine's part.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug {
    /// What a message calls this place: a host, or a directory.
    fn name(&self) -> String;

    /// The manifest's bytes, verified against their digest; `None` where there is none.
    async fn manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Manifest>, Error>;

    /// The manifest's digest without its bytes; `None` where there is none.
    async fn manifest_digest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Digest>, Error>;

    /// Stores the manifest's bytes under `revision`. What it refers to must be there already.
    async fn put_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
        manifest: &Manifest,
    ) -> Result<(), Error>;

    /// Whether the blob is in this repository.
    async fn has_blob(&self, repository: &RepositoryName, blob: &Descriptor)
    -> Result<bool, Error>;

    /// Opens the blob's bytes.
    async fn read_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, Error>;

    /// Brings the blob here: by a mount from `mount_from` (a repository of this same store that
    /// holds it) where that works, else from `source`, whose bytes must already be verified.
    async fn push_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
        source: &dyn BlobSource,
    ) -> Result<Pushed, Error>;

    /// Deletes a tag, or a manifest with all of its tags. A layout is carried, and keeps what it has.
    async fn delete(&self, _: &RepositoryName, _: &Revision) -> Result<Deleted, Error> {
        Ok(Deleted::Unsupported(format!("nothing is deleted from {}", self.name())))
    }

    /// All tags of the repository, sorted as the store sorts; `None` where it is unknown.
    async fn tags(&self, repository: &RepositoryName) -> Result<Option<Vec<Tag>>, Error>;

    /// What refers to `subject`: by the referrers API, else by its fallback tag.
    async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error>;

    /// Whether it is known by now that referrers are found by their fallback tag alone, so that where
    /// that tag is not, nothing refers.
    fn has_referrers_by_tag(&self) -> bool {
        false
    }
}

impl From<Tag> for Revision {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Revision {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}
