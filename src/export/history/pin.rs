//! Pinned versions: a tag `pinned-<version>` on the same manifest, which any tool shows, and which is
//! no version to helm nor to us.

use semver::Version;

use super::{PINNED, manifest};
use crate::export::names::version_tag;
use crate::export::{Error, Target};
use crate::registry::{RepositoryName, Revision, Store, Tag, delete, quirks};

/// Pins a version: no rule lets it go any more.
///
/// # Errors
/// [`Error::ChartMissing`] where there is none, [`Error::Destination`] where the registry fails.
pub async fn pin(
    target: &Target,
    repository: &RepositoryName,
    version: &Version,
) -> Result<(), Error> {
    let (store, there) = (target.store.as_ref(), |source| target.failed(source));
    let found = manifest(store, repository, version).await.map_err(there)?;
    let missing = || Error::ChartMissing(format!("{}:{version}", target.address(repository)));
    let found = found.ok_or_else(missing)?;
    let tag = Revision::Tag(tag(version)?);
    store.put_manifest(repository, &tag, &found).await.map_err(there)
}

/// Takes that back. What is not pinned stays so.
///
/// # Errors
/// [`Error::NotDeleted`] where the registry keeps the tag.
pub async fn unpin(
    target: &Target,
    deleting: &dyn Store,
    repository: &RepositoryName,
    version: &Version,
) -> Result<(), Error> {
    let tag = tag(version)?;
    let there = |source| target.failed(source);
    let pinned = target.store.manifest_digest(repository, &Revision::Tag(tag.clone())).await;
    if pinned.map_err(there)?.is_none() {
        return Ok(());
    }
    let deleted = delete::untag(deleting, repository, &tag).await.map_err(there)?;
    let Some(reason) = deleted.reason() else { return Ok(()) };
    let hint = target.host().and_then(|host| quirks::deletion_hint(host, repository));
    let reason = hint.map_or_else(|| reason.to_owned(), |hint| format!("{reason}; {hint}"));
    Err(Error::NotDeleted { what: format!("{}:{tag}", target.address(repository)), reason })
}

fn tag(version: &Version) -> Result<Tag, Error> {
    Ok(format!("{PINNED}{}", version_tag(version)?).parse()?)
}
