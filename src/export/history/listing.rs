//! The history of a chart repository as people read it: what is there, whoever made it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;

use super::look::{Past, look_all};
use super::sizes::{Sizes, weigh};
use super::{own, parsed, version};
use crate::export::identity::{CONTENT_DIGEST, ORIGIN, TAKEN_AT};
use crate::export::{Error, Target};
use crate::registry::manifest::Links;
use crate::registry::{Digest, RepositoryName, Tag};

/// What a chart repository holds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "History")]
pub struct Listing {
    /// Its address.
    pub chart: String,
    /// The newest versions, the newest first.
    pub versions: Vec<Row>,
    /// How many there are besides.
    pub more: usize,
    /// Tags that are no versions.
    pub others: Vec<Other>,
}

/// A version.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryRow")]
pub struct Row {
    /// What is known of it.
    #[serde(flatten)]
    pub past: Past,
    /// Bytes that it needs, its images at the same registry included.
    pub bytes: u64,
    /// Bytes that no other of the versions shown needs.
    pub own_bytes: u64,
    /// What is wrong with what its manifest says of itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oddities: Vec<String>,
}

/// A tag that is no version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "HistoryTag")]
pub struct Other {
    /// The tag.
    pub tag: Tag,
    /// What it is for.
    pub what: String,
}

/// The `limit` newest versions in `repository`, and what else is there. Whatever others have put there
/// is in it as what it is.
///
/// # Errors
/// When the registry cannot be read, or nothing is there.
pub async fn list(
    target: &Target,
    repository: &RepositoryName,
    limit: usize,
) -> Result<Listing, Error> {
    let tags = target.store.tags(repository).await.map_err(|source| target.failed(source))?;
    let chart = target.address(repository);
    let tags = tags.ok_or_else(|| Error::ChartMissing(chart.clone()))?;
    let versions = parsed(&tags);
    let newest: Vec<Version> = versions.iter().rev().take(limit).cloned().collect();
    let others = tags.iter().filter(|tag| version(tag).is_none()).map(other).collect();
    let tags: BTreeSet<Tag> = tags.iter().cloned().collect();
    let looked = look_all(target, repository, &newest, &tags).await?;
    let looked: Vec<(Past, Links)> = looked.into_iter().flatten().collect();
    let links: Vec<&Links> = looked.iter().map(|(_, links)| links).collect();
    let sizes = weigh(target, repository, &links).await?;
    let rows = looked.into_iter().zip(sizes).map(|((past, links), sizes)| row(past, &links, sizes));
    let more = versions.len() - newest.len();
    Ok(Listing { chart, versions: rows.collect(), more, others })
}

fn row(past: Past, links: &Links, sizes: Sizes) -> Row {
    let Sizes { all: bytes, own: own_bytes } = sizes;
    Row { oddities: oddities(links), past, bytes, own_bytes }
}

/// Annotations that say what cannot be.
fn oddities(links: &Links) -> Vec<String> {
    let annotation = |key: &str| links.annotations.get(key);
    if annotation(ORIGIN).is_none() {
        return vec!["not made by outhaul".to_owned()];
    }
    let content = annotation(CONTENT_DIGEST).is_some_and(|text| text.parse::<Digest>().is_ok());
    let taken = annotation(TAKEN_AT).is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
    let images = annotation(super::super::used::IMAGES);
    let images = images.is_none_or(|list| super::super::used::listed(list).is_ok());
    [(content, CONTENT_DIGEST), (taken, TAKEN_AT), (images, super::super::used::IMAGES)]
        .into_iter()
        .filter(|(is_fine, _)| !is_fine)
        .map(|(_, key)| format!("annotation {key} cannot be read"))
        .collect()
}

fn other(tag: &Tag) -> Other {
    Other { tag: tag.clone(), what: own(tag).unwrap_or("no version").to_owned() }
}
