//! The copy engine between stores that are spied upon.

mod any_graph;
mod graph;
mod platforms;
mod referrers;
mod transfer;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use outhaul::registry::manifest::{DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST};
use outhaul::registry::progress::Quiet;
use outhaul::registry::{
    Copied, Copier, CopyError, CopyOptions, Digest, Error, Event, Layout, Manifest, Progress,
    Revision, Side, Store, copy,
};
use serde_json::{Value, json};

use super::fixture::*;

struct Pair {
    source: Arc<Spy>,
    destination: Arc<Spy>,
    there: Arc<Memory>,
    options: CopyOptions,
}

impl Pair {
    fn new() -> (Arc<Memory>, Self) {
        let (here, there) = (Memory::new("here"), Memory::new("there"));
        let (source, destination) = (Spy::on(here.clone()), Spy::on(there.clone()));
        (here, Self { source, destination, there, options: CopyOptions::default() })
    }

    async fn copy(
        &self,
        revision: impl Into<Revision>,
        tags: &[&str],
    ) -> Result<Copied, CopyError> {
        self.copy_watched(revision, tags, &Quiet).await
    }

    async fn copy_watched(
        &self,
        revision: impl Into<Revision>,
        tags: &[&str],
        progress: &dyn Progress,
    ) -> Result<Copied, CopyError> {
        let tags: Vec<_> = tags.iter().map(|text| tag(text)).collect();
        let (from, to) = (located(&self.source, "from/app"), located(&self.destination, "to/app"));
        copy(&from, &revision.into(), &to, &tags, &self.options, progress).await
    }

    async fn there(&self, revision: &str) -> Option<Manifest> {
        let revision =
            revision.parse().map(Revision::Digest).unwrap_or_else(|_| tag(revision).into());
        self.there.manifest(&repository("to/app"), &revision).await.unwrap()
    }
}

/// Two platforms that share a layer.
async fn two_platforms(store: &dyn Store) -> (Manifest, Manifest, Manifest) {
    let one = image(store, "from/app", &[content("base", 100), content("amd", 70)]).await;
    let two = image(store, "from/app", &[content("base", 100), content("arm", 80)]).await;
    let root =
        index(store, "from/app", &[child(&one, "linux/amd64"), child(&two, "linux/arm64")]).await;
    put_tag(store, "from/app", "1", &root).await;
    (root, one, two)
}

/// Each manifest was written after all it refers to.
fn assert_bottom_up(calls: &[(&str, String)], manifests: &[&Manifest]) {
    let at = |kind, what: String| calls.iter().position(|call| *call == (kind, what.clone()));
    for manifest in manifests {
        let Some(put) = at("put", manifest.digest.to_string()) else {
            panic!("{manifest:?} not put")
        };
        let links = manifest.links().unwrap();
        for blob in links.config.iter().chain(&links.layers) {
            assert!(at("pushed", blob.digest.to_string()).unwrap() < put);
        }
        for child in &links.manifests {
            assert!(at("put", child.digest.to_string()).unwrap() < put);
        }
    }
}
