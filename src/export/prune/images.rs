//! The second phase: images whose charts have gone long enough ago, and that nothing needs.
//!
//! An export of the same image may be under way. It puts the image there again, then its chart's tag,
//! and asks then whether the image is whole. Here charts are listed once more after the last deletion,
//! and what one of them needs is put back. Whichever comes last sees what the other did.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::kept::Kept;
use super::needed::Needed;
use super::tombstone::{Ledger, Root};
use super::{Left, Outcome, Place};
use crate::export::Error;
use crate::registry::{Deleted, Digest, Manifest, RepositoryName, Revision, Tag};

/// An image that goes.
#[derive(Debug)]
struct Going {
    root: Digest,
    /// Its tags, all of them ours.
    tags: Vec<Tag>,
    /// Itself, if it is there, and what goes with it: children and what refers to any of them.
    manifests: Vec<Manifest>,
    /// What was to go with it when an earlier prune was interrupted.
    parts: Vec<Digest>,
}

/// Deletes the images of tombstones that are old enough.
pub(super) async fn delete(
    place: Place<'_>,
    now: Timestamp,
    ledger: &mut Ledger,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let due: BTreeSet<Root> = roots(ledger, place.grace, now).cloned().collect();
    let repositories: BTreeSet<RepositoryName> =
        due.iter().map(|root| root.repository.clone()).collect();
    for repository in repositories {
        let roots = due.iter().filter(|root| root.repository == repository).cloned().collect();
        let done = in_repository(place, &repository, roots, ledger, outcome).await?;
        if let Err(reason) = done {
            outcome.left.push(Left { what: format!("images of {repository}"), reason });
            continue;
        }
        for entry in &mut ledger.tombstone.pruned {
            if is_due(entry.at, place.grace, now) {
                entry.images.retain(|root| root.repository != repository);
            }
        }
        ledger.tombstone.pruned.retain(|entry| !entry.images.is_empty());
        ledger.write(place).await?;
    }
    // A chart without images has left nothing to come back for.
    ledger.tombstone.pruned.retain(|entry| !entry.images.is_empty());
    ledger.write(place).await
}

fn is_due(at: Timestamp, grace: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(at) >= grace
}

fn roots(ledger: &Ledger, grace: SignedDuration, now: Timestamp) -> impl Iterator<Item = &Root> {
    let entries = ledger.tombstone.pruned.iter();
    entries.filter(move |entry| is_due(entry.at, grace, now)).flat_map(|entry| &entry.images)
}

