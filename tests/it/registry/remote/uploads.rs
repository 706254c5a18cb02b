//! Blobs going out.

use std::time::Duration;

use futures_util::future::join_all;
use outhaul::registry::{Error, Pushed, Store as _};

use super::super::fixture::repository;
use super::*;
use crate::support::faulty::{Auth, Fault, Place, Trouble};

fn there(faulty: &Faulty, name: &str, blob: &Descriptor) -> Option<Vec<u8>> {
    faulty.target().blob(name, blob.digest.as_str())
}

async fn push(registry: &Registry, blob: &Descriptor, source: &Pieces) -> Result<Pushed, Error> {
    registry.push_blob(&repository(REPOSITORY), blob, None, source).await
}

#[tokio::test]
async fn a_blob_goes_out_in_one_post_and_one_put() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    for size in [0, 1, 1 << 20] {
        faulty.clear_requests();
        let (bytes, blob) = layer("layer", size);
        assert_eq!(push(&registry, &blob, &Pieces::of(&bytes)).await.unwrap(), Pushed::Written);
        assert_eq!(there(&faulty, REPOSITORY, &blob).unwrap(), bytes);
        let methods: Vec<_> = faulty.requests().into_iter().map(|request| request.method).collect();
        assert_eq!(methods, ["POST", "PUT"]);
    }
}

#[tokio::test]
async fn a_mount_that_is_not_done_opens_the_upload_that_is_used() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = stored(&faulty, "layer", 100).await;
    let (to, from) = (repository("other/app"), repository(REPOSITORY));
    faulty.fault(Fault::on("POST", "mount=", Trouble::RefuseMount));
    let pushed = registry.push_blob(&to, &blob, Some(&from), &Pieces::of(&bytes)).await.unwrap();
    assert_eq!(pushed, Pushed::Written);
    assert_eq!(there(&faulty, "other/app", &blob).unwrap(), bytes);
    assert_eq!((faulty.count("POST", UPLOADS), faulty.count("PUT", UPLOADS)), (1, 1));
}

#[tokio::test]
async fn a_mount_that_fails_is_no_reason_not_to_upload() {
    for status in [400, 401, 403, 404, 405] {
        let faulty = Faulty::start();
        let registry = anonymous(&faulty);
        let (bytes, blob) = stored(&faulty, "layer", 100).await;
        let (to, from) = (repository("other/app"), repository(REPOSITORY));
        faulty.fault(Fault::on("POST", "mount=", Trouble::Status(status)));
        let pushed = registry.push_blob(&to, &blob, Some(&from), &Pieces::of(&bytes)).await;
        assert_eq!(pushed.unwrap(), Pushed::Written, "{status}");
        assert_eq!(there(&faulty, "other/app", &blob).unwrap(), bytes);
    }
}

#[tokio::test]
async fn bytes_do_not_follow_a_location_to_another_host() {
    let faulty = Faulty::with_auth(Auth::Basic("u", "p"));
    let registry = login(&faulty, "u", "p");
    let (bytes, blob) = layer("layer", 100);
    faulty.fault(Fault::on("POST", UPLOADS, Trouble::Location(Place::OtherHost)));
    let source = Pieces::of(&bytes);
    let error = push(&registry, &blob, &source).await.unwrap_err();
    let Error::RedirectRefused { target, .. } = &error else { panic!("{error}") };
    assert!(target.ends_with(faulty.other_host()), "{error}");
    assert_eq!(source.opened(), 0);
    assert!(faulty.requests().iter().all(|request| !request.other_host));
    faulty.forget_uploads(); // where it is, we were not told by anyone we trust
}

#[tokio::test]
async fn a_redirected_upload_is_refused_before_and_after_it_began() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = layer("layer", 100);
    for method in ["POST", "PUT"] {
        faulty.fault(Fault::on(method, UPLOADS, Trouble::Redirect(Place::OtherHost)));
        let error = push(&registry, &blob, &Pieces::of(&bytes)).await.unwrap_err();
        assert!(matches!(error, Error::RedirectRefused { .. }), "{error}");
    }
    assert!(faulty.requests().iter().all(|request| !request.other_host));
}

