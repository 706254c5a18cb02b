//! Deleting, by whichever way a registry has.
//!
//! The specification deletes a tag by its name and a manifest by its digest, and with it every tag on
//! it. Distribution 2, ACR and others know the second way alone; Docker Hub, GHCR, ECR and Quay none.

use std::collections::BTreeMap;

use super::{Error, RepositoryName, Revision, Store, Tag, attach};

/// What a store says when it is asked to delete something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Done,
    /// It was not there.
    Absent,
    /// The store deletes, but not this: the reason, in its own words.
    Refused(String),
    /// The store does not delete in this way.
    Unsupported(String),
}

/// Artefact type of what is put under a tag that is to go.
const PLACEHOLDER: &str = "application/vnd.outhaul.deleted.v1+json";

/// Annotation of that: the tag, so that each has a digest of its own.
const TAG: &str = "dev.outhaul.tag";

impl Deleted {
    /// Whether it is not there any more.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Done | Self::Absent)
    }

    /// Why it is still there.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Done | Self::Absent => None,
            Self::Refused(reason) | Self::Unsupported(reason) => Some(reason),
        }
    }
}

/// Deletes a tag and leaves the manifest that it is on, which may have others. Where tags are not
/// deleted by name, a manifest of ours is put under it and deleted by digest, which takes the tag
/// along. That it can be is tried first: a tag is moved only if it goes.
///
/// # Errors
/// When the store cannot be asked.
pub async fn untag(
    store: &dyn Store,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<Deleted, Error> {
    let by_name = store.delete(repository, &Revision::Tag(tag.clone())).await?;
    if !matches!(by_name, Deleted::Unsupported(_)) {
        return Ok(by_name);
    }
    let annotations = BTreeMap::from([(TAG.to_owned(), tag.to_string())]);
    let placeholder = attach::plain(PLACEHOLDER, &annotations);
    let digest = Revision::Digest(placeholder.digest.clone());
    let asked = store.delete(repository, &digest).await?;
    if !asked.is_gone() {
        return Ok(asked);
    }
    attach::push_empty(store, repository).await?;
    store.put_manifest(repository, &digest, &placeholder).await?;
    let tried = store.delete(repository, &digest).await?;
    if !tried.is_gone() {
        return Ok(tried);
    }
    store.put_manifest(repository, &Revision::Tag(tag.clone()), &placeholder).await?;
    store.delete(repository, &digest).await
}
