//! What was pruned and what of it is still there: one artefact in the chart repository, so that whoever
//! goes on later needs nothing but the registry.

use std::collections::BTreeSet;

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Place;
use crate::export::Error;
use crate::export::names::PRUNED;
use crate::registry::{Digest, RepositoryName, Revision, Tag, attach, blob};

/// Artefact type of the tombstone, and media type of its content.
const TOMBSTONE: &str = "application/vnd.outhaul.pruned.v1+json";

/// Largest tombstone that is read: room for 40 000 versions of an application with one image.
const MAX_BYTES: u64 = 16 << 20;

/// All versions that have gone and left something behind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tombstone {
    pub(super) pruned: Vec<Entry>,
}

/// A version that has gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) version: Version,
    /// Digest of its chart's manifest.
    pub(super) digest: Digest,
    /// When it went.
    pub(super) at: Timestamp,
    /// Its images, as far as they may be here.
    pub(super) images: Vec<Root>,
}

/// An image of a version that has gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Root {
    pub(super) repository: RepositoryName,
    pub(super) digest: Digest,
    /// What goes with it, once that was begun: without the image itself nothing would tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Digest>,
}

/// The tombstone of a chart repository as it is there, and as it is to be.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) tombstone: Tombstone,
    written: Tombstone,
    /// Digest of the artefact that holds what is written.
    digest: Option<Digest>,
}

impl Ledger {
    /// Reads the tombstone; one that is damaged, or is something else, is the reason in the answer.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(super) async fn read(place: Place<'_>) -> Result<Result<Self, String>, Error> {
        let (store, repository) = (place.store(), place.charts);
        let there = |source| place.target.failed(source);
        let found = store.manifest(repository, &Revision::Tag(tag()?)).await.map_err(there)?;
        let Some(manifest) = found else {
            let nothing = Tombstone::default();
            return Ok(Ok(Self { tombstone: nothing.clone(), written: nothing, digest: None }));
        };
        let layers = manifest.links().map(|links| links.layers).unwrap_or_default();
        let Some(layer) = layers.into_iter().find(|layer| layer.media_type == TOMBSTONE) else {
            return Ok(Err("it holds something else than what was pruned".to_owned()));
        };
        if layer.size > MAX_BYTES {
            return Ok(Err("it is larger than any list of what was pruned".to_owned()));
        }
        let bytes = blob::read(store, repository, &layer).await.map_err(there)?;
        Ok(match serde_json::from_slice::<Tombstone>(&bytes) {
            Ok(read) => {
                let digest = Some(manifest.digest);
                Ok(Self { tombstone: read.clone(), written: read, digest })
            }
            Err(error) => Err(format!("it cannot be read: {error}")),
        })
    }

    /// How many images are to go later.
    pub(super) fn waiting(&self) -> usize {
        let images = self.tombstone.pruned.iter().flat_map(|entry| &entry.images);
        images.map(|root| (&root.repository, &root.digest)).collect::<BTreeSet<_>>().len()
    }

    /// Writes the tombstone if it has changed; removes it if it says nothing any more. The one before
    /// has no tag then, and goes where that can be.
    ///
    /// # Errors
    /// When the registry does not take it.
    pub(super) async fn write(&mut self, place: Place<'_>) -> Result<(), Error> {
        if self.tombstone == self.written {
            return Ok(());
        }
        let (repository, there) = (place.charts, |source| place.target.failed(source));
        let before = self.digest.take();
        if self.tombstone.pruned.is_empty() {
            // Nothing else has its manifest, which takes the tag along where tags are not deleted.
            if let Some(before) = &before {
                place.deleting.delete(repository, &before.clone().into()).await.map_err(there)?;
            }
            place.deleting.delete(repository, &tag()?.into()).await.map_err(there)?;
        } else {
            let content = json!(self.tombstone).to_string();
            let put =
                attach::put(place.store(), repository, tag()?, TOMBSTONE, content.as_bytes()).await;
            self.digest = Some(put.map_err(there)?);
        }
        self.written.clone_from(&self.tombstone);
        if let Some(before) = before.filter(|before| self.digest.as_ref() != Some(before)) {
            place.deleting.delete(repository, &before.into()).await.map_err(there)?;
        }
        Ok(())
    }
}

fn tag() -> Result<Tag, Error> {
    Ok(PRUNED.parse()?)
}