#[tokio::test]
async fn a_source_that_breaks_is_the_error_and_leaves_no_session() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = layer("layer", 49_500); // no multiple of the pieces' size
    let breaking = Pieces { breaks_at: Some(20_000), ..Pieces::of(&bytes) };
    let error = push(&registry, &blob, &breaking).await.unwrap_err();
    assert_eq!(error.to_string(), broken().to_string());

    let short = Pieces::of(&bytes.slice(..20_000));
    let error = push(&registry, &blob, &short).await.unwrap_err();
    assert!(matches!(error, Error::Cut { received: 20_000, .. }), "{error}");
    let long = Pieces::of(&content("layer", 60_000));
    let error = push(&registry, &blob, &long).await.unwrap_err();
    assert!(matches!(error, Error::Cut { .. }), "{error}");
    assert_eq!(there(&faulty, REPOSITORY, &blob), None);
}

#[tokio::test]
async fn a_destination_that_breaks_is_the_error_and_leaves_no_session() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = layer("layer", 4 << 20);
    faulty.fault(Fault::on("PUT", UPLOADS, Trouble::DropUploadAfter(100_000)));
    let error = push(&registry, &blob, &Pieces::of(&bytes)).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");

    faulty.fault(Fault::on("PUT", UPLOADS, Trouble::Status(500)));
    let error = push(&registry, &blob, &Pieces::of(&bytes)).await.unwrap_err();
    assert!(matches!(error, Error::Status { status: 500, .. }), "{error}");

    assert_eq!(push(&registry, &blob, &Pieces::of(&bytes)).await.unwrap(), Pushed::Written);
}

#[tokio::test]
async fn a_push_that_is_dropped_cancels_its_session() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = layer("layer", 50_000);
    let endless = Pieces { hangs: true, ..Pieces::of(&bytes.slice(..20_000)) };
    let pushed = tokio::time::timeout(Duration::from_millis(500), push(&registry, &blob, &endless));
    assert!(pushed.await.is_err());
    for _ in 0..50 {
        if faulty.open_uploads() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the session is still open");
}

#[tokio::test]
async fn a_registry_that_stored_something_else_is_found_out() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = layer("layer", 100);
    faulty.fault(Fault::on("PUT", UPLOADS, Trouble::WrongDigest));
    let error = push(&registry, &blob, &Pieces::of(&bytes)).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_can_be_its_own_source_many_times_over() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (_, blob) = stored(&faulty, "layer", 200_000).await;
    let source = Own { registry: Arc::clone(&registry), blob: blob.clone() };
    let names: Vec<_> = (0..40).map(|n| repository(&format!("to/app{n}"))).collect();
    let pushes = names.iter().map(|name| registry.push_blob(name, &blob, None, &source));
    let pushed = tokio::time::timeout(Duration::from_secs(60), join_all(pushes)).await;
    assert!(pushed.expect("a deadlock").into_iter().all(|pushed| pushed.is_ok()));
}

/// A blob read from the registry that it is written to.
struct Own {
    registry: Arc<Registry>,
    blob: Descriptor,
}

#[async_trait]
impl BlobSource for Own {
    async fn open(&self) -> Result<BlobStream, Error> {
        self.registry.read_blob(&repository(REPOSITORY), &self.blob).await
    }
}

#[tokio::test]
async fn whether_one_can_push_is_asked_without_a_trace() {
    let faulty = Faulty::with_auth(Auth::PrivateToken("u", "p"));
    login(&faulty, "u", "p").can_push(&repository(REPOSITORY)).await.unwrap();
    assert_eq!(faulty.open_uploads(), 0);
    let denied = login(&faulty, "u", "wrong").can_push(&repository(REPOSITORY)).await;
    assert!(matches!(denied, Err(Error::Unauthorized { .. })), "{denied:?}");
}
