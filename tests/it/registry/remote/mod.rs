//! The client of registries, against one that fails as it is told and against a real one.

mod auth;
mod blobs;
mod lists;
mod manifests;
mod real;
mod self_signed;
mod uploads;
mod vendor;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use outhaul::registry::{
    BlobSource, BlobStream, Credential, Descriptor, Endpoint, Error, Keychain, Registry, Store, Tls,
};

use super::fixture::{LAYER, blob, content, repository};
use crate::support::faulty::Faulty;

const REPOSITORY: &str = "demo/web";
const UPLOADS: &str = "/blobs/uploads/";

fn connect(address: &str, keychain: Keychain) -> Arc<Registry> {
    let (host, tls) = (address.parse().unwrap(), Tls::default());
    // Told so, it need not ask: the requests that tests count are those that they mean.
    Registry::connect(&Endpoint { plain_http: true, tls, ..Endpoint::new(host) }, keychain).unwrap()
}

fn anonymous(faulty: &Faulty) -> Arc<Registry> {
    connect(faulty.address(), Keychain::new())
}

fn login(faulty: &Faulty, user: &str, password: &str) -> Arc<Registry> {
    let credential = Credential::basic(user, password);
    connect(faulty.address(), Keychain::new().with(faulty.address(), credential))
}

/// A blob that can be opened again and again, in pieces, and counts how often it is.
struct Pieces {
    bytes: Bytes,
    /// How far it gets before it fails, if it does.
    breaks_at: Option<usize>,
    /// Whether it never ends.
    hangs: bool,
    opened: AtomicUsize,
}

impl Pieces {
    fn of(bytes: &Bytes) -> Self {
        let (breaks_at, hangs, opened) = Default::default();
        Self { bytes: bytes.clone(), breaks_at, hangs, opened }
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl BlobSource for Pieces {
    async fn open(&self) -> Result<BlobStream, Error> {
        self.opened.fetch_add(1, Ordering::SeqCst);
        let end = self.breaks_at.unwrap_or(self.bytes.len());
        let pieces: Vec<_> =
            self.bytes[..end].chunks(1000).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
        let failure = self.breaks_at.map(|_| Err(broken()));
        let stream = stream::iter(pieces).chain(stream::iter(failure));
        Ok(if self.hangs { Box::pin(stream.chain(stream::pending())) } else { Box::pin(stream) })
    }
}

/// An error that no registry of these tests could cause.
fn broken() -> Error {
    Error::Protocol { host: "source.example".to_owned(), reason: "the source broke".to_owned() }
}

fn layer(name: &str, size: usize) -> (Bytes, Descriptor) {
    let bytes = content(name, size);
    let descriptor = blob(LAYER, &bytes);
    (bytes, descriptor)
}

/// A blob that is in the registry, behind its back.
async fn stored(faulty: &Faulty, name: &str, size: usize) -> (Bytes, Descriptor) {
    let (bytes, descriptor) = layer(name, size);
    faulty.target().push_blob(REPOSITORY, &bytes).await;
    (bytes, descriptor)
}

async fn read_all(registry: &dyn Store, blob: &Descriptor) -> Result<Vec<u8>, Error> {
    let mut stream = registry.read_blob(&repository(REPOSITORY), blob).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}
