//! Images to copy, a store in memory that behaves like a registry without the referrers API, and
//! a wrapper around any store that writes down calls and fails on demand.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use outhaul::registry::manifest::{OCI_INDEX, OCI_MANIFEST};
use outhaul::registry::{
    BlobSource, BlobStream, Descriptor, Digest, Error, Located, Manifest, Pushed, RepositoryName,
    Revision, Store, Tag,
};
use serde_json::{Value, json};

pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

pub(super) fn repository(name: &str) -> RepositoryName {
    name.parse().unwrap()
}

pub(super) fn tag(name: &str) -> Tag {
    name.parse().unwrap()
}

pub(super) fn located(store: &Arc<impl Store + 'static>, name: &str) -> Located {
    Located { store: Arc::clone(store) as Arc<dyn Store>, repository: repository(name) }
}

/// Content of some size that is different for each name.
pub(super) fn content(name: &str, size: usize) -> Bytes {
    name.bytes().cycle().take(size).collect::<Vec<u8>>().into()
}

pub(super) fn blob(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor::new(media_type, Digest::of(bytes), bytes.len() as u64)
}

struct Ready(Bytes);

#[async_trait]
impl BlobSource for Ready {
    async fn open(&self) -> Result<BlobStream, Error> {
        Ok(Box::pin(stream::iter([Ok(self.0.clone())])))
    }
}

pub(super) async fn push(
    store: &dyn Store,
    name: &str,
    media_type: &str,
    bytes: &Bytes,
) -> Descriptor {
    let blob = blob(media_type, bytes);
    let source = Ready(bytes.clone());
    store.push_blob(&repository(name), &blob, None, &source).await.unwrap();
    blob
}

pub(super) async fn put(store: &dyn Store, name: &str, media_type: &str, body: &Value) -> Manifest {
    let manifest = Manifest::new(media_type, body.to_string());
    let revision = manifest.digest.clone().into();
    store.put_manifest(&repository(name), &revision, &manifest).await.unwrap();
    manifest
}

pub(super) async fn put_tag(store: &dyn Store, name: &str, text: &str, manifest: &Manifest) {
    store.put_manifest(&repository(name), &tag(text).into(), manifest).await.unwrap();
}

/// An image of these layers; its configuration is different for each list of layers.
pub(super) async fn image(store: &dyn Store, name: &str, layers: &[Bytes]) -> Manifest {
    let config =
        push(store, name, CONFIG, &json!({ "of": format!("{layers:?}") }).to_string().into()).await;
    let mut list = Vec::new();
    for layer in layers {
        list.push(push(store, name, LAYER, layer).await);
    }
    let body =
        json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": list });
    put(store, name, OCI_MANIFEST, &body).await
}

/// A child of an index, `os/arch[/variant]`.
pub(super) fn child(manifest: &Manifest, platform: &str) -> Value {
    let mut child = json!(manifest.descriptor());
    let mut parts = platform.split('/');
    child["platform"] = json!({ "os": parts.next(), "architecture": parts.next() });
    if let Some(variant) = parts.next() {
        child["platform"]["variant"] = json!(variant);
    }
    child
}

pub(super) async fn index(store: &dyn Store, name: &str, children: &[Value]) -> Manifest {
    let body = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children });
    put(store, name, OCI_INDEX, &body).await
}

/// Something that refers to `subject`, with one layer.
pub(super) async fn referrer(
    store: &dyn Store,
    name: &str,
    subject: &Manifest,
    what: &str,
) -> Manifest {
    let config = push(store, name, "application/vnd.oci.empty.v1+json", &Bytes::from("{}")).await;
    let layer = push(store, name, what, &content(what, 50)).await;
    let body = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": what,
        "config": config, "layers": [layer], "subject": subject.descriptor(),
    });
    put(store, name, OCI_MANIFEST, &body).await
}

/// A registry in memory: blobs by repository, mounts, no referrers API.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) name: String,
    blobs: Mutex<BTreeMap<(RepositoryName, Digest), Bytes>>,
    manifests: Mutex<BTreeMap<(RepositoryName, String), Manifest>>,
}

