//! `verify`: whether a published export is whole, from the registries alone.

mod content;
mod image;

use std::collections::BTreeSet;
use std::fmt;

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::{Value, json};

use crate::chart::render;
use crate::chart::{self, Chart, Image};
use crate::registry::{Digest, RepositoryName, Revision};

use super::identity::{CONTENT_DIGEST, ORIGIN};
use super::upgrade::{RELEASE, rendered};
use super::{ChartReference, Error, PublishedChart, Sources, Target, fetch};

/// Images looked at at once, as for an export.
const MAX_AT_ONCE: usize = 4;

/// What was found of a published export.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The chart, with its version.
    pub chart: String,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Whose export it is.
    pub origin: String,
    /// Whether every byte was read, and not only asked for.
    pub deep: bool,
    /// What was checked.
    pub checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// How it is.
    pub state: State,
    /// What was seen, in a few words.
    pub detail: String,
}

/// How something is. The worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It could not be looked at.
    Unknown,
    /// The parts of the chart do not go together.
    Differs,
    /// Something is not there.
    Missing,
    /// It has other bytes than its digest says.
    Wrong,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Differs => "inconsistent",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
        })
    }
}

impl Check {
    fn new(name: impl Into<String>, state: State, detail: impl Into<String>) -> Self {
        Self { name: name.into(), state, detail: detail.into() }
    }
}

impl Verification {
    /// # Errors
    /// The check that failed worst.
    pub fn require(&self) -> Result<(), Error> {
        match self.checks.iter().max_by_key(|check| check.state) {
            Some(worst) if worst.state > State::Ok => Err(Error::Verified {
                reference: self.chart.clone(),
                worst: Box::new(worst.clone()),
            }),
            _ => Ok(()),
        }
    }
}

/// Checks the export under `reference`: the digests of the chart, that it renders, that its parts
/// name the same images, and that each image is there with all its platforms and blobs. `deep`
/// reads every byte; otherwise blobs are asked for by HEAD.
///
/// # Errors
/// When there is no export under the reference, or its registry cannot be read. What is missing or
/// wrong is in the answer.
pub async fn verify(
    target: &Target,
    reference: &ChartReference,
    sources: &Sources,
    deep: bool,
) -> Result<Verification, Error> {
    let published = fetch(target, reference).await?;
    let chart = &published.chart;
    let not_ours = |reason: String| Error::NotAnExport { reference: reference.to_string(), reason };
    let origin =
        chart.annotations.get(ORIGIN).filter(|_| chart.annotations.contains_key(CONTENT_DIGEST));
    let origin = origin.ok_or_else(|| not_ours(format!("it has no annotation {ORIGIN}")))?.clone();
    let images = chart::images(chart).map_err(|error| not_ours(error.to_string()))?;
    let mut checks = vec![Check::new(
        "chart",
        State::Ok,
        "manifest, configuration and archive have their digests",
    )];
    checks.extend(rendering(chart, &images));
    let each = images.iter().map(|image| image::check(target, reference, image, sources, deep));
    checks.extend(stream::iter(each).buffered(MAX_AT_ONCE).collect::<Vec<_>>().await);
    checks.push(attached(target, &reference.repository, &published).await);
    let address = target.address(&reference.repository);
    Ok(Verification {
        chart: format!("{address}:{}", chart.version),
        digest: published.digest,
        origin,
        deep,
        checks,
    })
}

/// Whether the chart renders, and what it renders is pinned to the images of its lock.
fn rendering(chart: &Chart, images: &[Image]) -> Vec<Check> {
    let objects = match rendered(chart, RELEASE) {
        Ok(objects) => objects,
        Err(error) => return vec![Check::new("rendering", State::Differs, error.to_string())],
    };
    let mut checks = vec![Check::new(
        "rendering",
        State::Ok,
        format!("{} objects with the defaults", objects.len()),
    )];
    let stand_ins = render::values(chart).map(|values| render::stand_ins(&values));
    if let Err(error) = render::notes(chart, RELEASE, &stand_ins.unwrap_or_else(|_| json!({}))) {
        checks.push(Check::new("notes", State::Differs, error.to_string()));
    }
    let (mut pinned, mut anywhere) = (BTreeSet::new(), BTreeSet::new());
    for manifest in &objects {
        for value in manifest.object.fields().values() {
            digests(value, is_image_field, &mut pinned);
            digests(value, |_| true, &mut anywhere);
        }
    }
    let locked: BTreeSet<&str> = images.iter().map(|image| &*image.digest).collect();
    let unlocked: Vec<&str> =
        pinned.iter().map(String::as_str).filter(|digest| !locked.contains(digest)).collect();
    // An image that no object names, as an operator runs it, is no value.
    let values = render::values(chart).unwrap_or_default();
    let is_value = |image: &&Image| values["images"].get(&image.key).is_some();
    let unused: Vec<&str> = images
        .iter()
        .filter(is_value)
        .filter(|image| !anywhere.contains(&image.digest))
        .map(|image| &*image.key)
        .collect();
    checks.push(match (unlocked.as_slice(), unused.as_slice()) {
        ([], []) => Check::new("lock", State::Ok, format!("{} images, as rendered", images.len())),
        ([digest, ..], _) => {
            Check::new("lock", State::Differs, format!("{digest} is rendered and not in the lock"))
        }
        (_, [key, ..]) => {
            Check::new("lock", State::Differs, format!("{key} is in the lock and not rendered"))
        }
    });
    checks
}

/// Whether containers and volumes have their images in a field of this name.
fn is_image_field(name: &str) -> bool {
    matches!(name, "image" | "reference")
}

/// The digests of references in the fields that `which` holds for, at any depth.
fn digests(value: &Value, which: fn(&str) -> bool, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if which(key) => {
                        found.extend(text.split_once('@').map(|(_, digest)| digest.to_owned()));
                    }
                    value => digests(value, which, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| digests(item, which, found)),
        _ => {}
    }
}

/// What refers to the chart: reports, signatures. None is fine.
async fn attached(target: &Target, repository: &RepositoryName, chart: &PublishedChart) -> Check {
    let listed = target.store.referrers(repository, &chart.digest).await;
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return Check::new("referrers", State::Unknown, error.to_string()),
    };
    for referrer in &listed {
        let revision = Revision::Digest(referrer.digest.clone());
        if let Ok(None) = target.store.manifest_digest(repository, &revision).await {
            let detail = format!("{} is listed and not there", referrer.digest);
            return Check::new("referrers", State::Missing, detail);
        }
    }
    let types: BTreeSet<&str> =
        listed.iter().filter_map(|referrer| referrer.artifact_type.as_deref()).collect();
    let types: Vec<&str> = types.into_iter().collect();
    let detail = if listed.is_empty() { "none".to_owned() } else { types.join(", ") };
    Check::new("referrers", State::Ok, detail)
}
