//! Manifests: all of them, in order, or none.

use super::*;

#[tokio::test]
async fn an_index_arrives_whole_bottom_up_and_tags_come_last() {
    let (here, pair) = Pair::new();
    let (root, one, two) = two_platforms(&*here).await;
    let copied = pair.copy(tag("1"), &["1", "latest"]).await.unwrap();
    assert_eq!(copied.root, root.descriptor());
    assert!(!copied.subset);
    assert_eq!(copied.blobs, 5);
    assert_eq!((copied.bytes_mounted, copied.bytes_present), (0, 0));
    let calls = pair.destination.all_calls();
    assert_bottom_up(&calls, &[&one, &two, &root]);
    let puts = pair.destination.calls("put");
    assert_eq!(puts[2..], [root.digest.to_string(), "1".to_owned(), "latest".to_owned()]);
    assert_eq!(pair.there("latest").await, Some(root));
    assert_eq!(pair.source.calls("read").len(), 5, "each digest once");
}

#[tokio::test]
async fn lists_that_go_wrote_as_null_are_empty() {
    let (here, pair) = Pair::new();
    let config = push(&*here, "from/app", "application/vnd.example", &content("config", 30)).await;
    let body = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": null,
        "annotations": null,
    });
    let image = put(&*here, "from/app", OCI_MANIFEST, &body).await;
    assert_eq!(pair.copy(image.digest, &[]).await.unwrap().blobs, 1);
}

#[tokio::test]
async fn an_index_without_all_of_its_children_is_never_written() {
    let (here, pair) = Pair::new();
    let (_, one, _) = two_platforms(&*here).await;
    here.lose_manifest("from/app", one.digest.as_str());
    let error = pair.copy(tag("1"), &["1"]).await.unwrap_err();
    assert_eq!(error.side, Side::Source);
    assert_eq!(error.what, format!("from/app@{}", one.digest));
    assert!(matches!(error.source, Error::NotFound { .. }));
    assert!(pair.there.is_empty());
}

#[tokio::test]
async fn an_image_that_is_not_there_is_the_sources_failure() {
    let (_here, pair) = Pair::new();
    let error = pair.copy(tag("none"), &[]).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot copy from/app:none: the source failed");
    assert_eq!(error.source.to_string(), "tag from/app:none does not exist at here");
}

#[tokio::test]
async fn indexes_that_nest_without_end_are_refused() {
    let (here, pair) = Pair::new();
    let mut root = image(&*here, "from/app", &[content("layer", 64)]).await;
    for _ in 0..6 {
        root = index(&*here, "from/app", &[json!(root.descriptor())]).await;
    }
    let error = pair.copy(root.digest.clone(), &[]).await.unwrap_err();
    assert_eq!(error.side, Side::Source);
    assert!(error.source.to_string().contains("nests indexes too deeply; the limit is 4"));
    assert!(pair.there.is_empty());
}

#[tokio::test]
async fn docker_images_of_schema_1_are_refused_in_words() {
    let (here, pair) = Pair::new();
    let media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let old =
        put(&*here, "from/app", media_type, &json!({ "schemaVersion": 1, "fsLayers": [] })).await;
    let error = pair.copy(old.digest.clone(), &[]).await.unwrap_err();
    assert!(error.source.to_string().contains("schema 1"), "{error:?}");
}

#[tokio::test]
async fn foreign_layers_stay_where_they_are() {
    let (here, pair) = Pair::new();
    let own = push(&*here, "from/app", LAYER, &content("own", 30)).await;
    let mut foreign =
        json!(blob("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", b"elsewhere"));
    foreign["urls"] = json!(["https://example.com/layer"]);
    let body = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": own, "layers": [foreign] });
    let image = put(&*here, "from/app", OCI_MANIFEST, &body).await;
    let copied = pair.copy(image.digest.clone(), &[]).await.unwrap();
    assert_eq!(copied.blobs, 1);
    assert_eq!(pair.source.calls("read"), [own.digest.to_string()]);
}
