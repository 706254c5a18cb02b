//! Manifests both ways.

use outhaul::registry::manifest::{DOCKER_MANIFEST, OCI_INDEX};
use outhaul::registry::{Digest, Error, Manifest, Revision, Store as _};
use serde_json::json;

use super::super::fixture::{repository, tag};
use super::*;
use crate::support::faulty::{Fault, Place, Trouble};

/// An index of nothing, which every registry takes.
fn empty_index(note: &str) -> Manifest {
    let body = json!({
        "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "annotations": { "n": note },
    });
    Manifest::new(OCI_INDEX, body.to_string())
}

async fn put(registry: &Registry, name: &str, manifest: &Manifest) -> Result<(), Error> {
    registry.put_manifest(&repository(REPOSITORY), &tag(name).into(), manifest).await
}

async fn get(
    registry: &Registry,
    revision: impl Into<Revision>,
) -> Result<Option<Manifest>, Error> {
    registry.manifest(&repository(REPOSITORY), &revision.into()).await
}

#[tokio::test]
async fn a_manifest_keeps_its_bytes_and_its_type() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let manifest = Manifest::new(DOCKER_MANIFEST, "{ \"schemaVersion\" :2 }\n");
    put(&registry, "1", &manifest).await.unwrap();
    assert_eq!(get(&registry, tag("1")).await.unwrap(), Some(manifest.clone()));
    assert_eq!(get(&registry, manifest.digest.clone()).await.unwrap(), Some(manifest.clone()));
    let name = repository(REPOSITORY);
    let found = registry.manifest_digest(&name, &tag("1").into()).await.unwrap();
    assert_eq!(found, Some(manifest.digest));

    assert_eq!(get(&registry, tag("2")).await.unwrap(), None);
    assert_eq!(registry.manifest_digest(&name, &tag("2").into()).await.unwrap(), None);
    let nowhere = registry.manifest(&repository("no/where"), &tag("1").into()).await.unwrap();
    assert_eq!(nowhere, None);
}

#[tokio::test]
async fn bytes_that_are_not_what_was_asked_for_are_refused() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let manifest = empty_index("a");
    put(&registry, "1", &manifest).await.unwrap();
    for revision in [Revision::from(tag("1")), manifest.digest.clone().into()] {
        for trouble in [Trouble::WrongBytes, Trouble::WrongDigest] {
            let by_digest = matches!(revision, Revision::Digest(_));
            let harmless = by_digest && matches!(trouble, Trouble::WrongDigest);
            faulty.fault(Fault::on("GET", "/manifests/", trouble));
            match get(&registry, revision.clone()).await {
                Ok(found) => assert_eq!((found, harmless), (Some(manifest.clone()), true)),
                Err(error) => assert!(matches!(error, Error::DigestMismatch { .. }), "{error}"),
            }
        }
    }
    faulty.fault(Fault::on("PUT", "/manifests/", Trouble::WrongDigest));
    let error = put(&registry, "2", &manifest).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
}

#[tokio::test]
async fn missing_content_is_told_from_other_refusals() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let absent = Digest::of(b"absent");
    let child = json!({ "mediaType": OCI_INDEX, "digest": absent, "size": 2 });
    let body = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child] });
    let manifest = Manifest::new(OCI_INDEX, body.to_string());
    let error = put(&registry, "1", &manifest).await.unwrap_err();
    assert!(
        matches!(&error, Error::ContentMissing { digest, .. } if *digest == manifest.digest),
        "{error}"
    );
    let error = put(&registry, "1", &Manifest::new(OCI_INDEX, "no JSON")).await.unwrap_err();
    let Error::Status { status: 400, reason, .. } = &error else { panic!("{error}") };
    assert_eq!(reason, "MANIFEST_INVALID: manifest_invalid");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    faulty.fault(Fault::on("PUT", "/manifests/", Trouble::LoseAnswer));
    faulty.fault(Fault::on(
        "PUT",
        "/manifests/",
        Trouble::Page(502, "<html>bad</html>".to_owned()),
    ));
    put(&registry, "1", &empty_index("a")).await.unwrap();
    assert_eq!(faulty.count("PUT", "/manifests/"), 3);
}

#[tokio::test]
async fn a_head_that_is_not_permitted_becomes_a_get() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let manifest = empty_index("a");
    put(&registry, "1", &manifest).await.unwrap();
    for status in [403, 405] {
        faulty.fault(Fault::on("HEAD", "/manifests/", Trouble::Status(status)));
        let found = registry.manifest_digest(&repository(REPOSITORY), &tag("1").into()).await;
        assert_eq!(found.unwrap().as_ref(), Some(&manifest.digest));
    }
}

#[tokio::test]
async fn a_manifest_does_not_follow_a_redirect() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    faulty.fault(Fault::on("PUT", "/manifests/", Trouble::Redirect(Place::OtherHost)));
    let error = put(&registry, "1", &empty_index("a")).await.unwrap_err();
    assert!(matches!(error, Error::RedirectRefused { .. }), "{error}");
    assert!(faulty.requests().iter().all(|request| !request.other_host));
}

#[tokio::test]
async fn a_page_of_a_proxy_is_an_error_with_its_words() {
    let faulty = Faulty::start();
    let page = "<html>\n<h1>Who are you?</h1></html>".to_owned();
    faulty.fault(Fault::on("GET", "/manifests/", Trouble::Page(418, page)));
    let error = get(&anonymous(&faulty), tag("1")).await.unwrap_err();
    assert!(error.to_string().contains("Who are you?"), "{error}");
    assert!(!error.to_string().contains('\n'));
}
