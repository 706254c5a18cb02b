//! The layout as a store.

use async_trait::async_trait;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Layout, at};
use crate::registry::manifest::{MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST};
use crate::registry::{
    BlobSource, BlobStream, Descriptor, Digest, Error, Manifest, Pushed, RepositoryName, Revision,
    Store, Tag,
};

/// Enough of a manifest to know its type: files have no `Content-Type`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    media_type: Option<String>,
    manifests: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
}

/// The type of a manifest: the one that it states, else the OCI type that it looks like (image
/// manifests of OCI, helm's among them, need not state theirs; Docker's must). `None` if the
/// bytes are no manifest.
pub(in crate::registry) fn media_type(bytes: &[u8]) -> Option<String> {
    let shape: Shape = serde_json::from_slice(bytes).ok()?;
    let looks_like = match shape {
        Shape { manifests: Some(_), .. } => Some(OCI_INDEX.to_owned()),
        Shape { layers: Some(_), .. } => Some(OCI_MANIFEST.to_owned()),
        _ => None,
    };
    shape.media_type.or(looks_like)
}

impl Layout {
    /// A manifest by its digest, checked.
    pub(super) async fn read_manifest(&self, digest: &Digest) -> Result<Option<Manifest>, Error> {
        let Some(size) = self.blob_size(digest).await? else { return Ok(None) };
        if size > MAX_MANIFEST_BYTES as u64 {
            return Err(self.too_large(digest));
        }
        let path = self.blob_path(digest);
        let bytes = tokio::fs::read(&path).await.map_err(at(&path))?;
        let mut hasher = digest.hasher();
        hasher.update(&bytes);
        let actual = hasher.finish();
        if actual != *digest {
            let (host, expected) = (self.name(), digest.clone());
            return Err(Error::DigestMismatch { host, expected, actual });
        }
        Ok(media_type(&bytes).map(|media_type| Manifest {
            media_type,
            digest: digest.clone(),
            bytes: bytes.into(),
        }))
    }

    async fn resolve(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Digest>, Error> {
        match revision {
            Revision::Digest(digest) => Ok(Some(digest.clone())),
            Revision::Tag(tag) => {
                Ok(self.index().await?.find(repository, tag).map(|found| found.digest.clone()))
            }
        }
    }

    /// Refuses a manifest that names content which is not here, as registries do. Its subject may
    /// come later (distribution-spec, "Pushing Manifests with Subject").
    async fn require_content(&self, manifest: &Manifest) -> Result<Vec<Digest>, Error> {
        let links = manifest.links()?;
        let blobs = links.config.iter().chain(&links.layers).filter(|blob| !blob.is_foreign());
        for needed in blobs.chain(&links.manifests) {
            if self.blob_size(&needed.digest).await? != Some(needed.size) {
                return Err(Error::ContentMissing {
                    host: self.name(),
                    digest: manifest.digest.clone(),
                    reason: format!("{} of {} bytes is not here", needed.digest, needed.size),
                });
            }
        }
        Ok(links.manifests.into_iter().map(|child| child.digest).collect())
    }

    /// The children that nothing but their index leads to.
    async fn reached_by_index_only(&self, children: &[Digest]) -> Result<Vec<Digest>, Error> {
        let mut only = Vec::new();
        for child in self.index().await?.unnamed(children) {
            if self.as_referrer(child).await?.is_none() {
                only.push(child.clone());
            }
        }
        Ok(only)
    }

    fn too_large(&self, digest: &Digest) -> Error {
        let what = format!("manifest {digest}");
        Error::TooLarge { host: self.name(), what, limit: MAX_MANIFEST_BYTES }
    }
}

#[async_trait]
impl Store for Layout {
    fn name(&self) -> String {
        self.dir().display().to_string()
    }

    async fn manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Manifest>, Error> {
        match self.resolve(repository, revision).await? {
            Some(digest) => self.read_manifest(&digest).await,
            None => Ok(None),
        }
    }

    async fn manifest_digest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Digest>, Error> {
        let Some(digest) = self.resolve(repository, revision).await? else { return Ok(None) };
        Ok(self.blob_size(&digest).await?.map(|_| digest))
    }

    async fn put_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        if manifest.bytes.len() > MAX_MANIFEST_BYTES {
            return Err(self.too_large(&manifest.digest));
        }
        let children = self.require_content(manifest).await?;
        let mut writer = self.writer(manifest.digest.hasher()).await?;
        writer.append(&manifest.bytes).await?;
        writer.commit(&manifest.digest).await?;
        let reached = self.reached_by_index_only(&children).await?;
        let (repository, revision) = (repository.clone(), revision.clone());
        let descriptor = manifest.descriptor();
        self.update(move |index| {
            index.forget_unnamed(&reached);
            match &revision {
                Revision::Tag(tag) => index.tag(&repository, tag, &descriptor),
                Revision::Digest(_) => index.keep(descriptor),
            }
        })
        .await
    }

    async fn has_blob(&self, _: &RepositoryName, blob: &Descriptor) -> Result<bool, Error> {
        Ok(self.blob_size(&blob.digest).await? == Some(blob.size))
    }

    async fn read_blob(&self, _: &RepositoryName, blob: &Descriptor) -> Result<BlobStream, Error> {
        // Without a limit: bytes too many are for the reader to notice.
        self.read_part(&blob.digest, 0, u64::MAX).await?.ok_or_else(|| Error::NotFound {
            host: self.name(),
            what: format!("blob {}", blob.digest),
        })
    }

    /// Every blob is in every repository: there is nothing to mount.
    async fn push_blob(
        &self,
        _: &RepositoryName,
        blob: &Descriptor,
        _: Option<&RepositoryName>,
        source: &dyn BlobSource,
    ) -> Result<Pushed, Error> {
        let mut stream = source.open().await?;
        let mut writer = self.writer(blob.digest.hasher()).await?;
        while let Some(chunk) = stream.next().await {
            writer.append(&chunk?).await?;
        }
        writer.commit(&blob.digest).await?;
        Ok(Pushed::Written)
    }

    async fn tags(&self, repository: &RepositoryName) -> Result<Option<Vec<Tag>>, Error> {
        let tags = self.index().await?.tags(repository);
        Ok((!tags.is_empty()).then_some(tags))
    }

    async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        self.find_referrers(repository, subject).await
    }
}
