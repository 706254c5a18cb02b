//! Which images charts need, as their manifests say it.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::Place;
use super::tombstone::Root;
use crate::export::identity::ORIGIN;
use crate::export::moving::EPINIO;
use crate::export::owner;
use crate::export::publish::HELM_CONFIG;
use crate::export::used::{self, Used};
use crate::export::{ChartReference, Error, Target, fetch, history};
use crate::registry::{Digest, Manifest, RepositoryName, Revision, Tag};

/// What the charts of every repository need that owns an image repository.
#[derive(Debug)]
pub(super) struct Needed {
    owners: Vec<RepositoryName>,
    /// Versions that were read, and never change.
    seen: BTreeMap<RepositoryName, BTreeSet<Version>>,
    /// All images of all charts, wherever they are.
    pub(super) digests: BTreeSet<Digest>,
    /// Those that are in the image repository.
    pub(super) here: BTreeSet<Digest>,
}

/// Where an image is, if that is here.
pub(super) fn root(image: &Used, target: &Target) -> Option<Root> {
    let repository = image.repository(target)?;
    Some(Root { repository, digest: image.digest.clone(), parts: Vec::new() })
}

/// The images of a manifest in a chart repository; none of one that is no chart of ours. The inner
/// error is why that cannot be told.
pub(super) async fn images(
    place: Place<'_>,
    repository: &RepositoryName,
    manifest: &Manifest,
) -> Result<Result<Vec<Used>, String>, Error> {
    let links = match manifest.links() {
        Ok(links) => links,
        Err(error) => return Ok(Err(error.to_string())),
    };
    if let Some(list) = links.annotations.get(used::IMAGES) {
        return Ok(used::listed(list));
    }
    let is_chart = links.config.is_some_and(|config| config.media_type == HELM_CONFIG);
    if !is_chart || !links.annotations.contains_key(ORIGIN) {
        return Ok(Ok(Vec::new()));
    }
    // An application without images, or an annotation that is lost: the chart itself knows.
    let chart = ChartReference {
        host: place.target.host().cloned(),
        repository: repository.clone(),
        tag: None,
        digest: Some(manifest.digest.clone()),
    };
    let chart = match fetch(place.target, &chart).await {
        Ok(published) => published.chart,
        Err(error @ Error::Destination { .. }) => return Err(error),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let images = crate::chart::images(&chart).map_err(|error| error.to_string());
    Ok(images.and_then(|images| {
        let each = images.iter().map(|image| {
            Used::parse(&format!("{}/{}@{}", image.registry, image.repository, image.digest))
        });
        each.collect()
    }))
}

impl Needed {
    /// Reads every chart of every repository that `tags` of the image repository name as an owner.
    /// The inner error is what could not be read: then nothing is known.
    pub(super) async fn read(
        place: Place<'_>,
        repository: &RepositoryName,
        tags: &BTreeSet<Tag>,
    ) -> Result<Result<Self, String>, Error> {
        let owners = match owner::all(place.target, repository, tags).await? {
            Ok(owners) => owners,
            Err(reason) => return Ok(Err(reason)),
        };
        if !owners.contains(place.charts) {
            return Ok(Err(format!("no marker says that {} needs its images", place.charts)));
        }
        let (seen, digests, here) = Default::default();
        let mut needed = Self { owners, seen, digests, here };
        Ok(needed.again(place, repository).await?.map(|()| needed))
    }

    /// Reads what is new in these repositories since.
    pub(super) async fn again(
        &mut self,
        place: Place<'_>,
        repository: &RepositoryName,
    ) -> Result<Result<(), String>, Error> {
        for owner in self.owners.clone() {
            let Some(tags) = place.tags(&owner).await? else {
                return Ok(Err(format!("{owner}, which needs images of it, cannot be listed")));
            };
            let seen = self.seen.entry(owner.clone()).or_default();
            let is_list = |tag: &Tag| tag.as_str().starts_with("sha256-");
            let version = |tag: &Tag| history::version(tag).filter(|version| *version != EPINIO);
            let new = tags.iter().filter(|tag| !is_list(tag));
            let new = new.filter(|tag| version(tag).is_none_or(|version| !seen.contains(&version)));
            let new: Vec<Revision> = new.cloned().map(Revision::Tag).collect();
            for (revision, manifest) in place.manifests(&owner, new).await? {
                match images(place, &owner, &manifest).await? {
                    Ok(images) => self.learn(place.target, repository, &images),
                    Err(reason) => return Ok(Err(format!("{owner}:{revision}: {reason}"))),
                }
                if let Revision::Tag(tag) = &revision {
                    self.seen.entry(owner.clone()).or_default().extend(version(tag));
                }
            }
        }
        Ok(Ok(()))
    }

    fn learn(&mut self, target: &Target, repository: &RepositoryName, images: &[Used]) {
        self.digests.extend(images.iter().map(|image| image.digest.clone()));
        let roots = images.iter().filter_map(|image| root(image, target));
        let here = roots.filter(|root| root.repository == *repository);
        self.here.extend(here.map(|root| root.digest));
    }
}
