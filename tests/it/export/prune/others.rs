//! What others have in the same repositories, and registries that do not delete.

use std::sync::Arc;

use outhaul::export::Target;
use outhaul::registry::{Manifest, RepositoryName, Revision, Store};
use serde_json::{Value, json};

use super::fixture::{CHARTS, IMAGES, Place, at, claim, day, last, request};
use super::memory::{Content, Deletes, Memory};
use crate::support::images::{INDEX, Image};
use crate::support::registry::Registry;

/// A real registry with images `1` to `9`.
fn registry(delete: bool) -> (Registry, Place) {
    let registry = Registry::plain().delete(delete).start();
    for seed in 1..10 {
        Image::new(seed, 1, 2000).push(&registry.target(), "src/web", &seed.to_string());
    }
    let place = at(&registry.address());
    (registry, place)
}

fn versions(registry: &Registry) -> Vec<String> {
    let mut tags = registry.target().tags(CHARTS);
    tags.retain(|tag| tag.starts_with(|c: char| c.is_ascii_digit()));
    tags
}

#[tokio::test]
async fn a_version_goes_only_if_every_schedule_lets_it_go() {
    let (registry, place) = registry(true);
    for number in 0..6 {
        place.export("1", number, day(number as i64)).await;
    }
    let daily = claim(last(2));
    let mut weekly = claim(last(4));
    weekly.schedule = "manifests/shop/weekly".to_owned();
    let plan = place.prune_plan(&[daily.clone(), weekly.clone()], day(6)).await;
    let going: Vec<_> = plan.going().map(|of| of.version.to_string()).collect();
    assert_eq!(going, ["2025.102.120000", "2025.101.120000"]);
    assert!(plan.versions.iter().all(|of| !of.reasons.is_empty()), "{plan:#?}");
    // One that keeps everything, and one that only plans.
    weekly.rules = None;
    let outcome = place.prune(&[daily.clone(), weekly.clone()], day(6)).await;
    assert_eq!((outcome.versions.len(), versions(&registry).len()), (0, 6));
    weekly.rules = daily.rules;
    weekly.dry_run = true;
    let outcome = place.prune(&[daily.clone(), weekly], day(6)).await;
    assert_eq!((outcome.versions.len(), outcome.left.len(), versions(&registry).len()), (0, 4, 6));
    assert_eq!(place.prune(std::slice::from_ref(&daily), day(6)).await.versions.len(), 4);
    assert_eq!(place.prune(&[daily], day(6)).await.versions.len(), 0);
    assert_eq!(place.prune(&[], day(6)).await.versions.len(), 0);
}

#[tokio::test]
async fn nobody_deletes_what_is_anothers() {
    let (registry, place) = registry(true);
    let target = registry.target();
    for number in 0..3 {
        place.export("1", number, day(number as i64)).await;
    }
    let by_hand = place.export_of(&request(None), "2", 3, day(3)).await;
    // Somebody tags a version of ours and one of its images, another cluster has a version in between,
    // and a pipeline pushes a chart, an image and something that is none of both.
    let tagged = target.manifest(CHARTS, "2025.101.120000").unwrap();
    target
        .push_manifest(CHARTS, "stable", "application/vnd.oci.image.manifest.v1+json", &tagged)
        .await;
    let foreign = |bytes: &[u8], from: &str, to: &str| {
        let text = String::from_utf8(bytes.to_vec()).unwrap().replace(from, to);
        serde_json::from_str::<Value>(&text).unwrap().to_string().into_bytes()
    };
    let other = foreign(&tagged, "manifests/shop/web", "another/shop/web");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    target.push_manifest(CHARTS, "2025.101.130000", kind, &other).await;
    let none = foreign(&tagged, "dev.outhaul.", "com.example.");
    target.push_manifest(CHARTS, "1.0.0", kind, &none).await;
    for number in 4..7 {
        place.export("3", number, day(number as i64)).await;
    }
    let image = target.manifest(IMAGES, &root(&place, "1").await).unwrap();
    target.push_manifest(IMAGES, "ci-123", INDEX, &image).await;
    let before = target.tags(IMAGES);

    let outcome = place.prune(&[claim(last(1))], day(7)).await;
    assert_eq!(outcome.versions.len(), 4, "{outcome:?}");
    let hand = by_hand.chart.version;
    let left = ["1.0.0", "2025.101.120000", "2025.101.130000", &hand, "2025.107.120000"];
    assert_eq!(versions(&registry), left);
    assert!(target.tags(CHARTS).contains(&"stable".to_owned()));
    let outcome = place.prune(&[claim(last(1))], day(9)).await;
    assert_eq!((outcome.images.len(), outcome.waiting, &outcome.left), (0, 0, &Vec::new()));
    assert_eq!(target.tags(IMAGES), before);
    for version in [hand.as_str(), "2025.107.120000", "2025.101.120000"] {
        verify(&place, version).await;
    }
}

/// The digest of an image in the image repository.
async fn root(place: &Place, tag: &str) -> String {
    let repository: RepositoryName = IMAGES.parse().unwrap();
    let tags = place.target.store.tags(&repository).await.unwrap().unwrap();
    let found = tags.into_iter().find(|of| of.as_str().contains(&format!("-{tag}-"))).unwrap();
    let digest = place.target.store.manifest_digest(&repository, &Revision::Tag(found)).await;
    digest.unwrap().unwrap().to_string()
}

