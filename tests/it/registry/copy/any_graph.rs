//! Whatever an image consists of.

use proptest::prelude::*;

use super::*;

/// For each image its layers, for each index its children (by number, smaller ones first).
fn graphs() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<Vec<prop::sample::Index>>)> {
    (
        prop::collection::vec(prop::collection::vec(0..6u8, 0..4), 1..5),
        prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 1..4), 0..3),
    )
}

async fn build(
    store: &dyn Store,
    images: &[Vec<u8>],
    indexes: &[Vec<prop::sample::Index>],
) -> Vec<Manifest> {
    let mut all = Vec::new();
    for layers in images {
        let layers: Vec<Bytes> = layers.iter().map(|l| content(&format!("l{l}"), 40)).collect();
        all.push(image(store, "from/app", &layers).await);
    }
    for children in indexes {
        let children: Vec<_> = children.iter().map(|at| json!(at.get(&all).descriptor())).collect();
        all.push(index(store, "from/app", &children).await);
    }
    all
}

fn reachable<'a>(all: &'a [Manifest], from: &'a Manifest) -> Vec<&'a Manifest> {
    let mut found = vec![from];
    for child in from.links().unwrap().manifests {
        let child = all.iter().find(|manifest| manifest.digest == child.digest).unwrap();
        found.extend(reachable(all, child));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn arrives_whole_and_bottom_up((images, indexes) in graphs(), jobs in 0..5usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (here, mut pair) = Pair::new();
            pair.options.jobs = jobs;
            let all = build(&*here, &images, &indexes).await;
            let root = all.last().unwrap();
            pair.copy(root.digest.clone(), &["1"]).await.unwrap();
            let reached = reachable(&all, root);
            assert_bottom_up(&pair.destination.all_calls(), &reached);
            let reads = pair.source.calls("read");
            let mut once = reads.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), reads.len());
        });
    }
}
