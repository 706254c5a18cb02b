//! A registry in memory that can be copied, that is slow by seed, and that goes away after so many
//! requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use outhaul::registry::{
    BlobSource, BlobStream, Deleted, Descriptor, Digest, Error, Manifest, Pushed, RepositoryName,
    Revision, Store, Tag,
};

/// What it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    blobs: BTreeMap<(String, String), Bytes>,
    pub(super) manifests: BTreeMap<(String, String), Manifest>,
    /// Repository and tag, and the digest.
    pub(super) tags: BTreeMap<(String, String), String>,
}

/// What it deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletes {
    TagsAndDigests,
    Digests,
    Nothing,
}

#[derive(Debug)]
pub(super) struct Memory {
    content: Mutex<Content>,
    deletes: Deletes,
    random: Option<Mutex<fastrand::Rng>>,
    /// Requests until it goes away.
    left: Mutex<usize>,
    /// Digests that were deleted.
    pub(super) deleted: Mutex<Vec<String>>,
}

impl Memory {
    pub(super) fn new(content: Content) -> Self {
        let (deletes, left, deleted) =
            (Deletes::TagsAndDigests, usize::MAX.into(), Mutex::default());
        Self { content: content.into(), deletes, random: None, left, deleted }
    }

    pub(super) fn deletes(self, deletes: Deletes) -> Self {
        Self { deletes, ..self }
    }

    /// Each request lets others go first, as often as the seed says.
    pub(super) fn seeded(self, seed: u64) -> Self {
        Self { random: Some(fastrand::Rng::with_seed(seed).into()), ..self }
    }

    pub(super) fn goes_away_after(self, requests: usize) -> Self {
        Self { left: requests.into(), ..self }
    }

    pub(super) fn content(&self) -> Content {
        self.content.lock().unwrap().clone()
    }

    /// How many requests there were, of one that does not go away.
    pub(super) fn requests(&self) -> usize {
        usize::MAX - *self.left.lock().unwrap()
    }

    async fn request(&self) -> Result<(), Error> {
        let pauses = self.random.as_ref().map_or(0, |random| random.lock().unwrap().u8(0..6));
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        let mut left = self.left.lock().unwrap();
        if *left == 0 {
            let (host, reason) = (self.name(), "it went away".to_owned());
            return Err(Error::Unreachable { host, reason });
        }
        *left -= 1;
        Ok(())
    }
}

fn key(repository: &RepositoryName, text: &impl ToString) -> (String, String) {
    (repository.to_string(), text.to_string())
}

impl Content {
    fn resolve(&self, repository: &RepositoryName, at: &Revision) -> Option<String> {
        match at {
            Revision::Digest(digest) => Some(digest.to_string()),
            Revision::Tag(tag) => self.tags.get(&key(repository, tag)).cloned(),
        }
    }

    fn manifest(&self, repository: &RepositoryName, at: &Revision) -> Option<Manifest> {
        self.manifests.get(&key(repository, &self.resolve(repository, at)?)).cloned()
    }

    /// What is missing of a manifest, at any depth.
    pub(super) fn lacks(&self, repository: &str, digest: &str) -> Option<String> {
        let Some(manifest) = self.manifests.get(&(repository.to_owned(), digest.to_owned())) else {
            return Some(digest.to_owned());
        };
        let links = manifest.links().unwrap();
        let blobs = links.config.iter().chain(&links.layers);
        let blob = blobs
            .map(|blob| blob.digest.to_string())
            .find(|digest| !self.blobs.contains_key(&(repository.to_owned(), digest.clone())));
        blob.or_else(|| {
            let children = links.manifests.iter();
            children.filter_map(|child| self.lacks(repository, child.digest.as_str())).next()
        })
    }

    pub(super) fn tags_of(&self, repository: &str) -> BTreeSet<String> {
        let own = self.tags.keys().filter(|(of, _)| of == repository);
        own.map(|(_, tag)| tag.clone()).collect()
    }
}

