//! What stays in an image repository whatever charts say: what has a tag that is not to go, and what
//! needed images consist of.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use super::needed::Needed;
use crate::export::Error;
use crate::export::names::OWNER_PREFIX;
use crate::registry::{Digest, Manifest, RepositoryName, Revision, Tag};

/// Manifests that stay, and images that may go.
#[derive(Debug)]
pub(super) struct Kept {
    /// Images that may go, with their tags, all of which are as an export writes them.
    pub(super) candidates: BTreeMap<Digest, Vec<Tag>>,
    manifests: BTreeSet<Digest>,
    /// Tags that were looked at.
    seen: BTreeSet<Tag>,
}

impl Kept {
    /// Looks at every tag and at every needed image. The inner error is what could not be read.
    pub(super) async fn read(
        place: Place<'_>,
        repository: &RepositoryName,
        candidates: BTreeSet<Digest>,
        tags: &BTreeSet<Tag>,
        needed: &Needed,
    ) -> Result<Result<Self, String>, Error> {
        let candidates = candidates.into_iter().map(|digest| (digest, Vec::new())).collect();
        let (manifests, seen) = Default::default();
        let mut kept = Self { candidates, manifests, seen };
        Ok(kept.look(place, repository, tags, needed).await?.map(|()| {
            let Self { candidates, manifests, .. } = &mut kept;
            candidates.retain(|digest, _| !manifests.contains(digest));
            kept
        }))
    }

    /// Whether a manifest stays.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        self.manifests.contains(digest)
    }

    /// Looks at tags that are new since.
    pub(super) async fn again(
        &mut self,
        place: Place<'_>,
        repository: &RepositoryName,
        needed: &Needed,
    ) -> Result<Result<(), String>, Error> {
        let tags = place.tags(repository).await?.unwrap_or_default();
        self.look(place, repository, &tags, needed).await
    }

    async fn look(
        &mut self,
        place: Place<'_>,
        repository: &RepositoryName,
        tags: &BTreeSet<Tag>,
        needed: &Needed,
    ) -> Result<Result<(), String>, Error> {
        let new: Vec<Tag> =
            tags.difference(&self.seen).filter(|tag| names_content(tag)).cloned().collect();
        let mut wave: Vec<Revision> = Vec::new();
        for tag in &new {
            let revision = Revision::Tag(tag.clone());
            let Some(of) = self.named_by(tag) else {
                wave.push(revision);
                continue;
            };
            match place.digest(repository, &revision).await? {
                Some(digest) if digest == of => {
                    self.candidates.entry(of).or_default().push(tag.clone());
                }
                Some(_) => wave.push(revision),
                None => {}
            }
        }
        self.seen.extend(new);
        let roots = needed.here.iter().filter(|digest| !self.has(digest));
        wave.extend(roots.cloned().map(Revision::Digest));
        self.keep(place, repository, wave).await
    }

    /// The image of which an export would have written this tag, among those that may go.
    fn named_by(&self, tag: &Tag) -> Option<Digest> {
        let (_, short) = tag.as_str().rsplit_once('-')?;
        self.candidates.keys().find(|digest| digest.short() == short).cloned()
    }

    /// Keeps these manifests and everything below them.
    async fn keep(
        &mut self,
        place: Place<'_>,
        repository: &RepositoryName,
        mut wave: Vec<Revision>,
    ) -> Result<Result<(), String>, Error> {
        while !wave.is_empty() {
            let read: Vec<(Revision, Manifest)> =
                place.manifests(repository, wave.drain(..)).await?;
            for (revision, manifest) in read {
                if !self.manifests.insert(manifest.digest.clone()) {
                    continue;
                }
                match manifest.links() {
                    Ok(links) => wave.extend(
                        links.manifests.into_iter().map(|child| Revision::Digest(child.digest)),
                    ),
                    Err(error) => return Ok(Err(format!("{repository}:{revision}: {error}"))),
                }
            }
        }
        Ok(Ok(()))
    }
}

/// Whether a tag is on content: owner markers and lists of what refers to an image are none.
fn names_content(tag: &Tag) -> bool {
    let text = tag.as_str();
    !text.starts_with(OWNER_PREFIX) && !text.starts_with("sha256-")
}
