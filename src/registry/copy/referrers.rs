//! What refers to an image: signatures, attestations and the like, found by the referrers API,
//! and by the tags that cosign derives from a digest.

use std::collections::HashSet;

use futures_util::stream::{FuturesUnordered, TryStreamExt as _};

use super::deliver::Call;
use super::graph::Graph;
use super::{CopyError, Side};
use crate::registry::attach::extended;
use crate::registry::{Descriptor, Digest, Error, Revision, Tag, referrers};

/// Manifests of one image whose referrers are asked for: four requests each. An index of ten
/// platforms with attestations has 21.
const MAX_SUBJECTS: usize = 64;

/// Manifests that refer to the image.
#[derive(Debug, Default)]
pub(super) struct Attached {
    /// All manifests of these graphs.
    digests: HashSet<Digest>,
    /// Subject and what refers to it.
    referrers: Vec<(Digest, Descriptor)>,
    /// Roots that are found by a tag alone.
    pub(super) tags: Vec<(Digest, Tag)>,
}

impl Attached {
    /// How many signatures, attestations and others there are.
    pub(super) fn count(&self) -> u64 {
        (self.referrers.len() + self.tags.len()) as u64
    }

    /// Whether the manifest belongs to one of them and not to the image.
    pub(super) fn owns(&self, digest: &Digest) -> bool {
        self.digests.contains(digest)
    }
}