#[async_trait]
impl Store for Memory {
    fn name(&self) -> String {
        "memory.example".to_owned()
    }

    async fn manifest(
        &self,
        repository: &RepositoryName,
        at: &Revision,
    ) -> Result<Option<Manifest>, Error> {
        self.request().await?;
        Ok(self.content.lock().unwrap().manifest(repository, at))
    }

    async fn manifest_digest(
        &self,
        repository: &RepositoryName,
        at: &Revision,
    ) -> Result<Option<Digest>, Error> {
        Ok(self.manifest(repository, at).await?.map(|manifest| manifest.digest))
    }

    async fn put_manifest(
        &self,
        repository: &RepositoryName,
        at: &Revision,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        self.request().await?;
        let mut content = self.content.lock().unwrap();
        for child in manifest.links()?.manifests {
            if content.manifest(repository, &child.digest.clone().into()).is_none() {
                let (host, reason) = (self.name(), format!("{} is not here", child.digest));
                return Err(Error::ContentMissing {
                    host,
                    digest: manifest.digest.clone(),
                    reason,
                });
            }
        }
        if let Revision::Tag(tag) = at {
            content.tags.insert(key(repository, tag), manifest.digest.to_string());
        }
        content.manifests.insert(key(repository, &manifest.digest), manifest.clone());
        Ok(())
    }

    async fn has_blob(&self, name: &RepositoryName, blob: &Descriptor) -> Result<bool, Error> {
        self.request().await?;
        Ok(self.content.lock().unwrap().blobs.contains_key(&key(name, &blob.digest)))
    }

    async fn read_blob(
        &self,
        name: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, Error> {
        self.request().await?;
        let bytes = self.content.lock().unwrap().blobs.get(&key(name, &blob.digest)).cloned();
        let what = format!("blob {}", blob.digest);
        let bytes = bytes.ok_or_else(|| Error::NotFound { host: self.name(), what })?;
        Ok(Box::pin(stream::iter([Ok(bytes)])))
    }

    async fn push_blob(
        &self,
        name: &RepositoryName,
        blob: &Descriptor,
        _: Option<&RepositoryName>,
        source: &dyn BlobSource,
    ) -> Result<Pushed, Error> {
        self.request().await?;
        let mut stream = source.open().await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk?);
        }
        self.content.lock().unwrap().blobs.insert(key(name, &blob.digest), bytes.into());
        Ok(Pushed::Written)
    }

    async fn tags(&self, name: &RepositoryName) -> Result<Option<Vec<Tag>>, Error> {
        self.request().await?;
        let content = self.content.lock().unwrap();
        if !content.manifests.keys().any(|(of, _)| of == name.as_str()) {
            return Ok(None);
        }
        Ok(Some(content.tags_of(name.as_str()).iter().map(|tag| tag.parse().unwrap()).collect()))
    }

    async fn referrers(
        &self,
        name: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let fallback = outhaul::registry::referrers::fallback_tag(subject);
        let list = self.manifest(name, &Revision::Tag(fallback)).await?;
        Ok(list.map(|list| list.links().unwrap().manifests).unwrap_or_default())
    }

    async fn delete(&self, name: &RepositoryName, at: &Revision) -> Result<Deleted, Error> {
        self.request().await?;
        let is_tag = matches!(at, Revision::Tag(_));
        if self.deletes == Deletes::Nothing || (is_tag && self.deletes == Deletes::Digests) {
            return Ok(Deleted::Unsupported("it answered 405: UNSUPPORTED".to_owned()));
        }
        let mut content = self.content.lock().unwrap();
        let Some(digest) = content.resolve(name, at) else { return Ok(Deleted::Absent) };
        if is_tag {
            content.tags.remove(&key(name, at));
            return Ok(Deleted::Done);
        }
        content.tags.retain(|(of, _), on| of != name.as_str() || *on != digest);
        let found = content.manifests.remove(&key(name, &digest)).is_some();
        self.deleted.lock().unwrap().push(digest);
        Ok(if found { Deleted::Done } else { Deleted::Absent })
    }
}
