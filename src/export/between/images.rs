//! The images of two versions: by digest, and which layers they share.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Version;
use crate::chart::Image;
use crate::export::history::sizes::{Blobs, Root, read};
use crate::export::used::Used;
use crate::export::{Error, Target};
use crate::registry::Digest;
use crate::registry::manifest::Links;

/// An image that is not the same in both versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedImage {
    /// Its key in `values.yaml`.
    pub key: String,
    /// Address and digest in the first version; `None`: it has no such image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The same in the second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How its layers compare; `None`: an image is not where its chart is, or not there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Layers>,
}

/// Layers of an image, of all its platforms, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Layers {
    /// Of those of the second version, what any image of the first has.
    pub shared: Weight,
    /// Of those of the second version, what no image of the first has.
    pub added: Weight,
    /// Of those of the first version, what no image of the second has.
    pub removed: Weight,
}

/// How many layers, and how large they are as stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Weight {
    /// How many.
    pub layers: usize,
    /// Bytes, compressed.
    pub bytes: u64,
}

/// The images that differ, by key.
pub(super) async fn compare(
    old: &Version<'_>,
    new: &Version<'_>,
) -> Result<Vec<ChangedImage>, Error> {
    let by_key = |images: &[Image]| -> BTreeMap<String, String> {
        images.iter().map(|image| (image.key.clone(), address(image))).collect()
    };
    let (before, after) = (by_key(&old.images), by_key(&new.images));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let keys: Vec<&String> =
        keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let (was, is) = (Stored::read(old, &before).await?, Stored::read(new, &after).await?);
    let changed = keys.into_iter().map(|key| {
        let [before, after] = [before.get(key), after.get(key)].map(|of| of.cloned());
        let layers = was.layers(before.as_ref()).zip(is.layers(after.as_ref()));
        let layers = layers.map(|(before, after)| weigh(&before, &after, &was, &is));
        ChangedImage { key: key.clone(), before, after, layers }
    });
    Ok(changed.collect())
}

/// `registry/repository@digest`.
fn address(image: &Image) -> String {
    let prefix = if image.registry.is_empty() { "" } else { "/" };
    format!("{}{prefix}{}@{}", image.registry, image.repository, image.digest)
}

/// The layers of all images of a version, as far as they are where its chart is.
struct Stored {
    by_address: BTreeMap<String, Blobs>,
    all: BTreeSet<Digest>,
}

impl Stored {
    async fn read(version: &Version<'_>, images: &BTreeMap<String, String>) -> Result<Self, Error> {
        let placed = images
            .values()
            .filter_map(|address| Some((root(address, version.target)?, address.clone())));
        let placed: Vec<(Root, String)> = placed.collect();
        let roots: BTreeSet<Root> = placed.iter().map(|(root, _)| root.clone()).collect();
        let found: BTreeMap<Root, Blobs> =
            read(version.target, roots, layers).await?.into_iter().collect();
        let all = found.values().flat_map(BTreeMap::keys).cloned().collect();
        // An image that is gone has no layers, and nothing is to be said of it.
        let there = placed.into_iter().filter_map(|(root, address)| {
            let blobs = found.get(&root).filter(|blobs| !blobs.is_empty())?;
            Some((address, blobs.clone()))
        });
        Ok(Self { by_address: there.collect(), all })
    }

    /// The layers of an image: none of one that there is not, `None` where they are not known.
    fn layers(&self, address: Option<&String>) -> Option<Blobs> {
        match address {
            None => Some(Blobs::new()),
            Some(address) => self.by_address.get(address).cloned(),
        }
    }
}

/// Where an image is at `target`, if it is there. Whatever a layout's chart refers to is in it.
fn root(address: &str, target: &Target) -> Option<Root> {
    let used = Used::parse(address).ok()?;
    let here = || target.host().is_none().then(|| used.named().clone());
    Some((used.repository(target).or_else(here)?, used.digest.clone()))
}

fn layers(links: &Links) -> Blobs {
    links.layers.iter().map(|layer| (layer.digest.clone(), layer.size)).collect()
}

fn weigh(before: &Blobs, after: &Blobs, was: &Stored, is: &Stored) -> Layers {
    let weight = |blobs: &Blobs, counts: &dyn Fn(&Digest) -> bool| {
        let counted = blobs.iter().filter(|(digest, _)| counts(digest));
        let counted: Vec<u64> = counted.map(|(_, size)| *size).collect();
        Weight { layers: counted.len(), bytes: counted.iter().sum() }
    };
    Layers {
        shared: weight(after, &|digest| was.all.contains(digest)),
        added: weight(after, &|digest| !was.all.contains(digest)),
        removed: weight(before, &|digest| !is.all.contains(digest)),
    }
}
