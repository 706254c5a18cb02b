//! What versions weigh: all that one needs, and what it alone needs.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::look::AT_ONCE;
use crate::export::used::{self, Used};
use crate::export::{Error, Target};
use crate::registry::manifest::Links;
use crate::registry::{Descriptor, Digest, RepositoryName, Revision};

/// Bytes of a version, each blob counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) all: u64,
    /// Of blobs that no other of the versions has.
    pub(super) own: u64,
}

/// An image at the target.
pub(in crate::export) type Root = (RepositoryName, Digest);

/// Blobs with their sizes in bytes.
pub(in crate::export) type Blobs = BTreeMap<Digest, u64>;

/// The sizes of charts and of their images at `target`; images elsewhere, and those that are gone,
/// weigh nothing.
pub(super) async fn weigh(
    target: &Target,
    repository: &RepositoryName,
    charts: &[&Links],
) -> Result<Vec<Sizes>, Error> {
    let roots: Vec<BTreeSet<Root>> = charts.iter().map(|chart| roots(target, chart)).collect();
    let wanted: BTreeSet<Root> = roots.iter().flatten().cloned().collect();
    let images: BTreeMap<Root, Blobs> = read(target, wanted, own).await?.into_iter().collect();
    let blobs: Vec<Blobs> = charts
        .iter()
        .zip(&roots)
        .map(|(chart, roots)| {
            let of_images = roots.iter().filter_map(|root| images.get(root)).flatten();
            let of_images = of_images.map(|(digest, size)| (digest.clone(), *size));
            own(chart).into_iter().chain(of_images).collect()
        })
        .collect();
    let mut uses: BTreeMap<&Digest, usize> = BTreeMap::new();
    blobs.iter().flat_map(BTreeMap::keys).for_each(|digest| *uses.entry(digest).or_default() += 1);
    tracing::debug!(%repository, images = images.len(), "weighed {} versions", charts.len());
    Ok(blobs
        .iter()
        .map(|blobs| Sizes {
            all: blobs.values().sum(),
            own: blobs.iter().filter(|(digest, _)| uses[digest] == 1).map(|(_, size)| size).sum(),
        })
        .collect())
}

fn roots(target: &Target, chart: &Links) -> BTreeSet<Root> {
    let listed = chart.annotations.get(used::IMAGES).map(|list| used::listed(list));
    let images: Vec<Used> = listed.and_then(Result::ok).unwrap_or_default();
    let places = images.into_iter().map(|image| Some((image.repository(target)?, image.digest)));
    places.flatten().collect()
}

fn own(links: &Links) -> Blobs {
    let blobs = links.config.iter().chain(&links.layers);
    blobs.map(|Descriptor { digest, size, .. }| (digest.clone(), *size)).collect()
}

/// What `of` takes of each image, of all its platforms; nothing of one that is gone.
pub(in crate::export) async fn read(
    target: &Target,
    roots: BTreeSet<Root>,
    of: fn(&Links) -> Blobs,
) -> Result<Vec<(Root, Blobs)>, Error> {
    let each = roots.into_iter().map(|root| async move {
        let mut blobs = Blobs::new();
        let mut wave = vec![root.1.clone()];
        while let Some(digest) = wave.pop() {
            let revision = Revision::Digest(digest);
            let manifest = target.store.manifest(&root.0, &revision).await;
            let manifest = manifest.map_err(|source| target.failed(source))?;
            let Some(Ok(links)) = manifest.map(|manifest| manifest.links()) else { continue };
            blobs.extend(of(&links));
            wave.extend(links.manifests.into_iter().map(|child| child.digest));
        }
        Ok::<_, Error>((root, blobs))
    });
    stream::iter(each.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await
}
