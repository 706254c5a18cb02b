//! The images of a published chart: where they are, and what they are called elsewhere.
//!
//! An image is looked for beside the chart, where an export puts it, and then at the address that
//! the chart has for it. One that was never moved, and is not beside the chart, was left where it is
//! on purpose, and stays there.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::chart::{self, Chart};
use crate::export::images::{ImageName, ResolvedImage};
use crate::export::names::image_tag;
use crate::export::{ChartReference, Error, PlannedImage, Sources, Target};
use crate::registry::{Digest, Manifest, Reference, RepositoryName, Store, Tag};

/// Images looked up at once, as for an export.
const MAX_AT_ONCE: usize = 8;

/// An image of the chart.
pub(super) struct Placed {
    /// As the chart has it.
    pub(super) image: chart::Image,
    /// The same as a reference, with the digest alone.
    address: Reference,
    digest: Digest,
    /// The tag where the application had it.
    source_tag: Option<Tag>,
    /// Whether the chart has the image where the application had it.
    pub(super) is_unmoved: bool,
    /// Where it is read; `None`: it stays where it is.
    found: Option<Found>,
}

/// An image that goes along.
struct Found {
    reference: Reference,
    root: Manifest,
}

/// Finds every image of the chart. `sources` learn that what is beside it is read from `store`.
pub(super) async fn find_all(
    chart: &Chart,
    reference: &ChartReference,
    store: &Arc<dyn Store>,
    sources: &mut Sources,
) -> Result<Vec<Placed>, Error> {
    let not_ours = |reason: String| Error::NotAnExport { reference: reference.to_string(), reason };
    let images = chart::images(chart).map_err(|error| not_ours(error.to_string()))?;
    let placed = images.into_iter().map(Placed::new).collect::<Result<Vec<_>, _>>();
    let placed = placed.map_err(|error| not_ours(error.to_string()))?;
    for image in &placed {
        // Everything that a layout's chart refers to is in the layout, if anywhere.
        let host = reference.host.as_ref().unwrap_or(&image.address.host);
        sources.replace(host.clone(), Arc::clone(store));
    }
    let sources = &*sources;
    let each = placed.into_iter().map(|image| async move {
        let found = image.find(reference, sources).await?;
        Ok(Placed { found, ..image })
    });
    stream::iter(each).buffered(MAX_AT_ONCE).try_collect().await
}

impl Placed {
    fn new(image: chart::Image) -> Result<Self, crate::registry::reference::InvalidReference> {
        let text = format!("{}/{}@{}", image.registry, image.repository, image.digest);
        let address: Reference = text.parse()?;
        let digest = address.digest.clone().unwrap_or_else(|| Digest::of(&[]));
        let source: Reference = image.source.parse()?;
        let is_unmoved = (&source.host, &source.repository) == (&address.host, &address.repository);
        Ok(Self { image, address, digest, source_tag: source.tag, is_unmoved, found: None })
    }

    /// Whether it goes along.
    pub(super) fn is_carried(&self) -> bool {
        self.found.is_some()
    }

    async fn find(
        &self,
        chart: &ChartReference,
        sources: &Sources,
    ) -> Result<Option<Found>, Error> {
        if self.image.kept {
            return Ok(None);
        }
        let mut places = vec![self.address.clone()];
        if let Some(host) = &chart.host {
            let repository = beside(&chart.repository, &self.image.repository)?;
            places.insert(0, Reference { host: host.clone(), repository, ..places[0].clone() });
        }
        places.dedup();
        if self.is_unmoved {
            places.truncate(1);
        }
        let failed =
            |source| Error::ImageUnreadable { image: ImageName::alone(&self.image.source), source };
        for reference in places {
            let store = sources.store(&reference.host).map_err(failed)?;
            let root = store.manifest(&reference.repository, &reference.revision()).await;
            if let Some(root) = root.map_err(failed)? {
                return Ok(Some(Found { reference, root }));
            }
        }
        if self.is_unmoved {
            return Ok(None);
        }
        Err(Error::ImageMissing { image: ImageName::alone(self.address.to_string()) })
    }

    /// The tags that an export gives to it: the one that never moves, and the user's if there is
    /// one, which the chart names then.
    pub(super) fn tags(&self) -> Result<Vec<Tag>, Error> {
        let own = image_tag(&self.image.key, self.source_tag.as_ref(), &self.digest)?;
        if self.is_unmoved || self.image.tag.is_empty() {
            return Ok(vec![own]);
        }
        let tag: Tag = self.image.tag.parse()?;
        Ok(if tag.as_str().ends_with(self.digest.short()) { vec![tag] } else { vec![own, tag] })
    }

    /// The image on its way to `repository`; `None` if it stays. It does not count as present yet.
    pub(super) fn planned(
        &self,
        to: &Target,
        repository: &RepositoryName,
    ) -> Result<Option<PlannedImage>, Error> {
        let Some(found) = &self.found else { return Ok(None) };
        let read =
            |source| Error::ImageUnreadable { image: ImageName::alone(&self.image.source), source };
        let children = found.root.links().map_err(read)?.manifests;
        let image = ResolvedImage {
            key: self.image.key.clone(),
            written: self.image.source.clone(),
            source: found.reference.clone(),
            digest: found.root.digest.clone(),
            subset: false,
            platforms: self.image.platforms.clone(),
            children: children.into_iter().map(|child| child.digest).collect(),
            uses: Vec::new(),
            kept: false,
        };
        let (destination, tags) = (to.address(repository), self.tags()?);
        Ok(Some(PlannedImage { image, destination, tags, present: false, weight: None }))
    }
}

/// The repository of this name beside a chart's.
pub(in crate::export) fn beside(
    chart: &RepositoryName,
    name: &str,
) -> Result<RepositoryName, Error> {
    let prefix = chart.as_str().rsplit_once('/').map(|(prefix, _)| prefix.parse()).transpose()?;
    Ok(name.parse::<RepositoryName>()?.under(prefix.as_ref())?)
}