impl Memory {
    pub(super) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), ..Self::default() })
    }

    pub(super) fn lose_blob(&self, name: &str, digest: &Digest) {
        self.blobs.lock().unwrap().remove(&(repository(name), digest.clone())).unwrap();
    }

    pub(super) fn lose_manifest(&self, name: &str, revision: &str) {
        self.manifests.lock().unwrap().remove(&(repository(name), revision.to_owned())).unwrap();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.blobs.lock().unwrap().is_empty() && self.manifests.lock().unwrap().is_empty()
    }

    fn blob(&self, name: &RepositoryName, digest: &Digest) -> Option<Bytes> {
        self.blobs.lock().unwrap().get(&(name.clone(), digest.clone())).cloned()
    }
}

#[async_trait]
impl Store for Memory {
    fn name(&self) -> String {
        self.name.clone()
    }

    async fn manifest(
        &self,
        name: &RepositoryName,
        at: &Revision,
    ) -> Result<Option<Manifest>, Error> {
        Ok(self.manifests.lock().unwrap().get(&(name.clone(), at.to_string())).cloned())
    }

    async fn manifest_digest(
        &self,
        name: &RepositoryName,
        at: &Revision,
    ) -> Result<Option<Digest>, Error> {
        Ok(self.manifest(name, at).await?.map(|manifest| manifest.digest))
    }

    async fn put_manifest(
        &self,
        name: &RepositoryName,
        at: &Revision,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        let links = manifest.links().unwrap();
        let missing = |reason: &Digest| Error::ContentMissing {
            host: self.name.clone(),
            digest: manifest.digest.clone(),
            reason: reason.to_string(),
        };
        for needed in links.config.iter().chain(&links.layers).filter(|blob| !blob.is_foreign()) {
            self.blob(name, &needed.digest).ok_or_else(|| missing(&needed.digest))?;
        }
        for needed in &links.manifests {
            let there = self.manifest(name, &needed.digest.clone().into()).await?;
            there.ok_or_else(|| missing(&needed.digest))?;
        }
        let mut manifests = self.manifests.lock().unwrap();
        manifests.insert((name.clone(), at.to_string()), manifest.clone());
        manifests.insert((name.clone(), manifest.digest.to_string()), manifest.clone());
        Ok(())
    }

    async fn has_blob(&self, name: &RepositoryName, blob: &Descriptor) -> Result<bool, Error> {
        Ok(self.blob(name, &blob.digest).is_some())
    }

    async fn read_blob(
        &self,
        name: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, Error> {
        let bytes = self.blob(name, &blob.digest).ok_or_else(|| Error::NotFound {
            host: self.name.clone(),
            what: format!("blob {}", blob.digest),
        })?;
        let chunks: Vec<_> = bytes.chunks(16).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        Ok(Box::pin(stream::iter(chunks)))
    }

    async fn push_blob(
        &self,
        name: &RepositoryName,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
        source: &dyn BlobSource,
    ) -> Result<Pushed, Error> {
        let mounted = mount_from.and_then(|from| self.blob(from, &blob.digest));
        let pushed = if mounted.is_some() { Pushed::Mounted } else { Pushed::Written };
        let bytes = match mounted {
            Some(bytes) => bytes,
            None => {
                let mut bytes = Vec::new();
                let mut stream = source.open().await?;
                while let Some(chunk) = stream.next().await {
                    tokio::task::yield_now().await;
                    bytes.extend_from_slice(&chunk?);
                }
                bytes.into()
            }
        };
        self.blobs.lock().unwrap().insert((name.clone(), blob.digest.clone()), bytes);
        Ok(pushed)
    }

    async fn tags(&self, _: &RepositoryName) -> Result<Option<Vec<Tag>>, Error> {
        Ok(None)
    }

    async fn referrers(
        &self,
        name: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        let fallback = tag(&format!("sha256-{}", subject.hex())).into();
        let list = self.manifest(name, &fallback).await?;
        Ok(list.map(|list| list.links().unwrap().manifests).unwrap_or_default())
    }
}

/// Writes down every call to a store, and fails where it was told to.
#[derive(Debug)]
pub(super) struct Spy {
    inner: Arc<dyn Store>,
    calls: Mutex<Vec<(&'static str, String)>>,
    /// Blobs whose stream breaks off, and how often.
    pub(super) cut: Mutex<HashMap<Digest, u32>>,
    /// Blobs that come with one byte changed.
    pub(super) corrupt: Mutex<BTreeSet<Digest>>,
    /// How many manifests are refused for missing content.
    pub(super) refuse: Mutex<u32>,
    /// Whether blobs cannot be pushed because nobody listens.
    pub(super) down: Mutex<bool>,
}

impl Spy {
    pub(super) fn on(inner: Arc<impl Store + 'static>) -> Arc<Self> {
        let (calls, cut, corrupt, refuse, down) = Default::default();
        Arc::new(Self { inner, calls, cut, corrupt, refuse, down })
    }

