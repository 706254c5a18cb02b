//! Published charts as somebody who looks back sees them.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;

use super::{Published, described, manifest, pinned};
use crate::export::Target;
use crate::export::identity::FIDELITY;
use crate::export::publish::REPORT;
use crate::registry::manifest::Links;
use crate::registry::{Descriptor, Digest, Error, RepositoryName, Store, Tag, referrers};

/// Manifests that are read at once: the registry's other users want to be served, too.
pub(super) const AT_ONCE: usize = 8;

/// Artefact types of signatures: cosign's, sigstore's and Notary's.
const SIGNATURES: [&str; 3] = [
    "application/vnd.dev.cosign.artifact.sig.v1+json",
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.cncf.notary.signature",
];

/// A chart that was published, as somebody who looks back sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PublishedVersion")]
pub struct Past {
    /// The chart.
    #[serde(flatten)]
    pub published: Published,
    /// Digest of the report that is attached to it; `None`: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Digest>,
    /// What the report says of what the chart gives back; `None`: there is none that says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<Comparison>,
    /// Whether a signature is attached to it. Whose it is, nobody has checked.
    pub signed: bool,
    /// Whether it was pinned, so that no rule lets it go.
    pub pinned: bool,
}

/// How many objects a chart gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// As they were, but for what is intended.
    pub identical: usize,
    /// In all.
    pub objects: usize,
}

/// These versions, without those that have gone meanwhile.
///
/// # Errors
/// When the registry cannot be read.
pub async fn past(
    target: &Target,
    repository: &RepositoryName,
    versions: &[Version],
) -> Result<Vec<Past>, super::super::Error> {
    let tags = target.store.tags(repository).await.map_err(|source| target.failed(source))?;
    let tags: BTreeSet<Tag> = tags.unwrap_or_default().into_iter().collect();
    let looked = look_all(target, repository, versions, &tags).await?;
    Ok(looked.into_iter().filter_map(|looked| Some(looked?.0)).collect())
}

/// The same with what the manifest leads to; `None` of one that is gone, or is no manifest.
pub(super) async fn look_all(
    target: &Target,
    repository: &RepositoryName,
    versions: &[Version],
    tags: &BTreeSet<Tag>,
) -> Result<Vec<Option<(Past, Links)>>, super::super::Error> {
    let store = target.store.as_ref();
    let pins: BTreeSet<Version> = tags.iter().filter_map(pinned).collect();
    let each = versions.iter().map(|version| look(store, repository, version, tags, &pins));
    let looked = stream::iter(each.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await;
    looked.map_err(|source| target.failed(source))
}

async fn look(
    store: &dyn Store,
    repository: &RepositoryName,
    version: &Version,
    tags: &BTreeSet<Tag>,
    pins: &BTreeSet<Version>,
) -> Result<Option<(Past, Links)>, Error> {
    let Some(manifest) = manifest(store, repository, version).await? else { return Ok(None) };
    let Ok(links) = manifest.links() else { return Ok(None) };
    let listed = tags.contains(&referrers::fallback_tag(&manifest.digest));
    let referrers = match listed || !store.has_referrers_by_tag() {
        true => store.referrers(repository, &manifest.digest).await?,
        false => Vec::new(),
    };
    let is_report = |of: &&Descriptor| of.artifact_type.as_deref() == Some(REPORT);
    let report = referrers.iter().find(is_report);
    let cosign = referrers::cosign_tags(&manifest.digest);
    let published = described(version, manifest)?;
    let past = Past {
        fidelity: report.and_then(|report| fidelity(report.annotations.get(FIDELITY)?)),
        report: report.map(|report| report.digest.clone()),
        signed: tags.contains(&cosign[0]) || referrers.iter().any(is_signature),
        pinned: pins.contains(version),
        published,
    };
    Ok(Some((past, links)))
}

fn is_signature(referrer: &Descriptor) -> bool {
    let kind = referrer.artifact_type.as_deref().unwrap_or_default();
    SIGNATURES.iter().any(|signature| kind.starts_with(signature))
}

fn fidelity(text: &str) -> Option<Comparison> {
    let (identical, objects) = text.split_once('/')?;
    Some(Comparison { identical: identical.parse().ok()?, objects: objects.parse().ok()? })
}
