//! What refers to a manifest of a layout, worked out from the manifests themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::Layout;
use crate::registry::manifest::nullable;
use crate::registry::referrers::fallback_tag;
use crate::registry::{Descriptor, Digest, Error, RepositoryName, Revision, Store as _};

/// For each manifest that was looked at: its subject and how a list of referrers describes it.
/// Manifests never change, so neither does this.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<Digest, Option<(Digest, Descriptor)>>>);

/// The fields of a manifest that a list of referrers repeats (distribution-spec, "Listing
/// Referrers").
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "nullable")]
    annotations: BTreeMap<String, String>,
}

impl Layout {
    /// Everything in the layout whose subject is `subject`, and what its fallback tag lists:
    /// other tools write that into layouts.
    pub(super) async fn find_referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let mut found = Vec::new();
        for entry in self.index().await?.descriptors() {
            if let Some((of, referrer)) = self.as_referrer(&entry.digest).await?
                && of == *subject
            {
                found.push(referrer);
            }
        }
        let fallback = Revision::Tag(fallback_tag(subject));
        if let Some(list) = self.manifest(repository, &fallback).await? {
            found.extend(list.links()?.manifests);
        }
        found.sort_by(|a, b| a.digest.cmp(&b.digest));
        found.dedup_by(|a, b| a.digest == b.digest);
        Ok(found)
    }

    /// Subject and description of a manifest that has a subject.
    pub(super) async fn as_referrer(
        &self,
        digest: &Digest,
    ) -> Result<Option<(Digest, Descriptor)>, Error> {
        if let Some(known) = self.0.known.get(digest) {
            return Ok(known);
        }
        let manifest = match self.read_manifest(digest).await {
            Err(error @ (Error::DigestMismatch { .. } | Error::TooLarge { .. })) => {
                // One damaged manifest must not hide the signatures of all others.
                tracing::warn!(%error, "a manifest of the layout is left out");
                return Ok(None);
            }
            manifest => manifest?,
        };
        let Some(manifest) = manifest else { return Ok(None) };
        let fields = serde_json::from_slice::<Fields>(&manifest.bytes).ok();
        let referrer = fields.and_then(|fields| {
            let mut descriptor = manifest.descriptor();
            descriptor.artifact_type =
                fields.artifact_type.or_else(|| fields.config.map(|config| config.media_type));
            descriptor.annotations = fields.annotations;
            Some((fields.subject?.digest, descriptor))
        });
        self.0.known.insert(digest, referrer.clone());
        Ok(referrer)
    }
}

impl Known {
    fn get(&self, digest: &Digest) -> Option<Option<(Digest, Descriptor)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn insert(&self, digest: &Digest, referrer: Option<(Digest, Descriptor)>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest.clone(), referrer);
    }
}
