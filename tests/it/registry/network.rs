//! The copy engine between registries on a network that fails as it is told.

use std::sync::Arc;
use std::time::Duration;

use outhaul::registry::progress::Quiet;
use outhaul::registry::{
    Copied, Copier, CopyError, CopyOptions, Endpoint, Error, Keychain, Located, Registry, Side,
    Store as _,
};
use serde_json::json;

use super::fixture::{index, located, put_tag, referrer, repository, tag};
use crate::support::faulty::{Auth, Fault, Faulty, Options, Trouble};
use crate::support::images::Image;

const UPLOADS: &str = "/blobs/uploads/";

/// An image at one registry, and another registry to copy it to.
struct Route {
    image: Image,
    from: Faulty,
    to: Faulty,
}

fn connect(faulty: &Faulty) -> Arc<Registry> {
    let host = faulty.address().parse().unwrap();
    let endpoint = Endpoint { plain_http: true, ..Endpoint::new(host) };
    Registry::connect(&endpoint, Keychain::new()).unwrap()
}

impl Route {
    fn new(referrers: bool) -> Self {
        let options = || Options { auth: Auth::Open, referrers, page: 100 };
        let (from, to) = (Faulty::with(options()), Faulty::with(options()));
        let image = Image::new(7, 2, 60_000);
        image.push(&from.target(), "from/app", "1");
        from.clear_requests();
        Self { image, from, to }
    }

    fn source(&self) -> Located {
        located(&connect(&self.from), "from/app")
    }

    async fn copy(&self, to: &str) -> Result<Copied, CopyError> {
        self.copy_with(to, CopyOptions::default()).await
    }

    /// One blob at a time: no other upload is being opened when one fails.
    async fn copy_in_turn(&self, to: &str) -> Result<Copied, CopyError> {
        self.copy_with(to, CopyOptions { jobs: 1, ..CopyOptions::default() }).await
    }

    async fn copy_with(&self, to: &str, options: CopyOptions) -> Result<Copied, CopyError> {
        let copier = Copier::new(connect(&self.to), options);
        let (revision, tags) = (tag("1").into(), [tag("1")]);
        copier.copy(&self.source(), &revision, &repository(to), &tags, &Quiet).await
    }

    /// A failed copy drops its other uploads, which are then cancelled beside everything else.
    async fn assert_uploads_end(&self) {
        for _ in 0..100 {
            if self.to.open_uploads() == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("uploads stay open");
    }

    /// The whole image is at the destination.
    fn assert_arrived(&self, at: &str) {
        let target = self.to.target();
        assert_eq!(target.manifest(at, "1").unwrap(), self.image.index);
        for manifest in &self.image.manifests {
            let digest = crate::support::images::digest(manifest);
            assert_eq!(target.manifest(at, &digest).as_ref(), Some(manifest));
        }
        for (digest, bytes) in &self.image.blobs {
            assert_eq!(target.blob(at, digest).as_ref(), Some(bytes));
        }
    }
}

#[tokio::test]
async fn blobs_that_are_cut_on_either_side_arrive_whole() {
    let route = Route::new(false);
    route.from.fault(Fault::on("GET", "/blobs/", Trouble::CutAfter(20_000)).times(2));
    route.to.fault(Fault::on("PUT", UPLOADS, Trouble::DropUploadAfter(30_000)));
    route.to.fault(Fault::on("PUT", UPLOADS, Trouble::Status(503)).after(2));
    let copied = route.copy("to/app").await.unwrap();
    assert_eq!(copied.blobs, 6);
    route.assert_arrived("to/app");
}

#[tokio::test]
async fn wrong_bytes_are_the_sources_fault_and_are_never_whole_at_the_destination() {
    let route = Route::new(false);
    route.from.fault(Fault::on("GET", "/blobs/", Trouble::WrongBytes).times(1));
    let error = route.copy_in_turn("to/app").await.unwrap_err();
    assert_eq!(error.side, Side::Source);
    assert!(matches!(error.source, Error::DigestMismatch { .. }), "{error:?}");
    route.assert_uploads_end().await;
    assert!(route.to.target().manifest("to/app", "1").is_none());
}

#[tokio::test]
async fn a_mount_that_is_refused_is_an_upload() {
    let route = Route::new(false);
    let copier = Copier::new(connect(&route.to), CopyOptions::default());
    let copy = async |to: &str| {
        let (revision, tags) = (tag("1").into(), [tag("1")]);
        copier.copy(&route.source(), &revision, &repository(to), &tags, &Quiet).await.unwrap()
    };
    let first = copy("to/one").await;
    route.to.fault(Fault::on("POST", "mount=", Trouble::RefuseMount).times(1));
    let second = copy("to/two").await;
    assert!(second.bytes_mounted > 0 && second.bytes_copied > 0);
    assert_eq!(second.bytes_mounted + second.bytes_copied, first.bytes_copied);
    route.assert_arrived("to/two");
}

#[tokio::test]
async fn a_manifest_whose_content_was_lost_is_sent_with_all_of_it() {
    let route = Route::new(false);
    route.copy("to/app").await.unwrap();
    let page = r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"lost"}]}"#;
    let lost = Trouble::Page(404, page.to_owned());
    route.to.fault(Fault::on("PUT", "/manifests/sha256:", lost));
    route.to.clear_requests();
    let copied = route.copy("to/app").await.unwrap();
    assert_eq!(route.to.count("PUT", UPLOADS), 6);
    assert!(copied.bytes_copied > 240_000);
    route.assert_arrived("to/app");
}

#[tokio::test]
async fn signatures_are_found_again_with_and_without_the_referrers_api() {
    for api in [true, false] {
        let route = Route::new(api);
        let (from, to) = (connect(&route.from), connect(&route.to));
        let name = repository("from/app");
        let root = from.manifest(&name, &tag("1").into()).await.unwrap().unwrap();
        let signature = referrer(&*from, "from/app", &root, "application/vnd.example.sig").await;
        let fallback = format!("sha256-{}", root.digest.hex());
        if !api {
            let entries = [json!(signature.descriptor())];
            let list = index(&*from, "from/app", &entries).await;
            put_tag(&*from, "from/app", &fallback, &list).await;
        }
        assert_eq!(route.copy("to/app").await.unwrap().referrers, 1);
        let listed = to.referrers(&repository("to/app"), &root.digest).await.unwrap();
        assert_eq!(listed.len(), 1, "with the API: {api}");
        assert_eq!(listed[0].digest, signature.digest);
        assert_eq!(route.to.target().tags("to/app").contains(&fallback), !api);
    }
}

#[tokio::test]
async fn a_registry_that_dies_midway_is_reported_within_seconds_and_has_no_tag() {
    let route = Route::new(false);
    route.to.fault(Fault::on("PUT", UPLOADS, Trouble::DropUploadAfter(1000)).times(1));
    route.to.fault(Fault::on("POST", UPLOADS, Trouble::Drop).times(4).after(1));
    let started = std::time::Instant::now();
    let error = route.copy_in_turn("to/app").await.unwrap_err();
    assert_eq!(error.side, Side::Destination);
    assert!(started.elapsed() < Duration::from_secs(10));
    route.assert_uploads_end().await;
    assert!(route.to.target().manifest("to/app", "1").is_none());
}
