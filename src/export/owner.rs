//! Who owns a repository of images: a marker for each chart repository whose charts need them, so
//! that whoever cleans up knows every chart to ask before an image goes. Where one of these is at
//! another registry, nobody can ask them all, and every image stays.

use std::collections::{BTreeMap, BTreeSet};

use crate::registry::quirks::Vendor;
use crate::registry::{RepositoryName, Revision, Tag, attach};

use super::{Error, Plan, Target, names};

/// Artefact type of a marker.
const OWNER: &str = "application/vnd.outhaul.owner.v1+json";

/// Annotation of a marker: the chart repository, without the registry's host, which has many names;
/// that of another registry is [`ELSEWHERE`] and host and repository.
const CHARTS: &str = "dev.outhaul.chart-repository";

/// What the chart repository of another registry begins with, and no other can.
const ELSEWHERE: &str = "oci://";

/// Marks the image repository of `plan` as needed by its chart repository. That comes before the
/// images: there is no moment at which an image of ours has an owner that nobody can find. Layouts
/// are carried and never cleaned up, and have no markers. Nor has Control Tower: whether it takes
/// other things than images is not documented; without a marker no image of it is ever pruned.
///
/// # Errors
/// When the registry does not take the marker.
pub(super) async fn mark(plan: &Plan, target: &Target) -> Result<(), Error> {
    let has_none = target.registry.is_none() || target.vendor == Some(Vendor::ControlTower);
    if has_none || plan.images.iter().all(|image| image.image.kept) {
        return Ok(());
    }
    let charts = match target.charts().host() == target.host() {
        true => plan.chart_repository.to_string(),
        false => format!("{ELSEWHERE}{}", plan.chart),
    };
    let tag = names::owner_tag(&charts)?;
    let annotations = BTreeMap::from([(CHARTS.to_owned(), charts)]);
    let (store, repository) = (target.store.as_ref(), &plan.image_repository);
    let marked = attach::mark(store, repository, tag, OWNER, &annotations).await;
    marked.map_err(|source| target.failed(source))
}

/// The chart repositories that `tags` of an image repository name as owners. The inner error says
/// which marker cannot be read.
///
/// # Errors
/// When the registry cannot be read.
pub(super) async fn all(
    target: &Target,
    repository: &RepositoryName,
    tags: &BTreeSet<Tag>,
) -> Result<Result<Vec<RepositoryName>, String>, Error> {
    let mut owners = Vec::new();
    for tag in tags.iter().filter(|tag| tag.as_str().starts_with(names::OWNER_PREFIX)) {
        let manifest = target.store.manifest(repository, &Revision::Tag(tag.clone())).await;
        let manifest = manifest.map_err(|source| target.failed(source))?;
        let links = manifest.and_then(|manifest| manifest.links().ok());
        let charts = links.and_then(|links| links.annotations.get(CHARTS).cloned());
        if let Some(charts) = charts.as_deref().filter(|charts| charts.starts_with(ELSEWHERE)) {
            return Ok(Err(format!("charts of another registry need them: {charts}")));
        }
        match charts.and_then(|charts| charts.parse::<RepositoryName>().ok()) {
            Some(charts) if names::owner_tag(charts.as_str())? == *tag => owners.push(charts),
            _ => return Ok(Err(format!("its marker {tag} cannot be read"))),
        }
    }
    Ok(Ok(owners))
}
