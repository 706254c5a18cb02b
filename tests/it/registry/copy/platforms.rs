//! Parts of an index.

use super::*;

#[tokio::test]
async fn one_platform_makes_its_manifest_the_root() {
    let (here, mut pair) = Pair::new();
    let (_, _, two) = two_platforms(&*here).await;
    pair.options.platforms = vec!["linux/arm64/v8".parse().unwrap()];
    let copied = pair.copy(tag("1"), &["1"]).await.unwrap();
    assert_eq!(copied.root, two.descriptor());
    assert!(!copied.subset);
    assert_eq!(pair.there("1").await, Some(two));
    assert_eq!(copied.blobs, 3);
}

#[tokio::test]
async fn several_platforms_make_a_new_index_with_their_attestations() {
    for media_type in [OCI_INDEX, DOCKER_INDEX] {
        let (here, mut pair) = Pair::new();
        let mut children = Vec::new();
        for platform in ["linux/amd64", "linux/arm64", "linux/s390x"] {
            let one = image(&*here, "from/app", &[content(platform, 60)]).await;
            children.push(child(&one, platform));
        }
        for subject in children.clone() {
            let name = format!("attestation {subject}");
            let one = image(&*here, "from/app", &[content(&name, 300)]).await;
            let mut attestation = child(&one, "unknown/unknown");
            attestation["annotations"] = json!({
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": subject["digest"],
            });
            children.push(attestation);
        }
        let body = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": children });
        let root = put(&*here, "from/app", media_type, &body).await;
        pair.options.platforms =
            vec!["linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap()];
        let copied = pair.copy(root.digest.clone(), &["1"]).await.unwrap();
        assert!(copied.subset);
        let made = pair.there("1").await.unwrap();
        assert_eq!(made.media_type, media_type);
        let document: Value = serde_json::from_slice(&made.bytes).unwrap();
        assert_eq!(document["annotations"]["dev.outhaul.derived-from"], json!(root.digest));
        let expected: Vec<_> = [0, 1, 3, 4].map(|at| children[at].clone()).into();
        assert_eq!(document["manifests"], json!(expected));
        // The same again gives the same index, and nothing moves.
        let again = pair.copy(root.digest.clone(), &["1"]).await.unwrap();
        assert_eq!((again.root, again.bytes_copied), (copied.root, 0));
    }
}

#[tokio::test]
async fn all_platforms_of_an_index_are_the_index_itself() {
    let (here, mut pair) = Pair::new();
    let (root, ..) = two_platforms(&*here).await;
    pair.options.platforms = vec!["linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap()];
    let copied = pair.copy(tag("1"), &["1"]).await.unwrap();
    assert_eq!((copied.root, copied.subset), (root.descriptor(), false));
}

#[tokio::test]
async fn a_platform_that_does_not_exist_is_an_error_that_lists_what_does() {
    let (here, mut pair) = Pair::new();
    two_platforms(&*here).await;
    pair.options.platforms = vec!["linux/s390x".parse().unwrap()];
    let error = pair.copy(tag("1"), &["1"]).await.unwrap_err();
    let text = "platform linux/s390x (there is linux/amd64, linux/arm64) does not exist at here";
    assert_eq!(error.source.to_string(), text);
    assert!(pair.there.is_empty());
}

#[tokio::test]
async fn an_image_of_another_platform_only_is_an_error() {
    let (here, mut pair) = Pair::new();
    let stated = json!({ "os": "linux", "architecture": "amd64", "rootfs": {} });
    let config = push(&*here, "from/app", CONFIG, &stated.to_string().into()).await;
    let body = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config,
        "layers": [] });
    let image = put(&*here, "from/app", OCI_MANIFEST, &body).await;
    pair.options.platforms = vec!["linux/arm64".parse().unwrap()];
    let error = pair.copy(image.digest.clone(), &["1"]).await.unwrap_err();
    let text = "platform linux/arm64 (there is linux/amd64) does not exist at here";
    assert_eq!((error.side, error.source.to_string().as_str()), (Side::Source, text));
    assert!(pair.there.is_empty());
    pair.options.platforms.push("linux/amd64".parse().unwrap());
    let copied = pair.copy(image.digest.clone(), &["1"]).await.unwrap();
    assert_eq!(copied.root, image.descriptor());
}

#[tokio::test]
async fn an_image_that_states_no_platform_is_taken_as_it_is() {
    let (here, mut pair) = Pair::new();
    let image = image(&*here, "from/app", &[content("layer", 64)]).await;
    pair.options.platforms = vec!["linux/s390x".parse().unwrap()];
    let copied = pair.copy(image.digest.clone(), &[]).await.unwrap();
    assert_eq!(copied.root, image.descriptor());
}

#[tokio::test]
async fn nested_indexes_are_copied_and_searched() {
    let (here, mut pair) = Pair::new();
    let (inner, one, two) = two_platforms(&*here).await;
    let three = image(&*here, "from/app", &[content("three", 64)]).await;
    let outer =
        index(&*here, "from/app", &[json!(inner.descriptor()), child(&three, "linux/s390x")]).await;
    pair.copy(outer.digest.clone(), &["whole"]).await.unwrap();
    assert_bottom_up(&pair.destination.all_calls(), &[&one, &two, &three, &inner, &outer]);
    pair.options.platforms = vec!["linux/arm64".parse().unwrap()];
    assert_eq!(pair.copy(outer.digest.clone(), &[]).await.unwrap().root, two.descriptor());
    pair.options.platforms.push("linux/s390x".parse().unwrap());
    let copied = pair.copy(outer.digest.clone(), &["part"]).await.unwrap();
    let children = pair.there("part").await.unwrap().links().unwrap().manifests;
    let digests: Vec<_> = children.into_iter().map(|child| child.digest).collect();
    assert_eq!((copied.subset, digests), (true, vec![two.digest, three.digest]));
}

#[test]
fn platforms_read_as_they_print() {
    use outhaul::registry::Platform;
    for text in ["linux/amd64", "linux/arm/v7", "windows/amd64"] {
        assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
    }
    for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/arm//", "linux /amd64"] {
        assert!(text.parse::<Platform>().is_err(), "{text}");
    }
}
