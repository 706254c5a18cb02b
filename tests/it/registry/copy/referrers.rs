//! What refers to an image goes along.

use super::*;

#[tokio::test]
async fn signatures_go_along_with_their_subject() {
    let (here, pair) = Pair::new();
    let (root, one, _) = two_platforms(&*here).await;
    let signature = referrer(&*here, "from/app", &root, "application/vnd.example.signature").await;
    let sbom = referrer(&*here, "from/app", &one, "application/vnd.example.sbom").await;
    let signed_sbom =
        referrer(&*here, "from/app", &sbom, "application/vnd.example.signature").await;
    for (subject, referrer) in [(&root, &signature), (&one, &sbom), (&sbom, &signed_sbom)] {
        let list = index(&*here, "from/app", &[json!(referrer.descriptor())]).await;
        put_tag(&*here, "from/app", &format!("sha256-{}", subject.digest.hex()), &list).await;
    }
    let cosign = image(&*here, "from/app", &[content("cosign", 90)]).await;
    let cosign_tag = format!("sha256-{}.sig", root.digest.hex());
    put_tag(&*here, "from/app", &cosign_tag, &cosign).await;

    let copied = pair.copy(tag("1"), &["1"]).await.unwrap();
    assert_eq!(copied.referrers, 4);
    let calls = pair.destination.all_calls();
    assert_bottom_up(&calls, &[&root, &signature, &sbom, &signed_sbom, &cosign]);
    assert_eq!(calls.last().unwrap(), &("put", "1".to_owned()));
    assert_eq!(pair.there(&cosign_tag).await, Some(cosign));
    for (subject, referrer) in [(&root, &signature), (&one, &sbom), (&sbom, &signed_sbom)] {
        let listed = pair.there.referrers(&repository("to/app"), &subject.digest).await.unwrap();
        assert_eq!(listed, [referrer.descriptor()]);
    }
    // Without them, nothing of the kind is even asked for.
    let (here, mut pair) = Pair::new();
    pair.options.signatures = false;
    two_platforms(&*here).await;
    pair.copy(tag("1"), &["1"]).await.unwrap();
    assert!(pair.source.calls("referrers").is_empty() && pair.source.calls("head").is_empty());
}

#[tokio::test]
async fn the_list_in_a_fallback_tag_is_extended_and_not_replaced() {
    let (here, pair) = Pair::new();
    let (root, ..) = two_platforms(&*here).await;
    let ours = referrer(&*here, "from/app", &root, "application/vnd.example.ours").await;
    let fallback = format!("sha256-{}", root.digest.hex());
    let list = index(&*here, "from/app", &[json!(ours.descriptor())]).await;
    put_tag(&*here, "from/app", &fallback, &list).await;
    let theirs = referrer(&*pair.there, "to/app", &root, "application/vnd.example.theirs").await;
    let list = index(&*pair.there, "to/app", &[json!(theirs.descriptor())]).await;
    put_tag(&*pair.there, "to/app", &fallback, &list).await;
    pair.copy(tag("1"), &["1"]).await.unwrap();
    let listed = pair.there.referrers(&repository("to/app"), &root.digest).await.unwrap();
    assert_eq!(listed, [theirs.descriptor(), ours.descriptor()]);
    // Again: the list is complete and stays untouched.
    pair.destination.forget();
    pair.copy(tag("1"), &["1"]).await.unwrap();
    assert!(!pair.destination.calls("put").contains(&fallback));
}

#[tokio::test]
async fn a_listed_referrer_that_is_gone_is_left_out() {
    let (here, pair) = Pair::new();
    let (root, ..) = two_platforms(&*here).await;
    let gone = referrer(&*here, "from/app", &root, "application/vnd.example.gone").await;
    let list = index(&*here, "from/app", &[json!(gone.descriptor())]).await;
    put_tag(&*here, "from/app", &format!("sha256-{}", root.digest.hex()), &list).await;
    here.lose_manifest("from/app", gone.digest.as_str());
    assert_eq!(pair.copy(tag("1"), &["1"]).await.unwrap().referrers, 0);
}

#[tokio::test]
async fn a_layout_lists_copied_signatures_without_a_fallback_tag() {
    let dir = tempfile::tempdir().unwrap();
    let from = Arc::new(Layout::create(dir.path().join("from")).unwrap());
    let to = Arc::new(Layout::create(dir.path().join("to")).unwrap());
    let (root, ..) = two_platforms(&*from).await;
    let signature = referrer(&*from, "from/app", &root, "application/vnd.example.signature").await;
    let (source, destination) = (located(&from, "from/app"), located(&to, "to/app"));
    let options = CopyOptions::default();
    copy(&source, &tag("1").into(), &destination, &[tag("1")], &options, &Quiet).await.unwrap();
    let listed = to.referrers(&repository("to/app"), &root.digest).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].digest, signature.digest);
    assert_eq!(to.tags(&repository("to/app")).await.unwrap().unwrap(), [tag("1")]);
}
