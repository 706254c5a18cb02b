//! One copy from beginning to end, and the order in which manifests are written.

use futures_util::stream::{FuturesUnordered, TryStreamExt as _};
use tokio::sync::SemaphorePermit;

use super::graph::{Graph, Node};
use super::referrers::Attached;
use super::root::Root;
use super::transfer::{Need, Tally};
use super::walk::Walk;
use super::{Copied, Copier, CopyError, Located, Side};
use crate::registry::{
    Descriptor, Digest, Error, Event, Manifest, Progress, RepositoryName, Revision, Tag,
};

/// One call of [`Copier::copy`].
pub(super) struct Call<'a> {
    pub(super) copier: &'a Copier,
    pub(super) source: &'a Located,
    pub(super) repository: &'a RepositoryName,
    pub(super) progress: &'a dyn Progress,
}

impl Call<'_> {
    pub(super) async fn run(&self, revision: &Revision, tags: &[Tag]) -> Result<Copied, CopyError> {
        let Root { manifest, present, subset } = self.root(revision).await?;
        let root = manifest.descriptor();
        let mut graph = Graph::default();
        self.grow(&mut graph, manifest, present, self.walk()).await?;
        let attached = self.attached(&mut graph, subset.then_some(&root.digest)).await?;
        let mut tally = self.send_blobs(needs(&graph)).await?;
        tally.merge(&self.put_manifests(&graph, &root.digest, &attached).await?);
        self.put_fallback_indexes(&attached).await?;
        tally.merge(&self.put_tags(&graph, &root.digest, &attached, tags).await?);
        Ok(Copied {
            root,
            subset,
            bytes_copied: tally.copied,
            bytes_mounted: tally.mounted,
            bytes_present: tally.present,
            blobs: tally.blobs,
            referrers: attached.count(),
        })
    }

    pub(super) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.copier.permits.acquire().await.ok() // never closed
    }

    /// Writes the image's manifests, the root last, then those that refer to them.
    async fn put_manifests(
        &self,
        graph: &Graph,
        root: &Digest,
        attached: &Attached,
    ) -> Result<Tally, CopyError> {
        let mut tally = Tally::default();
        for pass in [false, true] {
            for level in graph.levels() {
                let mut puts: FuturesUnordered<_> = level
                    .into_iter()
                    .filter(|node| attached.owns(&node.manifest.digest) == pass)
                    .filter(|node| !node.present && node.manifest.digest != *root)
                    .map(|node| self.put(node, node.manifest.digest.clone().into()))
                    .collect();
                while let Some(again) = puts.try_next().await? {
                    tally.merge(&again);
                }
            }
            if let (false, Some(node)) = (pass, graph.node(root)) {
                tally.merge(&self.put(node, root.clone().into()).await?);
            }
        }
        Ok(tally)
    }

    async fn put_tags(
        &self,
        graph: &Graph,
        root: &Digest,
        attached: &Attached,
        tags: &[Tag],
    ) -> Result<Tally, CopyError> {
        let mut tally = Tally::default();
        let attached = attached.tags.iter().map(|(digest, tag)| (digest, tag));
        for (digest, tag) in attached.chain(tags.iter().map(|tag| (root, tag))) {
            if let Some(node) = graph.node(digest) {
                tally.merge(&self.put(node, tag.clone().into()).await?);
            }
        }
        Ok(tally)
    }

    /// Writes one manifest. If the destination misses what it refers to, all of that is sent
    /// once, whatever the destination said it had.
    async fn put(&self, node: &Node, revision: Revision) -> Result<Tally, CopyError> {
        let tally = match self.put_once(&node.manifest, &revision).await {
            Err(CopyError { source: Error::ContentMissing { reason, .. }, .. }) => {
                tracing::warn!(
                    manifest.digest = %node.manifest.digest,
                    reason,
                    "the destination lost content that it said to have; it is sent again"
                );
                let tally = self.send_again(node).await?;
                self.put_once(&node.manifest, &revision).await?;
                tally
            }
            put => put.map(|()| Tally::default())?,
        };
        if matches!(revision, Revision::Digest(_)) {
            self.progress.event(Event::ManifestDone(&node.manifest.descriptor()));
        }
        Ok(tally)
    }

    pub(super) async fn put_once(
        &self,
        manifest: &Manifest,
        revision: &Revision,
    ) -> Result<(), CopyError> {
        let _permit = self.permit().await;
        let put = self.copier.destination.put_manifest(self.repository, revision, manifest).await;
        put.map_err(Side::Destination.at(self.name(revision)))
    }

    /// Sends everything below a manifest. The manifest itself may have been made here.
    async fn send_again(&self, node: &Node) -> Result<Tally, CopyError> {
        let mut graph = Graph::default();
        self.grow(&mut graph, node.manifest.clone(), false, Walk::Full).await?;
        let tally =
            self.send_blobs(graph.blobs().into_iter().map(|(blob, _)| (blob, Need::Send))).await?;
        for node_below in graph.levels().into_iter().flatten() {
            if node_below.manifest.digest != node.manifest.digest {
                let revision = node_below.manifest.digest.clone().into();
                self.put_once(&node_below.manifest, &revision).await?;
            }
        }
        Ok(tally)
    }
}

fn needs(graph: &Graph) -> impl Iterator<Item = (&Descriptor, Need)> {
    let need = |vouched| if vouched { Need::Vouched } else { Need::Ask };
    graph.blobs().into_iter().map(move |(blob, vouched)| (blob, need(vouched)))
}
