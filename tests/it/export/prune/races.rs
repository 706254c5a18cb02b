//! A prune that is interrupted, and one while an export of the same image is under way.

use std::collections::BTreeSet;
use std::sync::Arc;

use outhaul::export::prune::{self, GRACE};
use outhaul::registry::{Manifest, RepositoryName, Revision, Store};
use serde_json::json;

use super::fixture::{
    CHARTS, IMAGES, assert_whole, claim, day, in_memory, last, objects, request, versions,
};
use super::memory::{Content, Deletes, Memory};
use crate::support::images::{INDEX, Image, MANIFEST};

/// How many interleavings of an export and a prune are tried.
const SEEDS: u64 = 500;

/// Images `a`, `b` and `c`; `b` and `c` have a platform in common.
async fn source() -> Arc<Memory> {
    let store = Arc::new(Memory::new(Content::default()));
    let repository: RepositoryName = "src/web".parse().unwrap();
    let images = [Image::new(1, 1, 200), Image::new(2, 1, 200), Image::new(3, 1, 200)];
    for image in &images {
        for bytes in image.blobs.values() {
            push(&store, &repository, bytes).await;
        }
        for bytes in &image.manifests {
            let manifest = Manifest::new(MANIFEST, bytes.clone());
            let digest = Revision::Digest(manifest.digest.clone());
            store.put_manifest(&repository, &digest, &manifest).await.unwrap();
        }
    }
    let parts = |image: &Image| -> Vec<serde_json::Value> {
        let index: serde_json::Value = serde_json::from_slice(&image.index).unwrap();
        index["manifests"].as_array().unwrap().clone()
    };
    let [a, b, c] = &images;
    let mixed = vec![parts(b)[0].clone(), parts(c)[1].clone()];
    for (tag, children) in [("a", parts(a)), ("b", parts(b)), ("c", mixed)] {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children });
        let index = Manifest::new(INDEX, index.to_string());
        store
            .put_manifest(&repository, &Revision::Tag(tag.parse().unwrap()), &index)
            .await
            .unwrap();
    }
    store
}

async fn push(store: &Memory, repository: &RepositoryName, bytes: &[u8]) {
    use outhaul::registry::blob::InMemory;
    use outhaul::registry::{Descriptor, Digest};
    let blob = Descriptor::new("any/type", Digest::of(bytes), bytes.len() as u64);
    let content = InMemory(bytes::Bytes::copy_from_slice(bytes));
    store.push_blob(repository, &blob, None, &content).await.unwrap();
}

/// Six versions: of `a`, `a`, `b`, `b`, `c`, `c`.
async fn six(source: &Arc<Memory>) -> Content {
    let store = Arc::new(Memory::new(Content::default()));
    let place = in_memory(Arc::clone(&store), source);
    for (number, tag) in ["a", "a", "b", "b", "c", "c"].into_iter().enumerate() {
        place.export(tag, number, day(number as i64)).await;
    }
    store.content()
}

/// What is there, without the tombstone.
fn rest(content: &Content) -> (BTreeSet<String>, BTreeSet<(String, String)>) {
    let tags = content.tags.keys().map(|(repository, tag)| format!("{repository}:{tag}"));
    let tombstone = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("outhaul.pruned");
    let manifests = content.manifests.iter().filter(|(_, of)| !tombstone(&of.bytes));
    (
        tags.filter(|tag| !tag.ends_with("outhaul-pruned")).collect(),
        manifests.map(|(key, _)| key.clone()).collect(),
    )
}

#[tokio::test]
async fn a_prune_that_ends_at_any_request_leaves_what_stays_whole_and_the_next_goes_on() {
    let source = source().await;
    let before = six(&source).await;
    let claims = [claim(last(2))];
    for deletes in [Deletes::TagsAndDigests, Deletes::Digests] {
        let store = Arc::new(Memory::new(before.clone()).deletes(deletes));
        let place = in_memory(Arc::clone(&store), &source);
        let first = place.prune(&claims, day(6)).await;
        assert_eq!((first.versions.len(), first.waiting, first.left.len()), (4, 2, 0), "{first:?}");
        let second = place.prune(&claims, day(8)).await;
        // The platform that `c` has of `b` stays.
        assert_eq!(
            (second.images.len(), second.waiting, second.left.len()),
            (2, 0, 0),
            "{second:?}"
        );
        let requests = store.requests();
        let after = store.content();
        assert_eq!(versions(&after).len(), 2);
        assert_eq!(assert_whole(&after, "at the end"), 2);
        let of =
            |content: &Content| content.manifests.keys().filter(|(of, _)| of == IMAGES).count();
        // Two of `a`'s and one of `b`'s platforms and both indexes are gone.
        assert_eq!(of(&before) - of(&after), 5);
        for end in 0..requests {
            let store = Arc::new(Memory::new(before.clone()).deletes(deletes).goes_away_after(end));
            let place = in_memory(Arc::clone(&store), &source);
            let charts: RepositoryName = CHARTS.parse().unwrap();
            for day in [day(6), day(8)] {
                let origin = super::fixture::ORIGIN;
                let plan = prune::plan(&place.target, &charts, origin, &claims, day).await;
                if let Ok(plan) = plan {
                    let _ = place.prune_by(&plan, GRACE, day).await;
                }
            }
            assert!(assert_whole(&store.content(), &format!("after {end}")) >= 2);
            let again = Arc::new(Memory::new(store.content()).deletes(deletes));
            let place = in_memory(Arc::clone(&again), &source);
            for day in [day(9), day(11)] {
                let outcome = place.prune(&claims, day).await;
                assert_eq!(outcome.left, [], "after {end}");
            }
            assert_eq!(rest(&again.content()), rest(&after), "after {end}");
        }
    }
}

#[tokio::test]
async fn no_chart_ever_lacks_an_image_that_was_exported_while_it_was_pruned() {
    let source = source().await;
    let store = Arc::new(Memory::new(six(&source).await));
    let claims = [claim(last(2))];
    in_memory(Arc::clone(&store), &source).prune(&claims, day(6)).await;
    let before = store.content();
    // `a` and `b` wait to be deleted, and `a` runs again.
    let place = in_memory(Arc::clone(&store), &source);
    let export = place.plan(&request(None), &objects(&place.images, "a", 7), day(8)).await;
    let (root, [mut gone, mut stayed, mut back]) = (export.images[0].image.digest.clone(), [0; 3]);
    for seed in 0..SEEDS {
        let store = Arc::new(Memory::new(before.clone()).seeded(seed));
        let place = in_memory(Arc::clone(&store), &source);
        let late = fastrand::Rng::with_seed(seed).usize(0..400);
        let exporting = async {
            for _ in 0..late {
                tokio::task::yield_now().await;
            }
            place.carry_out(&export).await
        };
        let (_, pruned) = tokio::join!(exporting, place.prune(&claims, day(8)));
        let content = store.content();
        assert!(versions(&content).contains(&export.version.to_string()), "seed {seed}");
        assert_whole(&content, &format!("seed {seed}: {pruned:?}"));
        assert!(pruned.missing.is_empty(), "seed {seed}: {pruned:?}");
        let deleted = store.deleted.lock().unwrap().contains(&root.to_string());
        match (deleted, pruned.left.is_empty()) {
            (false, _) => stayed += 1,
            (true, true) => gone += 1,
            (true, false) => back += 1,
        }
    }
    // Each way was taken: the export saw the deletion, the prune saw the export, before or after.
    assert!(gone > 20 && stayed > 20 && back > 5, "{gone} gone, {stayed} stayed, {back} put back");
}
