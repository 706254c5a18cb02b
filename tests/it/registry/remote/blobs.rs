//! Blobs coming in.

use std::time::{Duration, Instant};

use outhaul::registry::{Error, Store as _};

use super::super::fixture::repository;
use super::*;
use crate::support::faulty::{Auth, Fault, Place, Trouble};

#[tokio::test]
async fn a_blob_comes_as_it_was_stored() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    for size in [0, 1, 1 << 20] {
        let (bytes, blob) = stored(&faulty, "layer", size).await;
        assert!(registry.has_blob(&repository(REPOSITORY), &blob).await.unwrap());
        assert_eq!(read_all(&*registry, &blob).await.unwrap(), bytes);
    }
    let (_, absent) = layer("absent", 10);
    assert!(!registry.has_blob(&repository(REPOSITORY), &absent).await.unwrap());
    let error = read_all(&*registry, &absent).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_blob_that_ends_early_is_cut_and_one_that_goes_on_is_refused() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = stored(&faulty, "layer", 9000).await;
    faulty.fault(Fault::on("GET", "/blobs/", Trouble::CutAfter(5000)));
    let error = read_all(&*registry, &blob).await.unwrap_err();
    let Error::Cut { received, expected, .. } = error else { panic!("{error}") };
    assert!(received <= 5000 && expected == 9000);
    assert_eq!(read_all(&*registry, &blob).await.unwrap(), bytes);

    for wrong in [8999, 9001] {
        let blob = Descriptor { size: wrong, ..blob.clone() };
        let error = read_all(&*registry, &blob).await.unwrap_err();
        assert!(matches!(error, Error::Cut { .. } | Error::Protocol { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_read_follows_to_another_host_without_credentials() {
    let faulty = Faulty::with_auth(Auth::Basic("u", "p"));
    let registry = login(&faulty, "u", "p");
    let (bytes, blob) = stored(&faulty, "layer", 100).await;
    faulty.fault(Fault::on("GET", "/blobs/", Trouble::Redirect(Place::OtherHost)));
    assert_eq!(read_all(&*registry, &blob).await.unwrap(), bytes);
    let elsewhere: Vec<_> = faulty.requests().into_iter().filter(|it| it.other_host).collect();
    assert_eq!(elsewhere.len(), 1);
    assert_eq!(elsewhere[0].authorization, None);
}

#[tokio::test]
async fn a_read_follows_to_no_private_address_and_not_for_ever() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (_, blob) = stored(&faulty, "layer", 100).await;
    let metadata = Place::Url("http://169.254.169.254/latest/meta-data?sig=secret".to_owned());
    faulty.fault(Fault::on("GET", "/blobs/", Trouble::Redirect(metadata)));
    let error = read_all(&*registry, &blob).await.unwrap_err();
    assert!(matches!(error, Error::RedirectRefused { .. }), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");

    let here = Place::Url(format!("/v2/{REPOSITORY}/blobs/{}", blob.digest));
    faulty.fault(Fault::on("GET", "/blobs/", Trouble::Redirect(here)).times(5));
    let error = read_all(&*registry, &blob).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn opening_a_blob_is_tried_again_when_the_server_falters() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = stored(&faulty, "layer", 100).await;
    faulty.fault(Fault::on("GET", "/blobs/", Trouble::Status(503)));
    faulty.fault(Fault::on("GET", "/blobs/", Trouble::Drop));
    assert_eq!(read_all(&*registry, &blob).await.unwrap(), bytes);
    assert_eq!(faulty.count("GET", "/blobs/"), 3);
}

#[tokio::test]
async fn a_throttled_request_waits_as_long_as_it_is_told() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (_, blob) = stored(&faulty, "layer", 100).await;
    faulty.fault(Fault::on("HEAD", "/blobs/", Trouble::RetryAfter(429, "1".to_owned())));
    let started = Instant::now();
    assert!(registry.has_blob(&repository(REPOSITORY), &blob).await.unwrap());
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(faulty.count("HEAD", "/blobs/"), 2);

    faulty.fault(Fault::on("HEAD", "/blobs/", Trouble::RetryAfter(429, "21600".to_owned())));
    let error = registry.has_blob(&repository(REPOSITORY), &blob).await.unwrap_err();
    assert!(matches!(error, Error::RateLimited { .. }), "{error}");
    assert_eq!(faulty.count("HEAD", "/blobs/"), 3);
}

#[tokio::test]
async fn a_registry_that_is_down_is_said_to_be_within_seconds() {
    let address = format!("127.0.0.1:{}", crate::support::free_port());
    let started = Instant::now();
    let error = connect(&address, Keychain::new()).ping().await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { host, .. } if *host == address), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn more_downloads_than_permits_get_through_one_after_the_other() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let (bytes, blob) = stored(&faulty, "layer", 100_000).await;
    let all = (0..40).map(|_| read_all(&*registry, &blob));
    for read in futures_util::future::join_all(all).await {
        assert_eq!(read.unwrap(), bytes);
    }
}