impl Call<'_> {
    /// Finds what refers to the manifests of `graph`, and to those in turn, and adds it there.
    /// Nothing can refer to `made_here`, which the source does not have.
    pub(super) async fn attached(
        &self,
        graph: &mut Graph,
        made_here: Option<&Digest>,
    ) -> Result<Attached, CopyError> {
        let mut attached = Attached::default();
        if !self.copier.options.signatures {
            return Ok(attached);
        }
        let all = graph.nodes().iter().map(|node| &node.manifest.digest);
        let subjects: Vec<Digest> =
            all.filter(|digest| Some(*digest) != made_here).take(MAX_SUBJECTS).cloned().collect();
        let own = graph.nodes().len();
        self.attach_tagged(graph, &mut attached, &subjects).await?;
        let mut wave = subjects;
        while !wave.is_empty() {
            wave = self.attach_referrers(graph, &mut attached, &wave).await?;
        }
        attached.digests = graph.nodes()[own..].iter().map(|n| n.manifest.digest.clone()).collect();
        Ok(attached)
    }

    async fn attach_tagged(
        &self,
        graph: &mut Graph,
        attached: &mut Attached,
        subjects: &[Digest],
    ) -> Result<(), CopyError> {
        let tags = subjects.iter().flat_map(referrers::cosign_tags);
        let mut found: FuturesUnordered<_> = tags.map(|tag| self.tagged(tag)).collect();
        let mut roots = Vec::new();
        while let Some(root) = found.try_next().await? {
            roots.extend(root);
        }
        roots.sort(); // requests end in any order; the copy has one
        for (digest, tag) in roots {
            if self.attach(graph, &digest).await? {
                attached.tags.push((digest, tag));
            }
        }
        Ok(())
    }

    async fn tagged(&self, tag: Tag) -> Result<Option<(Digest, Tag)>, CopyError> {
        let _permit = self.permit().await;
        let what = self.name(&tag);
        let revision = Revision::Tag(tag.clone());
        let found = self.source.store.manifest_digest(&self.source.repository, &revision).await;
        match found {
            Ok(digest) => Ok(digest.map(|digest| (digest, tag))),
            Err(error) if means_none(&error) => Ok(None),
            Err(error) => Err(Side::Source.at(what)(error)),
        }
    }

    /// Adds what refers to the subjects; the answer is what was new.
    async fn attach_referrers(
        &self,
        graph: &mut Graph,
        attached: &mut Attached,
        subjects: &[Digest],
    ) -> Result<Vec<Digest>, CopyError> {
        let mut lists: FuturesUnordered<_> =
            subjects.iter().map(|subject| self.referrers_of(subject)).collect();
        let mut found = Vec::new();
        while let Some((subject, referrers)) = lists.try_next().await? {
            found.extend(referrers.into_iter().map(|referrer| (subject.clone(), referrer)));
        }
        found.sort_by(|(_, a), (_, b)| a.digest.cmp(&b.digest));
        let mut new = Vec::new();
        for (subject, referrer) in found {
            let known = graph.node(&referrer.digest).is_some();
            if !known && !self.attach(graph, &referrer.digest).await? {
                continue;
            }
            if !known {
                new.push(referrer.digest.clone());
            }
            attached.referrers.push((subject, referrer));
        }
        Ok(new)
    }

    async fn referrers_of(&self, subject: &Digest) -> Result<(Digest, Vec<Descriptor>), CopyError> {
        let _permit = self.permit().await;
        let listed = self.source.store.referrers(&self.source.repository, subject).await;
        match listed {
            Ok(listed) => Ok((subject.clone(), listed)),
            Err(error) if means_none(&error) => Ok((subject.clone(), Vec::new())),
            Err(error) => {
                Err(Side::Source.at(format!("referrers of {}", self.name(subject)))(error))
            }
        }
    }

    /// Adds a manifest and all below it. One that is listed and not there is left out: lists in
    /// fallback tags outlive what they name.
    async fn attach(&self, graph: &mut Graph, digest: &Digest) -> Result<bool, CopyError> {
        if graph.expects(digest) {
            return Ok(graph.node(digest).is_some());
        }
        match self.load(digest.clone(), 0, self.walk()).await {
            Ok((manifest, present, _)) => {
                self.grow(graph, manifest, present, self.walk()).await.map(|()| true)
            }
            Err(CopyError { side: Side::Source, source: Error::NotFound { .. }, .. }) => {
                tracing::warn!(manifest.digest = %digest, "a listed referrer is not there");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the fallback tags of subjects whose referrers the destination does not list by
    /// itself (distribution-spec, "Referrers Tag Schema").
    pub(super) async fn put_fallback_indexes(&self, attached: &Attached) -> Result<(), CopyError> {
        let mut subjects: Vec<&Digest> =
            attached.referrers.iter().map(|(subject, _)| subject).collect();
        subjects.sort();
        subjects.dedup();
        for subject in subjects {
            let ours = attached.referrers.iter().filter(|(of, _)| of == subject);
            self.put_fallback_index(subject, ours.map(|(_, referrer)| referrer)).await?;
        }
        Ok(())
    }

    async fn put_fallback_index<'b>(
        &self,
        subject: &Digest,
        ours: impl Iterator<Item = &'b Descriptor>,
    ) -> Result<(), CopyError> {
        // Reading and writing the list is not one step; within this process nobody else does it.
        let _alone = self.copier.flights.board(subject).await;
        let what = || format!("referrers of {}", self.name(subject));
        let listed = match self.copier.destination.referrers(self.repository, subject).await {
            Err(error) if !means_none(&error) => return Err(Side::Destination.at(what())(error)),
            listed => listed.unwrap_or_default(),
        };
        let missing: Vec<&Descriptor> =
            ours.filter(|referrer| listed.iter().all(|l| l.digest != referrer.digest)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let revision = Revision::Tag(referrers::fallback_tag(subject));
        let existing = self.copier.destination.manifest(self.repository, &revision).await;
        let existing = existing.map_err(Side::Destination.at(what()))?;
        self.put_once(&extended(existing.as_ref(), &missing), &revision).await
    }
}

/// Whether a refusal means that there is nothing of the kind: registries without the referrers
/// API answer it with 404 or, taking it for a wrong path, 400, 405 or 406.
fn means_none(error: &Error) -> bool {
    match error {
        Error::NotFound { .. } | Error::RepositoryMissing { .. } => true,
        Error::Status { status, .. } => matches!(status, 400 | 404 | 405 | 406 | 415 | 501),
        _ => false,
    }
}