/// Deletes those of `roots`, which are of one repository, that nothing needs. The inner error is why
/// none of them goes.
async fn in_repository(
    place: Place<'_>,
    repository: &RepositoryName,
    roots: Vec<Root>,
    ledger: &mut Ledger,
    outcome: &mut Outcome,
) -> Result<Result<(), String>, Error> {
    let Some(tags) = place.tags(repository).await? else { return Ok(Ok(())) };
    let mut needed = match Needed::read(place, repository, &tags).await? {
        Ok(needed) => needed,
        Err(reason) => return Ok(Err(reason)),
    };
    let candidates = roots.iter().map(|root| root.digest.clone());
    let candidates = candidates.filter(|digest| !needed.digests.contains(digest)).collect();
    let mut kept = match Kept::read(place, repository, candidates, &tags, &needed).await? {
        Ok(kept) => kept,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut going = collect(place, repository, &roots, &tags, &kept).await?;
    begin(ledger, repository, &going);
    ledger.write(place).await?;
    // What has come since is looked at right before anything goes, and right after.
    if let Err(reason) = again(place, repository, &mut needed, &mut kept).await? {
        return Ok(Err(reason));
    }
    going.retain(|going| !kept.has(&going.root) && !needed.digests.contains(&going.root));
    let mut refused = None;
    for image in &going {
        refused = remove(place, repository, image, &kept).await?;
        if refused.is_some() {
            break;
        }
        outcome.images.push(format!("{repository}@{}", image.root));
    }
    let seen = again(place, repository, &mut needed, &mut kept).await?;
    restore(place, repository, &going, &needed, &kept, seen.is_err(), outcome).await?;
    if let Err(reason) = seen {
        return Ok(Err(reason));
    }
    let whole = needed.here.iter().map(|digest| Revision::Digest(digest.clone()));
    for revision in whole {
        if place.digest(repository, &revision).await?.is_none() {
            outcome.missing.push(format!("{repository}@{revision}"));
        }
    }
    Ok(refused.map_or(Ok(()), |reason| Err(place.refusal(repository, &reason))))
}

async fn again(
    place: Place<'_>,
    repository: &RepositoryName,
    needed: &mut Needed,
    kept: &mut Kept,
) -> Result<Result<(), String>, Error> {
    match needed.again(place, repository).await? {
        Ok(()) => kept.again(place, repository, needed).await,
        Err(reason) => Ok(Err(reason)),
    }
}

/// What each image consists of that nothing else has.
async fn collect(
    place: Place<'_>,
    repository: &RepositoryName,
    roots: &[Root],
    tags: &BTreeSet<Tag>,
    kept: &Kept,
) -> Result<Vec<Going>, Error> {
    let mut all: BTreeMap<Digest, Going> = BTreeMap::new();
    for root in roots.iter().filter(|root| kept.candidates.contains_key(&root.digest)) {
        let digest = root.digest.clone();
        if let Some(known) = all.get_mut(&digest) {
            known.parts.extend(root.parts.iter().cloned());
            continue;
        }
        let mut going = Going {
            tags: kept.candidates.get(&digest).cloned().unwrap_or_default(),
            manifests: Vec::new(),
            parts: root.parts.clone(),
            root: digest.clone(),
        };
        let mut wave = vec![digest.clone()];
        let mut known = BTreeSet::new();
        while !wave.is_empty() {
            let fresh = wave.drain(..).filter(|digest| !kept.has(digest));
            let fresh: Vec<_> = fresh.filter(|digest| known.insert(digest.clone())).collect();
            let read = fresh.into_iter().map(Revision::Digest);
            for (_, manifest) in place.manifests(repository, read).await? {
                wave.extend(links(place, repository, &manifest, tags).await?);
                going.manifests.push(manifest);
            }
        }
        all.insert(digest, going);
    }
    Ok(all.into_values().collect())
}

/// The children of a manifest, and what refers to it.
async fn links(
    place: Place<'_>,
    repository: &RepositoryName,
    manifest: &Manifest,
    tags: &BTreeSet<Tag>,
) -> Result<Vec<Digest>, Error> {
    let there = |source| place.target.failed(source);
    let children = manifest.links().map(|links| links.manifests).unwrap_or_default();
    let mut all: Vec<_> = children.into_iter().map(|child| child.digest).collect();
    let referrers = place.store().referrers(repository, &manifest.digest).await.map_err(there)?;
    all.extend(referrers.into_iter().map(|referrer| referrer.digest));
    let lists = std::iter::once(crate::registry::referrers::fallback_tag(&manifest.digest));
    let lists = lists.chain(crate::registry::referrers::cosign_tags(&manifest.digest));
    for tag in lists.filter(|tag| tags.contains(tag)) {
        all.extend(place.digest(repository, &Revision::Tag(tag)).await?);
    }
    Ok(all)
}

/// Writes down what goes with each image, before the image that says so is gone.
fn begin(ledger: &mut Ledger, repository: &RepositoryName, going: &[Going]) {
    for root in ledger.tombstone.pruned.iter_mut().flat_map(|entry| &mut entry.images) {
        let found = going.iter().find(|going| going.root == root.digest);
        if let Some(found) = found.filter(|_| root.repository == *repository) {
            let parts = found.manifests.iter().map(|manifest| manifest.digest.clone());
            let parts: BTreeSet<_> = parts.chain(found.parts.iter().cloned()).collect();
            root.parts = parts.into_iter().filter(|part| *part != root.digest).collect();
        }
    }
}

/// Deletes an image: its tags, itself, then what only it had. The answer is why it is still there.
async fn remove(
    place: Place<'_>,
    repository: &RepositoryName,
    image: &Going,
    kept: &Kept,
) -> Result<Option<String>, Error> {
    for tag in &image.tags {
        if let Deleted::Refused(reason) = place.delete(repository, tag.clone()).await? {
            return Ok(Some(reason));
        }
    }
    let rest = image.manifests.iter().map(|manifest| &manifest.digest).chain(&image.parts);
    let rest = rest.filter(|digest| **digest != image.root && !kept.has(digest));
    if let Some(reason) = place.delete(repository, image.root.clone()).await?.reason() {
        return Ok(Some(reason.to_owned()));
    }
    // What is left of it is in nobody's way, and in no list of ours.
    for digest in rest {
        place.delete(repository, digest.clone()).await?;
    }
    Ok(None)
}

/// Puts back what is needed again: children first, then the image and its tags. Where that could not
/// be told, everything.
async fn restore(
    place: Place<'_>,
    repository: &RepositoryName,
    going: &[Going],
    needed: &Needed,
    kept: &Kept,
    all: bool,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    for image in going {
        let root = Revision::Digest(image.root.clone());
        let is_back = all
            || needed.digests.contains(&image.root)
            || kept.has(&image.root)
            || place.digest(repository, &root).await?.is_some();
        let back = image.manifests.iter().rev();
        let back: Vec<_> = back.filter(|of| is_back || kept.has(&of.digest)).collect();
        for manifest in &back {
            put(place, repository, &manifest.digest.clone().into(), manifest).await?;
        }
        if !is_back {
            continue;
        }
        if let Some(manifest) = back.iter().find(|manifest| manifest.digest == image.root) {
            for tag in &image.tags {
                put(place, repository, &tag.clone().into(), manifest).await?;
            }
        }
        let name = format!("{repository}@{}", image.root);
        outcome.images.retain(|gone| *gone != name);
        outcome.left.push(Left { what: name, reason: "it is needed again".to_owned() });
    }
    Ok(())
}

async fn put(
    place: Place<'_>,
    repository: &RepositoryName,
    revision: &Revision,
    manifest: &Manifest,
) -> Result<(), Error> {
    let put = place.store().put_manifest(repository, revision, manifest).await;
    put.map_err(|source| place.target.failed(source))
}
