//! What a plan's images weigh: how much there is, and how much has to be moved at most.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::registry::{Descriptor, Digest, Located, Manifest, Revision};

use super::images::{ImageName, ResolvedImage};
use super::plan::Weight;
use super::{Error, Plan, PlannedImage, Sources, Target};

/// Manifests that are read of one image. Official images have about 20; of an image of more the
/// weight is too small.
const MAX_MANIFESTS: usize = 128;

/// Blobs that the destination is asked for. What is beyond counts as to be moved: a plan should not
/// cost more than a few seconds.
const MAX_ASKED: usize = 256;

/// Requests at once, at the source and at the destination.
const MAX_AT_ONCE: usize = 8;

/// Adds to `plan` what its images weigh. Reads their manifests, from the destination where they are
/// there, and asks it for the blobs of the others: of those it may have some in other repositories,
/// so that less is moved.
///
/// # Errors
/// When a manifest cannot be read, or the destination cannot be asked.
pub async fn estimate(plan: &mut Plan, target: &Target, sources: &Sources) -> Result<(), Error> {
    let mut all = Vec::new();
    for planned in plan.images.iter().filter(|planned| !planned.image.kept) {
        all.push(blobs(plan, planned, target, sources).await?);
    }
    let absent: BTreeMap<&Digest, &Descriptor> = plan
        .images
        .iter()
        .filter(|planned| !planned.image.kept)
        .zip(&all)
        .filter(|(planned, _)| !planned.present)
        .flat_map(|(_, blobs)| blobs.iter())
        .collect();
    let there = there(plan, target, &absent).await?;
    let weigh = |blobs: &BTreeMap<Digest, Descriptor>| Weight {
        bytes: blobs.values().map(|blob| blob.size).sum(),
        to_move: blobs
            .iter()
            .filter(|(digest, _)| absent.contains_key(digest) && !there.contains(digest))
            .map(|(_, blob)| blob.size)
            .sum(),
    };
    let weights: Vec<Weight> = all.iter().map(weigh).collect();
    let total = weigh(&all.iter().flatten().map(|(d, b)| (d.clone(), b.clone())).collect());
    let moved = plan.images.iter_mut().filter(|planned| !planned.image.kept);
    for (planned, weight) in moved.zip(weights) {
        planned.weight =
            Some(Weight { to_move: if planned.present { 0 } else { weight.to_move }, ..weight });
    }
    plan.weight = Some(total);
    Ok(())
}

/// The blobs of one image by digest.
async fn blobs(
    plan: &Plan,
    planned: &PlannedImage,
    target: &Target,
    sources: &Sources,
) -> Result<BTreeMap<Digest, Descriptor>, Error> {
    let image = &planned.image;
    let from = if planned.present {
        Located { store: target.store.clone(), repository: plan.image_repository.clone() }
    } else {
        sources.locate(&image.source).map_err(|error| unreadable(image, error))?
    };
    let mut found = BTreeMap::new();
    let mut level =
        if image.children.is_empty() { vec![image.digest.clone()] } else { image.children.clone() };
    let mut seen: BTreeSet<Digest> = BTreeSet::new();
    while !level.is_empty() {
        level.retain(|digest| !seen.contains(digest));
        level.truncate(MAX_MANIFESTS.saturating_sub(seen.len()));
        seen.extend(level.iter().cloned());
        let reads = std::mem::take(&mut level).into_iter().map(|digest| read(image, &from, digest));
        let manifests: Vec<Option<Manifest>> =
            stream::iter(reads).buffered(MAX_AT_ONCE).try_collect().await?;
        for manifest in manifests.into_iter().flatten() {
            let links = manifest.links().map_err(|error| unreadable(image, error))?;
            level.extend(links.manifests.into_iter().map(|child| child.digest));
            let blobs = links.config.into_iter().chain(links.layers);
            let moved = blobs.filter(|blob| !blob.is_foreign());
            found.extend(moved.map(|blob| (blob.digest.clone(), blob)));
        }
    }
    Ok(found)
}

async fn read(
    image: &ResolvedImage,
    from: &Located,
    digest: Digest,
) -> Result<Option<Manifest>, Error> {
    let read = from.store.manifest(&from.repository, &Revision::Digest(digest)).await;
    read.map_err(|error| unreadable(image, error))
}

/// Those blobs that the image repository has, of the first so many.
async fn there<'b>(
    plan: &Plan,
    target: &Target,
    blobs: &BTreeMap<&'b Digest, &'b Descriptor>,
) -> Result<BTreeSet<&'b Digest>, Error> {
    let failed = |source| target.failed(source);
    let (store, repository) = (&target.store, &plan.image_repository);
    if blobs.is_empty() || store.tags(repository).await.map_err(failed)?.is_none() {
        return Ok(BTreeSet::new());
    }
    let asks = blobs.iter().take(MAX_ASKED).map(|(digest, blob)| async move {
        store.has_blob(repository, blob).await.map(|has| has.then_some(*digest))
    });
    let found = stream::iter(asks).buffered(MAX_AT_ONCE).try_collect::<Vec<_>>().await;
    Ok(found.map_err(failed)?.into_iter().flatten().collect())
}

fn unreadable(image: &ResolvedImage, source: crate::registry::Error) -> Error {
    Error::ImageUnreadable { image: ImageName::from(image), source }
}
