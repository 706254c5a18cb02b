//! What a chart repository already holds, read from the registry alone.

use std::collections::BTreeSet;

use semver::Version;
use serde::Serialize;

use crate::registry::{Digest, Error, RepositoryName, Revision, Store};

use super::identity::{CONTENT_DIGEST, ORIGIN, SECRETS};
use super::names::version_tag;

/// A chart that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Its version.
    pub version: Version,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Whose it is; `None`: it was not made by Outhaul.
    pub origin: Option<String>,
    /// Digest of its content; `None` as above.
    pub content: Option<Digest>,
    /// What its encrypted Secrets are, as [`SECRETS`] says; `None` if it has none.
    pub secrets: Option<Digest>,
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
    let versions: BTreeSet<Version> = tags
        .iter()
        .filter_map(|tag| Version::parse(&tag.as_str().replace('_', "+")).ok())
        .collect();
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

async fn published(
    store: &dyn Store,
    repository: &RepositoryName,
    version: &Version,
) -> Result<Option<Published>, Error> {
    let Ok(tag) = version_tag(version) else { return Ok(None) };
    let Some(manifest) = store.manifest(repository, &Revision::Tag(tag)).await? else {
        return Ok(None); // deleted between the two requests
    };
    let annotations = manifest.links()?.annotations;
    Ok(Some(Published {
        version: version.clone(),
        digest: manifest.digest,
        origin: annotations.get(ORIGIN).cloned(),
        content: annotations.get(CONTENT_DIGEST).and_then(|text| text.parse().ok()),
        secrets: annotations.get(SECRETS).and_then(|text| text.parse().ok()),
    }))
}