async fn verify(place: &Place, version: &str) {
    use outhaul::export::{ChartReference, verify};
    let host = place.target.host().unwrap();
    let chart: ChartReference = format!("{host}/{CHARTS}:{version}").parse().unwrap();
    verify::verify(&place.target, &chart, &place.sources, true).await.unwrap().require().unwrap();
}

/// Why the images stay.
fn said(outcome: &outhaul::export::prune::Outcome) -> String {
    let left = outcome.left.iter().find(|left| left.what.starts_with("images of"));
    left.map(|left| left.reason.clone()).unwrap_or_default()
}

#[tokio::test]
async fn what_cannot_be_read_is_needed() {
    let (registry, place) = registry(true);
    let target = registry.target();
    for number in 0..4 {
        place.export(&(number + 1).to_string(), number, day(number as i64)).await;
    }
    assert_eq!(place.prune(&[claim(last(1))], day(4)).await.versions.len(), 3);
    // A chart whose list of images is damaged, then a marker that names nobody.
    let kept = String::from_utf8(target.manifest(CHARTS, "2025.104.120000").unwrap()).unwrap();
    let damaged = kept.replace("@sha256:", "@sha1:");
    assert_ne!(kept, damaged);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    target.push_manifest(CHARTS, "0.9.0", kind, damaged.as_bytes()).await;
    let outcome = place.prune(&[claim(last(1))], day(6)).await;
    assert_eq!((outcome.images.len(), outcome.waiting), (0, 3));
    assert!(said(&outcome).contains("team/shop-web-chart:0.9.0"), "{outcome:?}");
    let damaged = outhaul::registry::Digest::of(damaged.as_bytes());
    target.delete_manifest(CHARTS, damaged.as_str());
    let marker = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {},
    });
    target
        .push_manifest(IMAGES, "outhaul-owner-00000000", INDEX, marker.to_string().as_bytes())
        .await;
    let outcome = place.prune(&[claim(last(1))], day(6)).await;
    assert!(said(&outcome).contains("outhaul-owner-00000000"), "{outcome:?}");
    assert_eq!((outcome.images.len(), outcome.waiting), (0, 3));
    let marker = outhaul::registry::Digest::of(marker.to_string().as_bytes());
    target.delete_manifest(IMAGES, marker.as_str());
    assert_eq!(place.prune(&[claim(last(1))], day(6)).await.images.len(), 3);
    verify(&place, "2025.104.120000").await;
    // Nothing is left of the charts that went, nor of what was attached to them.
    let tags = target.tags(CHARTS);
    assert_eq!((tags.len(), tags[0].as_str()), (2, "2025.104.120000"), "{tags:?}");
}

/// Charts of another registry cannot be asked which images of this one they need.
#[tokio::test]
async fn images_stay_that_charts_of_another_registry_may_need() {
    let (registry, place) = registry(true);
    let other = Registry::plain().start();
    let charts = at(&other.address()).target;
    let target = Target { charts: Some(Box::new(charts.clone())), ..place.target.clone() };
    let apart = Place { target, ..at(&registry.address()) };
    let version = apart.export("1", 0, day(0)).await.chart.version;
    assert!(registry.target().tags(CHARTS).is_empty(), "its chart is at the other registry");
    place.export("1", 1, day(1)).await;
    place.export("2", 2, day(2)).await;
    assert_eq!(place.prune(&[claim(last(1))], day(3)).await.versions.len(), 1);
    let outcome = place.prune(&[claim(last(1))], day(6)).await;
    assert_eq!(outcome.images.len(), 0);
    assert!(said(&outcome).contains("charts of another registry"), "{outcome:?}");
    verify(&Place { target: charts, ..apart }, &version).await;
}

#[tokio::test]
async fn a_registry_that_does_not_delete_says_so_and_is_left_alone() {
    let (registry, place) = registry(false);
    for number in 0..3 {
        place.export("1", number, day(number as i64)).await;
    }
    let before = registry.target().tags(CHARTS);
    let outcome = place.prune(&[claim(last(1))], day(3)).await;
    assert_eq!((outcome.versions.len(), outcome.left.len()), (0, 2));
    assert!(outcome.left[0].reason.contains("405"), "{outcome:?}");
    assert_eq!(registry.target().tags(CHARTS), before);
}

/// A tag that shares its manifest goes alone, or not at all.
#[tokio::test]
async fn a_tag_is_taken_off_and_its_manifest_stays() {
    let repository: RepositoryName = CHARTS.parse().unwrap();
    for (deletes, goes) in
        [(Deletes::TagsAndDigests, true), (Deletes::Digests, true), (Deletes::Nothing, false)]
    {
        let store = Arc::new(Memory::new(Content::default()).deletes(deletes));
        let index = Manifest::new(INDEX, r#"{"schemaVersion":2,"manifests":[]}"#);
        for tag in ["1.0.0", "pinned-1.0.0"] {
            store
                .put_manifest(&repository, &Revision::Tag(tag.parse().unwrap()), &index)
                .await
                .unwrap();
        }
        let tag = "pinned-1.0.0".parse().unwrap();
        let deleted = outhaul::registry::delete::untag(store.as_ref(), &repository, &tag).await;
        assert_eq!(deleted.unwrap().is_gone(), goes, "{deletes:?}");
        let content = store.content();
        assert_eq!(content.tags_of(CHARTS).len(), if goes { 1 } else { 2 });
        assert_eq!(content.manifests.len(), 1, "{deletes:?}");
    }
}
