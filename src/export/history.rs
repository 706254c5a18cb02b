//! What a chart repository already holds, read from the registry alone.

pub mod listing;
mod look;
pub mod pin;
pub(super) mod sizes;

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;

use crate::registry::{Digest, Error, Manifest, RepositoryName, Revision, Store, Tag};

use super::Target;
use super::identity::{CONTENT_DIGEST, DERIVED_FROM, ORIGIN, SCHEDULE, SECRETS, TAKEN_AT};
use super::names::{self, version_tag};

pub use listing::{Listing, Row, list};
pub use look::{Comparison, Past, past};
pub use pin::{pin, unpin};

/// A chart that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Its version.
    #[schemars(with = "String")]
    pub version: Version,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Whose it is; `None`: it was not made by Outhaul.
    pub origin: Option<String>,
    /// Digest of its content; `None` as above.
    pub content: Option<Digest>,
    /// What its encrypted Secrets are, as [`SECRETS`] says; `None` if it has none.
    pub secrets: Option<Digest>,
    /// Which schedule made it, as [`SCHEDULE`] says; `None`: somebody did by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// When the application was read; `None`: nobody has written it down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub taken_at: Option<Timestamp>,
}

/// What an export must know of the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct History {
    /// Every version there is.
    pub versions: BTreeSet<Version>,
    /// The one that helm picks if asked for none: the greatest without a pre-release part.
    pub newest: Option<Published>,
    /// The one that the user named, if it is there.
    pub chosen: Option<Published>,
}

/// Reads the history of `repository`.
///
/// # Errors
/// When the store cannot be read. A repository that does not exist has an empty history.
pub async fn read(
    store: &dyn Store,
    repository: &RepositoryName,
    chosen: Option<&Version>,
) -> Result<History, Error> {
    let tags = store.tags(repository).await?.unwrap_or_default();
    let versions = parsed(&tags);
    let greatest = versions.iter().rfind(|version| version.pre.is_empty());
    let newest = match greatest {
        Some(version) => published(store, repository, version).await?,
        None => None,
    };
    let chosen = match chosen {
        Some(version) if versions.contains(version) => {
            published(store, repository, version).await?
        }
        _ => None,
    };
    Ok(History { versions, newest, chosen })
}

/// The version that helm picks if asked for none; `None` where there is none.
///
/// # Errors
/// When the registry cannot be read.
pub async fn newest(
    target: &Target,
    repository: &RepositoryName,
) -> Result<Option<Published>, super::Error> {
    let history = read(target.store.as_ref(), repository, None).await;
    Ok(history.map_err(|source| target.failed(source))?.newest)
}

/// Every version in `repository`, the oldest first. One that does not exist has none.
///
/// # Errors
/// When the registry cannot be read.
pub async fn versions(
    target: &Target,
    repository: &RepositoryName,
) -> Result<BTreeSet<Version>, super::Error> {
    let tags = target.store.tags(repository).await;
    Ok(parsed(&tags.map_err(|source| target.failed(source))?.unwrap_or_default()))
}

/// What the tag of a version that stays begins with; the version follows, as in its own tag.
const PINNED: &str = "pinned-";

/// The versions among tags.
pub(super) fn parsed(tags: &[Tag]) -> BTreeSet<Version> {
    tags.iter().filter_map(version).collect()
}

/// The version that a tag is.
pub fn version(tag: &Tag) -> Option<Version> {
    Version::parse(&tag.as_str().replace('_', "+")).ok()
}

/// The version that a tag pins.
pub(super) fn pinned(tag: &Tag) -> Option<Version> {
    let version = tag.as_str().strip_prefix(PINNED)?;
    Version::parse(&version.replace('_', "+")).ok()
}

/// What a tag is that is no version and of ours.
pub(super) fn own(tag: &Tag) -> Option<&'static str> {
    let text = tag.as_str();
    match text {
        _ if pinned(tag).is_some() => Some("pins a version"),
        _ if text == names::PRUNED => Some("what was pruned"),
        _ if text.starts_with("sha256-") => Some("what is attached to a version"),
        _ => None,
    }
}

/// The version, if it is there.
pub(super) async fn published(
    store: &dyn Store,
    repository: &RepositoryName,
    version: &Version,
) -> Result<Option<Published>, Error> {
    let manifest = manifest(store, repository, version).await?;
    manifest.map(|manifest| described(version, manifest)).transpose()
}

/// `None`: it was deleted since the tags were read.
async fn manifest(
    store: &dyn Store,
    repository: &RepositoryName,
    version: &Version,
) -> Result<Option<Manifest>, Error> {
    let Ok(tag) = version_tag(version) else { return Ok(None) };
    store.manifest(repository, &Revision::Tag(tag)).await
}

fn described(version: &Version, manifest: Manifest) -> Result<Published, Error> {
    let annotations = manifest.links()?.annotations;
    Ok(Published {
        version: version.clone(),
        digest: manifest.digest,
        origin: annotations.get(ORIGIN).cloned(),
        content: annotations.get(CONTENT_DIGEST).and_then(|text| text.parse().ok()),
        secrets: annotations.get(SECRETS).and_then(|text| text.parse().ok()),
        // Whoever copied it here did that by hand.
        schedule: annotations
            .get(SCHEDULE)
            .filter(|_| !annotations.contains_key(DERIVED_FROM))
            .cloned(),
        taken_at: annotations.get(TAKEN_AT).and_then(|text| text.parse().ok()),
    })
}
