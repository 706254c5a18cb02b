//! What one image consists of: its manifests, and what each refers to.

use std::collections::{HashMap, HashSet};

use crate::registry::{Descriptor, Digest, Error, Manifest};

/// How deep indexes may nest. Real images have an index and its manifests; two more levels leave
/// room for bundles of images. Without a bound a hostile source keeps us walking.
pub(super) const MAX_DEPTH: usize = 4;

/// Manifests of one image with its referrers. The largest official images have about 30 (ten
/// platforms with their attestations); nightly scan reports attached for two years make 700.
pub const MAX_MANIFESTS: usize = 1_024;

/// Blobs and children named by all manifests together. Container runtimes stop at 128 layers.
const MAX_DESCRIPTORS: usize = 16_384;

/// Bytes of all manifests together, which are held while the blobs move: four of the largest that
/// registries accept, and half of the memory that a copy may use.
const MAX_BYTES: usize = 16 << 20;

/// One manifest of the image.
#[derive(Debug)]
pub(super) struct Node {
    /// The manifest.
    pub(super) manifest: Manifest,
    /// Whether the destination has it, and with it all of its blobs.
    pub(super) present: bool,
    /// Manifests that must be at the destination before this one.
    pub(super) children: Vec<Descriptor>,
    /// Blobs that must be at the destination before this one.
    pub(super) blobs: Vec<Descriptor>,
}

/// Manifests by digest, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    by_digest: HashMap<Digest, usize>,
    /// Manifests that are here or on their way.
    expected: HashSet<Digest>,
    descriptors: usize,
    bytes: usize,
}

impl Node {
    /// # Errors
    /// When it is no manifest, or one of Docker's first format.
    pub(super) fn new(manifest: Manifest, present: bool) -> Result<Self, Error> {
        if manifest.media_type.starts_with("application/vnd.docker.distribution.manifest.v1+") {
            return Err(Error::MalformedManifest {
                digest: manifest.digest,
                reason: "Docker's image format of schema 1 cannot be copied; push the image again \
                         with a current tool"
                    .to_owned(),
            });
        }
        let links = manifest.links()?;
        let foreign = |layer: &Descriptor| !layer.is_foreign();
        let blobs = links.config.into_iter().chain(links.layers).filter(foreign).collect();
        Ok(Self { manifest, present, children: links.manifests, blobs })
    }
}

impl Graph {
    /// Takes a manifest in and says which of its children have to be loaded now.
    ///
    /// # Errors
    /// When it is malformed, or the image is over one of the limits.
    pub(super) fn add(&mut self, node: Node, depth: usize) -> Result<Vec<Descriptor>, Error> {
        let digest = node.manifest.digest.clone();
        self.descriptors += node.children.len() + node.blobs.len();
        self.bytes += node.manifest.bytes.len();
        self.expected.insert(digest.clone());
        let new: Vec<_> = node
            .children
            .iter()
            .filter(|c| self.expected.insert(c.digest.clone()))
            .cloned()
            .collect();
        let over = [
            (!new.is_empty() && depth >= MAX_DEPTH, "nests indexes too deeply", MAX_DEPTH),
            (self.expected.len() > MAX_MANIFESTS, "has too many manifests", MAX_MANIFESTS),
            (self.descriptors > MAX_DESCRIPTORS, "has too many blobs", MAX_DESCRIPTORS),
            (self.bytes > MAX_BYTES, "has too many bytes of manifests", MAX_BYTES),
        ];
        if let Some((_, what, limit)) = over.iter().find(|(over, ..)| *over) {
            let reason = format!("the image {what}; the limit is {limit}");
            return Err(Error::MalformedManifest { digest, reason });
        }
        self.by_digest.insert(digest, self.nodes.len());
        self.nodes.push(node);
        Ok(new)
    }

    /// Whether a manifest is here already or on its way; if not, it is now.
    pub(super) fn expects(&mut self, digest: &Digest) -> bool {
        !self.expected.insert(digest.clone())
    }

    /// All manifests.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The manifest of this digest.
    pub(super) fn node(&self, digest: &Digest) -> Option<&Node> {
        self.by_digest.get(digest).map(|at| &self.nodes[*at])
    }

    /// Every blob once, the biggest first, so that no big one is left for the end. Those that a
    /// manifest at the destination vouches for are marked.
    pub(super) fn blobs(&self) -> Vec<(&Descriptor, bool)> {
        let mut at: HashMap<&Digest, usize> = HashMap::new();
        let mut blobs: Vec<(&Descriptor, bool)> = Vec::new();
        for (blob, present) in
            self.nodes.iter().flat_map(|node| node.blobs.iter().map(|blob| (blob, node.present)))
        {
            match at.get(&blob.digest) {
                Some(known) => blobs[*known].1 |= present,
                None => {
                    at.insert(&blob.digest, blobs.len());
                    blobs.push((blob, present));
                }
            }
        }
        blobs.sort_by_key(|(blob, _)| std::cmp::Reverse(blob.size));
        blobs
    }

    /// All manifests, lowest first: those of one level may be written at the same time, after
    /// those of all levels before.
    pub(super) fn levels(&self) -> Vec<Vec<&Node>> {
        let mut heights = HashMap::new();
        let mut levels: Vec<Vec<&Node>> = Vec::new();
        for node in &self.nodes {
            let height = self.height(node, &mut heights);
            if levels.len() <= height {
                levels.resize_with(height + 1, Vec::new);
            }
            levels[height].push(node);
        }
        levels
    }

    /// Recurses at most [`MAX_DEPTH`] times: digests cannot form a circle.
    fn height<'a>(&'a self, node: &'a Node, known: &mut HashMap<&'a Digest, usize>) -> usize {
        if let Some(height) = known.get(&node.manifest.digest) {
            return *height;
        }
        let below = node.children.iter().filter_map(|child| self.node(&child.digest));
        let height = below.map(|child| self.height(child, known) + 1).max().unwrap_or(0);
        known.insert(&node.manifest.digest, height);
        height
    }
}
