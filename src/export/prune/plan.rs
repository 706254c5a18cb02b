//! Reads a repository, as much of it as decides, and says what goes.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use semver::Version;

use super::decide::{Known, Verdict, decide};
use super::{Claim, Other, Plan, PlannedVersion};
use crate::export::history::{self, Published};
use crate::export::moving::EPINIO;
use crate::export::{Error, Target};
use crate::registry::{Digest, RepositoryName, Revision, Store, Tag};

/// Manifests that are read at once: the registry's other users want to be served, too.
pub(super) const AT_ONCE: usize = 8;

/// Says what becomes of each version of `origin` in `repository`. Only manifests on which that rests
/// are read.
///
/// # Errors
/// When the registry cannot be read, or lists no tags.
pub async fn plan(
    target: &Target,
    repository: &RepositoryName,
    origin: &str,
    claims: &[Claim],
    now: Timestamp,
) -> Result<Plan, Error> {
    let there = |source| target.failed(source);
    let store = target.store.as_ref();
    let tags = store.tags(repository).await.map_err(there)?.unwrap_or_default();
    let mut reading = Reading::new(&tags);
    reading.tagged = digests(store, repository, &reading.foreign()).await.map_err(there)?;
    let verdicts = loop {
        let verdicts = decide(&reading.own, claims, now);
        let unread = reading.unread(&verdicts);
        if unread.is_empty() {
            break verdicts;
        }
        let read = published(store, repository, &unread).await.map_err(there)?;
        reading.learn(origin, unread, read);
    };
    let own = reading.own.into_iter().zip(verdicts);
    let mut versions: Vec<_> = own.map(|(known, verdict)| planned(known, verdict)).collect();
    versions.reverse();
    Ok(Plan {
        chart: target.address(repository),
        origin: origin.to_owned(),
        dry_run: claims.iter().any(|claim| claim.dry_run),
        versions,
        others: reading.others,
    })
}

/// What is known of a repository by now.
struct Reading {
    /// Versions that are of the origin, or may be, the oldest first.
    own: Vec<Known>,
    others: Vec<Other>,
    /// Tags that are no versions, and are not ours.
    tagged: BTreeMap<Digest, Vec<Tag>>,
}

impl Reading {
    fn new(tags: &[Tag]) -> Self {
        let versions = history::parsed(tags);
        let pinned: BTreeSet<Version> = tags.iter().filter_map(history::pinned).collect();
        let known = |version: Version| Known {
            pinned: pinned.contains(&version),
            read: None,
            tagged: Vec::new(),
            version,
        };
        let is_version = |tag: &&Tag| history::version(tag).is_some();
        let mut others: Vec<Other> =
            tags.iter().filter(|tag| !is_version(tag)).map(other).collect();
        let moves = versions.contains(&EPINIO).then(|| EPINIO.to_string().parse().ok()).flatten();
        others.extend(moves.map(|tag| Other { tag, what: MOVES.to_owned() }));
        let own = versions.into_iter().filter(|version| *version != EPINIO).map(known).collect();
        Self { own, others, tagged: BTreeMap::new() }
    }

    fn foreign(&self) -> Vec<Tag> {
        let foreign = self.others.iter().filter(|other| other.what == FOREIGN);
        foreign.map(|other| other.tag.clone()).collect()
    }

    /// Versions that nobody has looked at, and that matter.
    fn unread(&self, verdicts: &[Verdict]) -> Vec<Version> {
        let matter =
            self.own.iter().zip(verdicts).filter(|(known, of)| of.matters && known.read.is_none());
        matter.map(|(known, _)| known.version.clone()).collect()
    }

    /// Notes what was read of each of `versions`.
    fn learn(&mut self, origin: &str, versions: Vec<Version>, read: Vec<Option<Published>>) {
        let mut elsewhere = BTreeSet::new();
        for (version, read) in versions.into_iter().zip(read) {
            let Some(read) = read.filter(|read| read.origin.as_deref() == Some(origin)) else {
                elsewhere.insert(version);
                continue;
            };
            let place = self.own.binary_search_by(|known| known.version.cmp(&version));
            if let Some(known) = place.ok().and_then(|place| self.own.get_mut(place)) {
                known.tagged = self.tagged.get(&read.digest).cloned().unwrap_or_default();
                known.read = Some(read);
            }
        }
        self.own.retain(|known| !elsewhere.contains(&known.version));
        let tags = elsewhere.iter().filter_map(|of| super::super::names::version_tag(of).ok());
        self.others.extend(tags.map(|tag| Other { tag, what: ELSEWHERE.to_owned() }));
    }
}

/// What is said of a tag that is no version of anybody's.
const FOREIGN: &str = "no version";
/// Of one whose origin is another.
const ELSEWHERE: &str = "of another origin";
/// Of a version that moves.
const MOVES: &str = "moves with the newest version";

fn other(tag: &Tag) -> Other {
    let what = match history::own(tag) {
        Some(what) => what,
        None => FOREIGN,
    };
    Other { tag: tag.clone(), what: what.to_owned() }
}

/// The tags by what they point to.
async fn digests(
    store: &dyn Store,
    repository: &RepositoryName,
    tags: &[Tag],
) -> Result<BTreeMap<Digest, Vec<Tag>>, crate::registry::Error> {
    let asked = tags.iter().map(|tag| async move {
        let digest = store.manifest_digest(repository, &Revision::Tag(tag.clone())).await?;
        Ok((tag, digest))
    });
    let found: Vec<_> =
        stream::iter(asked.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
    let mut all: BTreeMap<Digest, Vec<Tag>> = BTreeMap::new();
    for (tag, digest) in found {
        if let Some(digest) = digest {
            all.entry(digest).or_default().push(tag.clone());
        }
    }
    Ok(all)
}

async fn published(
    store: &dyn Store,
    repository: &RepositoryName,
    versions: &[Version],
) -> Result<Vec<Option<Published>>, crate::registry::Error> {
    let reading = versions.iter().map(|version| history::published(store, repository, version));
    stream::iter(reading.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await
}

fn planned(known: Known, verdict: Verdict) -> PlannedVersion {
    let goes = verdict.reasons.is_empty();
    let why = if verdict.too_old { "too old" } else { "no rule keeps it" };
    let reasons = if goes { vec![why.to_owned()] } else { verdict.reasons };
    PlannedVersion {
        taken_at: known.taken_at(),
        digest: known.read.as_ref().map(|read| read.digest.clone()),
        schedule: known.read.and_then(|read| read.schedule),
        version: known.version,
        goes,
        reasons,
    }
}
