//! Whether two manifests are the same content: an image is the digest of its configuration, for
//! each platform, whatever manifests and indexes lead to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::OnceCell;

use crate::registry::manifest::{Links, PlatformFields};
use crate::registry::{Descriptor, Digest, Error, Manifest, RepositoryName, Revision, Store};

/// Children of an index that are read to compare contents. Official images have about 20, with
/// attestations; of an index of more, the first are compared.
const MAX_COMPARED_CHILDREN: usize = 32;

/// Children read at once, of one index.
const MAX_AT_ONCE: usize = 4;

/// A manifest or index at its place, whose configurations are read when they are asked for.
pub(super) struct Content {
    pub(super) manifest: Manifest,
    links: Links,
    store: Arc<dyn Store>,
    repository: RepositoryName,
    configs: OnceCell<Configs>,
}

/// Digests of configurations, by platform in an index.
#[derive(Debug, PartialEq, Eq)]
enum Configs {
    /// Of a manifest; `None` where it is no image.
    One(Option<Digest>),
    /// Of an index's children.
    Each(BTreeMap<String, Digest>),
}

impl Content {
    /// # Errors
    /// When the manifest is malformed.
    pub(super) fn new(
        manifest: Manifest,
        store: Arc<dyn Store>,
        repository: RepositoryName,
    ) -> Result<Self, Error> {
        let links = manifest.links()?;
        Ok(Self { manifest, links, store, repository, configs: OnceCell::new() })
    }

    /// Whether the digest is this manifest's, or one of its children's. Asks nobody.
    pub(super) fn names(&self, digest: &Digest) -> bool {
        *digest == self.manifest.digest || self.links.manifests.iter().any(|c| c.digest == *digest)
    }

    /// Whether the digest is of a configuration in it.
    ///
    /// # Errors
    /// When a child cannot be read.
    pub(super) async fn has_config(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.configs().await?.all().contains(digest))
    }

    /// Whether both hold the same: one names the other, or their configurations are the same for
    /// every platform that both have. Where only some are, which of them runs cannot be told, and
    /// they are not.
    ///
    /// # Errors
    /// When a child of one of them cannot be read.
    pub(super) async fn same(&self, other: &Self) -> Result<bool, Error> {
        if self.names(&other.manifest.digest) || other.names(&self.manifest.digest) {
            return Ok(true);
        }
        Ok(self.configs().await?.same(other.configs().await?))
    }

    async fn configs(&self) -> Result<&Configs, Error> {
        self.configs.get_or_try_init(|| self.read_configs()).await
    }

    async fn read_configs(&self) -> Result<Configs, Error> {
        if !self.manifest.is_index() {
            return Ok(Configs::One(
                self.links.config.as_ref().map(|config| config.digest.clone()),
            ));
        }
        let children = self.links.manifests.iter().filter_map(|child| Some((key(child)?, child)));
        let reads = children.take(MAX_COMPARED_CHILDREN).map(|(key, child)| async move {
            let revision = Revision::Digest(child.digest.clone());
            let child = self.store.manifest(&self.repository, &revision).await?;
            let links = child.as_ref().map(Manifest::links).transpose()?;
            Ok::<_, Error>(links.and_then(|links| links.config).map(|config| (key, config.digest)))
        });
        // A list, as of an iterator of closures the compiler does not see that it may go to another
        // thread (rust-lang/rust#102211).
        let reads: Vec<_> = reads.collect();
        let all: Vec<_> = stream::iter(reads).buffered(MAX_AT_ONCE).try_collect().await?;
        Ok(Configs::Each(all.into_iter().flatten().collect()))
    }
}

/// The platform of an index's child in full, with the version of the system that Windows needs;
/// `None` for an attestation, which is another one after each build.
fn key(child: &Descriptor) -> Option<String> {
    match &child.platform {
        Some(PlatformFields { os, .. }) if os == "unknown" => None,
        Some(platform) => serde_json::to_string(platform).ok(),
        None => Some(child.digest.to_string()),
    }
}

impl Configs {
    fn all(&self) -> BTreeSet<&Digest> {
        match self {
            Self::One(config) => config.iter().collect(),
            Self::Each(configs) => configs.values().collect(),
        }
    }

    fn same(&self, other: &Self) -> bool {
        let (Self::Each(a), Self::Each(b)) = (self, other) else {
            return !self.all().is_disjoint(&other.all());
        };
        let mut both = a.iter().filter_map(|(key, config)| Some((config, b.get(key)?))).peekable();
        both.peek().is_some() && both.all(|(a, b)| a == b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Configs {
        Configs::One(Some(Digest::of(text.as_bytes())))
    }

    fn each(configs: &[(&str, &str)]) -> Configs {
        let digest = |text: &str| Digest::of(text.as_bytes());
        Configs::Each(configs.iter().map(|(key, text)| ((*key).to_owned(), digest(text))).collect())
    }

    #[test]
    fn the_same_for_every_platform_that_both_have() {
        let both = each(&[("amd64", "a"), ("arm64", "b")]);
        assert!(both.same(&each(&[("amd64", "a")])));
        assert!(both.same(&each(&[("amd64", "a"), ("s390x", "c")])));
        assert!(both.same(&one("b")) && one("b").same(&both) && one("a").same(&one("a")));
        for other in
            [each(&[("amd64", "a"), ("arm64", "new")]), each(&[("s390x", "c")]), one("new")]
        {
            assert!(!both.same(&other) && !other.same(&both), "{other:?}");
        }
        assert!(!Configs::One(None).same(&Configs::One(None)), "no images, so nothing to compare");
    }
}