    /// What was asked for by calls of one kind, in order.
    pub(super) fn calls(&self, kind: &str) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(k, _)| *k == kind).map(|(_, what)| what.clone()).collect()
    }

    pub(super) fn all_calls(&self) -> Vec<(&'static str, String)> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }

    fn note(&self, kind: &'static str, what: &impl ToString) {
        self.calls.lock().unwrap().push((kind, what.to_string()));
    }

    fn cuts(&self, digest: &Digest) -> bool {
        match self.cut.lock().unwrap().get_mut(digest) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

#[async_trait]
impl Store for Spy {
    fn name(&self) -> String {
        self.inner.name()
    }

    async fn manifest(
        &self,
        name: &RepositoryName,
        at: &Revision,
    ) -> Result<Option<Manifest>, Error> {
        self.note("get", at);
        self.inner.manifest(name, at).await
    }

    async fn manifest_digest(
        &self,
        name: &RepositoryName,
        at: &Revision,
    ) -> Result<Option<Digest>, Error> {
        self.note("head", at);
        self.inner.manifest_digest(name, at).await
    }

    async fn put_manifest(
        &self,
        name: &RepositoryName,
        at: &Revision,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        self.note("put", at);
        let refused = {
            let mut left = self.refuse.lock().unwrap();
            let refused = *left > 0;
            *left = left.saturating_sub(1);
            refused
        };
        if refused {
            let (host, digest) = (self.name(), manifest.digest.clone());
            return Err(Error::ContentMissing { host, digest, reason: "told to".to_owned() });
        }
        self.inner.put_manifest(name, at, manifest).await
    }

    async fn has_blob(&self, name: &RepositoryName, blob: &Descriptor) -> Result<bool, Error> {
        self.note("has", &blob.digest);
        self.inner.has_blob(name, blob).await
    }

    async fn read_blob(
        &self,
        name: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, Error> {
        self.note("read", &blob.digest);
        let stream = self.inner.read_blob(name, blob).await?;
        if self.cuts(&blob.digest) {
            let (host, digest) = (self.name(), blob.digest.clone());
            let cut = Error::Cut { host, digest, received: 1, expected: blob.size };
            return Ok(Box::pin(stream.take(1).chain(stream::iter([Err(cut)]))));
        }
        if self.corrupt.lock().unwrap().contains(&blob.digest) {
            let change = |chunk: Bytes| chunk.iter().map(|b| b ^ 1).collect::<Vec<u8>>().into();
            return Ok(Box::pin(stream.map(move |item| item.map(change))));
        }
        Ok(stream)
    }

    async fn push_blob(
        &self,
        name: &RepositoryName,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
        source: &dyn BlobSource,
    ) -> Result<Pushed, Error> {
        self.note("push", &blob.digest);
        if *self.down.lock().unwrap() {
            return Err(Error::Unreachable { host: self.name(), reason: "refused".to_owned() });
        }
        let pushed = self.inner.push_blob(name, blob, mount_from, source).await;
        if pushed.is_ok() {
            self.note("pushed", &blob.digest);
        }
        pushed
    }

    async fn tags(&self, name: &RepositoryName) -> Result<Option<Vec<Tag>>, Error> {
        self.inner.tags(name).await
    }

    async fn referrers(
        &self,
        name: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        self.note("referrers", subject);
        self.inner.referrers(name, subject).await
    }
}
