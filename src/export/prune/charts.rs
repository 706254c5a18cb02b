//! The first phase: charts. What goes is written down first, then its tag goes, then its manifest.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use semver::Version;

use super::needed;
use super::plan::AT_ONCE;
use super::tombstone::{Entry, Ledger};
use super::{Left, Outcome, Place, Plan, PlannedVersion};
use crate::export::names::version_tag;
use crate::export::{Error, history};
use crate::registry::{Deleted, Revision, Tag, referrers};

/// Most versions that one prune deletes. Each is some five requests, and a prune that takes longer
/// than its registry's users have patience for goes on the next time.
const MOST: usize = 1000;

/// Deletes the charts that `plan` lets go.
pub(super) async fn delete(
    place: Place<'_>,
    plan: &Plan,
    now: Timestamp,
    ledger: &mut Ledger,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    for later in plan.going().skip(MOST) {
        outcome.leave(&later.version, "the next prune goes on");
    }
    let reading = plan.going().take(MOST).map(|version| read(place, version, now));
    let read: Vec<_> =
        stream::iter(reading.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
    // What was pinned since the plan stays.
    let tags = place.tags(place.charts).await?.unwrap_or_default();
    let pinned: BTreeSet<Version> = tags.iter().filter_map(history::pinned).collect();
    let mut going = Vec::new();
    for found in read {
        match found {
            Found::Goes(entry) if pinned.contains(&entry.version) => {
                outcome.leave(&entry.version, "it was pinned meanwhile");
            }
            Found::Goes(entry) => going.push(entry),
            Found::Stays(left) => outcome.left.push(left),
            Found::Gone => {}
        }
    }
    note(ledger, &going, &tags);
    ledger.write(place).await?;
    let mut refused: Option<String> = None;
    for entry in going {
        let reason = match &refused {
            Some(reason) => Some(reason.clone()),
            None => delete_one(place, &entry, &tags, &mut refused).await?,
        };
        match reason {
            None => outcome.versions.push(entry.version.to_string()),
            Some(reason) => {
                outcome.leave(&entry.version, &reason);
                ledger.tombstone.pruned.retain(|noted| *noted != entry);
            }
        }
    }
    ledger.write(place).await
}

/// What an earlier prune has left behind of charts without a tag, because it was interrupted.
pub(super) async fn finish(
    place: Place<'_>,
    ledger: &Ledger,
    outcome: &Outcome,
) -> Result<(), Error> {
    let earlier = ledger.tombstone.pruned.iter();
    let earlier = earlier.filter(|entry| !outcome.versions.contains(&entry.version.to_string()));
    let earlier: Vec<&Entry> = earlier.collect();
    if earlier.is_empty() {
        return Ok(());
    }
    let tags = place.tags(place.charts).await?.unwrap_or_default();
    let asking = earlier.into_iter().map(|entry| async move {
        let found = place.digest(place.charts, &entry.digest.clone().into()).await?;
        Ok::<_, Error>((entry, found.is_some()))
    });
    let asked: Vec<(&Entry, bool)> =
        stream::iter(asking.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
    let is_left = |(entry, is_there): &(&Entry, bool)| {
        *is_there || tags.contains(&referrers::fallback_tag(&entry.digest))
    };
    let left: Vec<&Entry> = asked.into_iter().filter(is_left).map(|(entry, _)| entry).collect();
    if left.is_empty() {
        return Ok(());
    }
    let asking = tags
        .iter()
        .map(|tag| async move { place.digest(place.charts, &Revision::Tag(tag.clone())).await });
    let tagged: Vec<_> =
        stream::iter(asking.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
    for entry in left.into_iter().filter(|entry| !tagged.contains(&Some(entry.digest.clone()))) {
        place.delete_attached(place.charts, &entry.digest, &tags).await?;
        place.delete(place.charts, entry.digest.clone()).await?;
    }
    Ok(())
}

/// What is under the tag of a version that is to go.
enum Found {
    Goes(Entry),
    Stays(Left),
    Gone,
}

async fn read(place: Place<'_>, planned: &PlannedVersion, now: Timestamp) -> Result<Found, Error> {
    let version = planned.version.clone();
    let stays = |reason: &str| Found::Stays(Left::new(&planned.version, reason));
    let tag = Revision::Tag(version_tag(&version)?);
    let Some(manifest) = place.manifest(place.charts, &tag).await? else { return Ok(Found::Gone) };
    if Some(&manifest.digest) != planned.digest.as_ref() {
        return Ok(stays("another chart is under its tag now"));
    }
    Ok(match needed::images(place, place.charts, &manifest).await? {
        Ok(images) => {
            let images =
                images.iter().filter_map(|image| needed::root(image, place.target)).collect();
            Found::Goes(Entry { version, digest: manifest.digest, at: now, images })
        }
        Err(reason) => stays(&format!("which images it has cannot be read: {reason}")),
    })
}

/// Writes down what goes. What was to go once, and is there and stays, is no more to go.
fn note(ledger: &mut Ledger, going: &[Entry], tags: &BTreeSet<Tag>) {
    let versions: BTreeSet<Version> = tags.iter().filter_map(history::version).collect();
    let noted = &mut ledger.tombstone.pruned;
    noted.retain(|entry| !versions.contains(&entry.version));
    noted.extend(going.iter().cloned());
}

/// Deletes one chart. The answer is why it is still there; `refused` is set if that is so of all.
async fn delete_one(
    place: Place<'_>,
    entry: &Entry,
    tags: &BTreeSet<Tag>,
    refused: &mut Option<String>,
) -> Result<Option<String>, Error> {
    let tag = version_tag(&entry.version)?;
    match place.digest(place.charts, &Revision::Tag(tag.clone())).await? {
        Some(digest) if digest == entry.digest => {}
        Some(_) => return Ok(Some("another chart is under its tag now".to_owned())),
        None => return Ok(None),
    }
    // Nothing else has this manifest: a version with another tag on it is not let go.
    let by_name = place.delete(place.charts, tag).await?;
    if let Deleted::Refused(reason) = &by_name {
        return Ok(Some(place.refusal(place.charts, reason)));
    }
    if by_name.is_gone() {
        // The manifest goes last: as long as it is there, the next prune finds what is left.
        place.delete_attached(place.charts, &entry.digest, tags).await?;
    }
    let by_digest = place.delete(place.charts, entry.digest.clone()).await?;
    match by_digest.reason() {
        None if by_name.is_gone() => Ok(None),
        None => {
            place.delete_attached(place.charts, &entry.digest, tags).await?;
            Ok(None)
        }
        Some(_) if by_name.is_gone() => Ok(None),
        Some(reason) => {
            let reason = place.refusal(place.charts, reason);
            if matches!(by_digest, Deleted::Unsupported(_)) {
                *refused = Some(reason.clone());
            }
            Ok(Some(reason))
        }
    }
}
