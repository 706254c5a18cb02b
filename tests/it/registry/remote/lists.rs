//! Tags and referrers.

use outhaul::registry::manifest::{OCI_INDEX, OCI_MANIFEST};
use outhaul::registry::referrers::fallback_tag;
use outhaul::registry::{Error, Manifest, Store as _, Tag};
use serde_json::json;

use super::super::fixture::{image, index, put_tag, referrer, repository, tag};
use super::*;
use crate::support::faulty::{Fault, Options, Place, Trouble};

async fn subject(registry: &Registry) -> Manifest {
    let subject = image(registry, REPOSITORY, &[content("layer", 10)]).await;
    put_tag(registry, REPOSITORY, "1", &subject).await;
    subject
}

async fn names(registry: &Registry, subject: &Manifest) -> Result<Vec<String>, Error> {
    let found = registry.referrers(&repository(REPOSITORY), &subject.digest).await?;
    Ok(found.into_iter().map(|found| found.digest.to_string()).collect())
}

#[tokio::test]
async fn tags_are_read_page_by_page() {
    let faulty = Faulty::with(Options { page: 2, ..Options::default() });
    let registry = anonymous(&faulty);
    let manifest = subject(&registry).await;
    for name in ["2", "3", "4", "5"] {
        put_tag(&*registry, REPOSITORY, name, &manifest).await;
    }
    let tags = registry.tags(&repository(REPOSITORY)).await.unwrap().unwrap();
    let tags: Vec<_> = tags.iter().map(Tag::as_str).collect();
    assert_eq!(tags, ["1", "2", "3", "4", "5"]);
    assert_eq!(faulty.count("GET", "/tags/list"), 3);
    assert_eq!(registry.tags(&repository("no/where")).await.unwrap(), None);
}

#[tokio::test]
async fn referrers_come_from_the_api() {
    let faulty = Faulty::with(Options { referrers: true, ..Options::default() });
    let registry = anonymous(&faulty);
    let subject = subject(&registry).await;
    assert_eq!(names(&registry, &subject).await.unwrap(), [""; 0]);
    let signature = referrer(&*registry, REPOSITORY, &subject, "application/x.signature").await;
    assert_eq!(names(&registry, &subject).await.unwrap(), [signature.digest.to_string()]);
    assert!(registry.has_referrers_api(&repository(REPOSITORY)).await.unwrap());
    assert_eq!(faulty.count("GET", "/manifests/sha256-"), 0);
}

#[tokio::test]
async fn referrers_come_from_the_tag_where_the_api_is_odd() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let subject = subject(&registry).await;
    let signature = referrer(&*registry, REPOSITORY, &subject, "application/x.signature").await;
    assert!(!registry.has_referrers_api(&repository(REPOSITORY)).await.unwrap());
    assert_eq!(names(&registry, &subject).await.unwrap(), [""; 0]);

    let child = json!({
        "mediaType": OCI_MANIFEST, "digest": signature.digest, "size": signature.bytes.len(),
    });
    let list = index(&*registry, REPOSITORY, &[child]).await;
    let fallback = fallback_tag(&subject.digest);
    put_tag(&*registry, REPOSITORY, fallback.as_str(), &list).await;
    let github = Place::Url("https://github.com/-/v2/packages".to_owned());
    for trouble in [
        None,
        Some(Trouble::Status(400)),
        Some(Trouble::Status(405)),
        Some(Trouble::Redirect(github)),
        Some(Trouble::Page(200, "<html>log in</html>".to_owned())),
    ] {
        if let Some(trouble) = trouble {
            faulty.fault(Fault::on("GET", "/referrers/", trouble));
        }
        let registry = anonymous(&faulty);
        faulty.clear_requests();
        for _ in 0..2 {
            assert_eq!(names(&registry, &subject).await.unwrap(), [signature.digest.to_string()]);
        }
        assert_eq!(faulty.count("GET", "/referrers/"), 1, "it is known then");
    }
}

#[tokio::test]
async fn signatures_do_not_go_missing_because_the_server_falters() {
    let faulty = Faulty::with(Options { referrers: true, ..Options::default() });
    let registry = anonymous(&faulty);
    let subject = subject(&registry).await;
    let signature = referrer(&*registry, REPOSITORY, &subject, "application/x.signature").await;
    faulty.fault(Fault::on("GET", "/referrers/", Trouble::Status(503)).times(2));
    assert_eq!(names(&registry, &subject).await.unwrap(), [signature.digest.to_string()]);
    faulty.fault(Fault::on("GET", "/referrers/", Trouble::Status(503)).times(5));
    let error = names(&registry, &subject).await.unwrap_err();
    assert!(matches!(error, Error::Status { status: 503, .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_list_of_referrers_is_empty() {
    let faulty = Faulty::start();
    let registry = anonymous(&faulty);
    let subject = subject(&registry).await;
    let odd = Manifest::new(OCI_INDEX, json!({ "manifests": [] }).to_string());
    let fallback = tag(fallback_tag(&subject.digest).as_str());
    registry.put_manifest(&repository(REPOSITORY), &fallback.into(), &odd).await.unwrap();
    assert_eq!(names(&registry, &subject).await.unwrap(), [""; 0]);
}
