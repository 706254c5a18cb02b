//! Which manifest becomes the root: the source's own, or what the chosen platforms leave of it.

use super::deliver::Call;
use super::graph::{MAX_DEPTH, MAX_MANIFESTS};
use super::platform::{self, Child, Selection};
use super::walk::Walk;
use super::{CopyError, Located, Side};
use crate::registry::blob;
use crate::registry::manifest::PlatformFields;
use crate::registry::{Descriptor, Error, Manifest, Revision};

/// The manifest that the destination will have under the tags.
pub(super) struct Root {
    pub(super) manifest: Manifest,
    /// Whether the destination has it, and may be believed to have all below it.
    pub(super) present: bool,
    /// Whether it was made here.
    pub(super) subset: bool,
}

impl Call<'_> {
    /// Finds the root. One asked for by digest is not fetched from the source if the destination
    /// has it: a repeated export then costs the source nothing (Docker Hub counts such requests).
    pub(super) async fn root(&self, revision: &Revision) -> Result<Root, CopyError> {
        let whole = self.copier.options.platforms.is_empty();
        if let (Revision::Digest(_), Walk::Trusting, true) = (revision, self.walk(), whole)
            && let Some(manifest) = self.at_destination(revision).await?
        {
            return Ok(Root { manifest, present: true, subset: false });
        }
        let manifest = self.at_source(revision).await?;
        let (manifest, subset) = self.choose(revision, manifest).await?;
        self.as_root(manifest, subset).await
    }

    /// What the platforms asked for leave of `manifest`, and whether that was made here.
    pub(super) async fn choose(
        &self,
        revision: &Revision,
        manifest: Manifest,
    ) -> Result<(Manifest, bool), CopyError> {
        let platforms = &self.copier.options.platforms;
        if platforms.is_empty() {
            return Ok((manifest, false));
        }
        if !manifest.is_index() {
            return match self.stated_platform(&manifest).await? {
                Some(stated) if !platforms.iter().any(|platform| platform.matches(&stated)) => {
                    Err(self.no_such_platform(revision, &[platform::text(&stated)]))
                }
                _ => Ok((manifest, false)),
            };
        }
        let leaves = self.leaves(&manifest).await?;
        let what = self.name(&manifest.digest);
        let chosen = platform::select(&manifest, &leaves, platforms);
        Ok(match chosen.map_err(Side::Source.at(what))? {
            Selection::Whole => (manifest, false),
            Selection::One(child) => (self.at_source(&child.digest.into()).await?, false),
            Selection::Several(manifest) => (manifest, true),
            Selection::Nothing(existing) => return Err(self.no_such_platform(revision, &existing)),
        })
    }

    /// The one image that an index has for the platform asked for; of several the first.
    pub(super) async fn one(&self, manifest: Manifest) -> Result<Manifest, CopyError> {
        if !manifest.is_index() {
            return Ok(manifest);
        }
        let leaves = self.leaves(&manifest).await?;
        match platform::first(&leaves, &self.copier.options.platforms) {
            Ok(child) => self.at_source(&child.digest.clone().into()).await,
            Err(existing) => Err(self.no_such_platform(&manifest.digest.into(), &existing)),
        }
    }

    /// The platform that the configuration of an image states. What is no image, or states none,
    /// fits any.
    async fn stated_platform(
        &self,
        manifest: &Manifest,
    ) -> Result<Option<PlatformFields>, CopyError> {
        let config = manifest.links().map_err(Side::Source.at(self.name(&manifest.digest)))?.config;
        let Some(config) = config.filter(Descriptor::is_image_config) else { return Ok(None) };
        let Located { store, repository } = self.source;
        let bytes = blob::read(store.as_ref(), repository, &config).await;
        let bytes = bytes.map_err(Side::Source.at(self.name(&config.digest)))?;
        Ok(serde_json::from_slice(&bytes).ok())
    }

    async fn as_root(&self, manifest: Manifest, subset: bool) -> Result<Root, CopyError> {
        let revision = manifest.digest.clone().into();
        let present = self.walk() == Walk::Trusting
            && self
                .copier
                .destination
                .manifest_digest(self.repository, &revision)
                .await
                .map_err(Side::Destination.at(self.name(&manifest.digest)))?
                .is_some();
        Ok(Root { manifest, present, subset })
    }

    fn no_such_platform(&self, revision: &Revision, existing: &[String]) -> CopyError {
        let wanted: Vec<_> =
            self.copier.options.platforms.iter().map(ToString::to_string).collect();
        let what = format!("platform {} (there is {})", wanted.join(", "), existing.join(", "));
        let host = self.source.store.name();
        Side::Source.at(self.name(revision))(Error::NotFound { host, what })
    }

    /// The children of an index, those of nested indexes in their place.
    async fn leaves(&self, index: &Manifest) -> Result<Vec<Child>, CopyError> {
        let at = |index: &Manifest| Side::Source.at(self.name(&index.digest));
        let mut leaves = platform::children(index).map_err(at(index))?;
        for _ in 0..MAX_DEPTH {
            let mut opened = Vec::with_capacity(leaves.len());
            for child in leaves {
                if child.is_opaque_index() && opened.len() < MAX_MANIFESTS {
                    let nested = self.at_source(&child.descriptor.digest.into()).await?;
                    opened.extend(platform::children(&nested).map_err(at(&nested))?);
                } else {
                    opened.push(child);
                }
            }
            leaves = opened;
            if !leaves.iter().any(Child::is_opaque_index) {
                break;
            }
        }
        Ok(leaves)
    }
}
