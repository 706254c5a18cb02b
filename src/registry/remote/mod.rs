//! A registry, spoken to over HTTP.
//!
//! ```text
//!  Store method ─► Call ─► permit ─► Authorization ─► request ─► 401? token, once more
//!                                                            └─► passing fault? wait, again
//! ```

mod call;
mod catalog;
mod delete;
mod download;
mod link;
mod manifests;
mod mount;
mod outgoing;
mod probe;
mod refusal;
mod session;
mod tags;
mod upload;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::auth::Auth;
use super::quirks::Vendor;
use super::transport::Transport;
use super::{
    BlobSource, BlobStream, Deleted, Descriptor, Digest, Endpoint, Error, Host, Keychain, Manifest,
    Pushed, RepositoryName, Revision, Store, Tag,
};

/// A registry, spoken to over HTTP. Cheap to clone: clones share connections and tokens.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Transport,
    auth: Auth,
    /// Whether it has answered no list of referrers, and had one under the fallback tag.
    referrers_by_tag: AtomicBool,
    /// Whether an answer had a header that only Artifactory sends.
    is_artifactory: AtomicBool,
}

impl Registry {
    /// Prepares to speak to a registry. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Configuration`] when the endpoint's certificates or address cannot be used.
    pub fn connect(endpoint: &Endpoint, keychain: Keychain) -> Result<Arc<Self>, Error> {
        let (transport, auth) = (Transport::new(endpoint)?, Auth::new(keychain));
        let inner = Inner {
            transport,
            auth,
            referrers_by_tag: AtomicBool::new(false),
            is_artifactory: AtomicBool::new(false),
        };
        Ok(Arc::new(Self { inner: Arc::new(inner) }))
    }

    /// Whose registry it is, as the headers of its answers so far give away.
    pub fn vendor_by_answers(&self) -> Option<Vendor> {
        self.inner.is_artifactory.load(Ordering::Relaxed).then_some(Vendor::Artifactory)
    }

    /// The registry's host.
    pub fn host(&self) -> &Host {
        self.inner.transport.host()
    }

    /// Whether it is spoken to without TLS. Of a loopback host that is known after the first
    /// request.
    pub fn is_plain_http(&self) -> bool {
        self.inner.transport.is_plain()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registry").field(&self.host().as_str()).finish()
    }
}

#[async_trait]
impl Store for Registry {
    fn name(&self) -> String {
        self.host().as_str().to_owned()
    }

    async fn manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Manifest>, Error> {
        self.get_manifest(repository, revision).await
    }

    async fn manifest_digest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Option<Digest>, Error> {
        self.head_manifest(repository, revision).await
    }

    async fn put_manifest(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        self.store_manifest(repository, revision, manifest).await
    }

    async fn has_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<bool, Error> {
        self.head_blob(repository, blob).await
    }

    async fn read_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
    ) -> Result<BlobStream, Error> {
        self.get_blob(repository, blob).await
    }

    async fn push_blob(
        &self,
        repository: &RepositoryName,
        blob: &Descriptor,
        mount_from: Option<&RepositoryName>,
        source: &dyn BlobSource,
    ) -> Result<Pushed, Error> {
        self.store_blob(repository, blob, mount_from, source).await
    }

    async fn delete(
        &self,
        repository: &RepositoryName,
        revision: &Revision,
    ) -> Result<Deleted, Error> {
        self.delete_manifest(repository, revision).await
    }

    async fn tags(&self, repository: &RepositoryName) -> Result<Option<Vec<Tag>>, Error> {
        self.list_tags(repository).await
    }

    async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>, Error> {
        self.list_referrers(repository, subject).await
    }

    fn has_referrers_by_tag(&self) -> bool {
        self.inner.referrers_by_tag.load(Ordering::Relaxed)
    }
}
