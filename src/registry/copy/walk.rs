//! Reading manifests, from whichever side may be asked, until the image is known.

use futures_util::stream::{FuturesUnordered, TryStreamExt as _};

use super::deliver::Call;
use super::graph::{Graph, Node};
use super::{CopyError, Side};
use crate::registry::{Digest, Error, Manifest, Revision};

/// Where a manifest may be taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// From the destination where it has it: nothing below needs to be asked for.
    Trusting,
    /// From the source, and nothing at the destination is believed to be whole.
    Full,
}

impl Call<'_> {
    pub(super) fn walk(&self) -> Walk {
        if self.copier.options.verify_present { Walk::Full } else { Walk::Trusting }
    }

    /// Adds a manifest and all below it to the graph.
    pub(super) async fn grow(
        &self,
        graph: &mut Graph,
        manifest: Manifest,
        present: bool,
        walk: Walk,
    ) -> Result<(), CopyError> {
        let mut loads = FuturesUnordered::new();
        let mut next = Some((manifest, present, 0));
        while let Some((manifest, present, depth)) = next {
            let what = self.name(&manifest.digest);
            let node = Node::new(manifest, present);
            let children = node.and_then(|node| graph.add(node, depth));
            for child in children.map_err(Side::Source.at(what))? {
                loads.push(self.load(child.digest, depth + 1, walk));
            }
            next = loads.try_next().await?;
        }
        Ok(())
    }

    pub(super) async fn load(
        &self,
        digest: Digest,
        depth: usize,
        walk: Walk,
    ) -> Result<(Manifest, bool, usize), CopyError> {
        let revision = Revision::Digest(digest);
        let _permit = self.permit().await;
        if walk == Walk::Trusting
            && let Some(manifest) = self.at_destination(&revision).await?
        {
            return Ok((manifest, true, depth));
        }
        Ok((self.at_source(&revision).await?, false, depth))
    }

    pub(super) async fn at_source(&self, revision: &Revision) -> Result<Manifest, CopyError> {
        let what = self.name(revision);
        let found = self.source.store.manifest(&self.source.repository, revision).await;
        found
            .and_then(|found| found.ok_or_else(|| self.not_found(revision)))
            .map_err(Side::Source.at(what))
    }

    pub(super) async fn at_destination(
        &self,
        revision: &Revision,
    ) -> Result<Option<Manifest>, CopyError> {
        let found = self.copier.destination.manifest(self.repository, revision).await;
        found.map_err(Side::Destination.at(self.name(revision)))
    }

    fn not_found(&self, revision: &Revision) -> Error {
        let what = match revision {
            Revision::Tag(tag) => format!("tag {}:{tag}", self.source.repository),
            Revision::Digest(digest) => format!("manifest {}@{digest}", self.source.repository),
        };
        Error::NotFound { host: self.source.store.name(), what }
    }

    /// What an error calls a manifest.
    pub(super) fn name(&self, revision: &impl std::fmt::Display) -> String {
        let text = revision.to_string();
        let separator = if text.contains(':') { '@' } else { ':' };
        format!("{}{separator}{text}", self.source.repository)
    }
}
