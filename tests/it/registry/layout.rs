//! An OCI image layout on disk.

use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use outhaul::registry::{Digest, Error, Layout, Manifest, Revision, Store as _};
use serde_json::{Value, json};

use super::fixture::*;

fn layout() -> (tempfile::TempDir, Arc<Layout>) {
    let dir = tempfile::tempdir().unwrap();
    let layout = Arc::new(Layout::create(dir.path().join("layout")).unwrap());
    (dir, layout)
}

fn index_json(layout: &Layout) -> Value {
    serde_json::from_slice(&fs::read(layout.dir().join("index.json")).unwrap()).unwrap()
}

fn names(layout: &Layout) -> Vec<Option<String>> {
    let index = index_json(layout);
    let name = |entry: &Value| {
        entry["annotations"]["org.opencontainers.image.ref.name"].as_str().map(str::to_owned)
    };
    index["manifests"].as_array().unwrap().iter().map(name).collect()
}

fn leftovers(layout: &Layout) -> Vec<String> {
    let entries = fs::read_dir(layout.dir()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !["blobs", "index.json", "oci-layout"].contains(&name.as_str())).collect()
}

#[tokio::test]
async fn what_is_written_is_an_image_layout_of_the_specification() {
    let (_dir, layout) = layout();
    let image = image(&*layout, "shop/web", &[content("layer", 40)]).await;
    put_tag(&*layout, "shop/web", "1.0", &image).await;
    let marker = fs::read_to_string(layout.dir().join("oci-layout")).unwrap();
    assert_eq!(marker, r#"{"imageLayoutVersion":"1.0.0"}"#);
    let index = index_json(&layout);
    assert_eq!(index["schemaVersion"], 2);
    let entry = &index["manifests"][0];
    assert_eq!(entry["digest"], json!(image.digest));
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], "shop/web:1.0");
    assert_eq!(entry["annotations"]["io.containerd.image.name"], "shop/web:1.0");
    let blob = layout.dir().join("blobs/sha256").join(image.digest.hex());
    assert_eq!(fs::read(blob).unwrap(), image.bytes);
    assert_eq!(leftovers(&layout), Vec::<String>::new());
}

#[tokio::test]
async fn tags_and_digests_lead_to_manifests_by_repository() {
    let (_dir, layout) = layout();
    let one = image(&*layout, "shop/web", &[content("one", 40)]).await;
    let two = image(&*layout, "shop/db", &[content("two", 40)]).await;
    put_tag(&*layout, "shop/web", "1", &one).await;
    put_tag(&*layout, "shop/db", "1", &two).await;
    put_tag(&*layout, "shop/db", "2", &two).await;
    let reopened = Layout::open(layout.dir()).unwrap();
    let at = |name, revision: Revision| {
        let reopened = reopened.clone();
        async move { reopened.manifest(&repository(name), &revision).await.unwrap() }
    };
    assert_eq!(at("shop/web", tag("1").into()).await, Some(one.clone()));
    assert_eq!(at("shop/db", tag("1").into()).await, Some(two.clone()));
    assert_eq!(at("shop/web", one.digest.clone().into()).await, Some(one));
    assert_eq!(at("shop/web", tag("2").into()).await, None);
    assert_eq!(at("shop/web", Digest::of(b"none").into()).await, None);
    let tags = reopened.tags(&repository("shop/db")).await.unwrap().unwrap();
    assert_eq!(tags, [tag("1"), tag("2")]);
    assert_eq!(reopened.tags(&repository("shop/none")).await.unwrap(), None);
    assert_eq!(
        reopened.repositories().await.unwrap(),
        [repository("shop/db"), repository("shop/web")]
    );
}

#[tokio::test]
async fn a_moved_tag_leaves_the_old_manifest_unnamed() {
    let (_dir, layout) = layout();
    let old = image(&*layout, "a", &[content("old", 40)]).await;
    let new = image(&*layout, "a", &[content("new", 40)]).await;
    put_tag(&*layout, "a", "latest", &old).await;
    put_tag(&*layout, "a", "latest", &new).await;
    assert_eq!(names(&layout), [None, Some("a:latest".to_owned())]);
    let index = index_json(&layout);
    assert_eq!(index["manifests"][0]["digest"], json!(old.digest));
    assert_eq!(index["manifests"][0]["size"], old.bytes.len());
    assert!(index["manifests"][0].get("annotations").is_none());
}

#[tokio::test]
async fn children_of_an_index_are_no_entries() {
    let (_dir, layout) = layout();
    let one = image(&*layout, "a", &[content("one", 40)]).await;
    let two = image(&*layout, "a", &[content("two", 40)]).await;
    assert_eq!(names(&layout).len(), 2);
    let root =
        index(&*layout, "a", &[child(&one, "linux/amd64"), child(&two, "linux/arm64")]).await;
    put_tag(&*layout, "a", "1", &root).await;
    assert_eq!(names(&layout), [Some("a:1".to_owned())]);
}

#[tokio::test]
async fn a_manifest_without_its_content_is_refused() {
    let (_dir, layout) = layout();
    let missing = blob(LAYER, b"missing");
    let body = json!({ "schemaVersion": 2, "layers": [missing] });
    let manifest = Manifest::new("application/vnd.oci.image.manifest.v1+json", body.to_string());
    let put = layout.put_manifest(&repository("a"), &tag("1").into(), &manifest).await;
    assert!(matches!(put, Err(Error::ContentMissing { .. })), "{put:?}");
    assert_eq!(names(&layout).len(), 0);
    // The same length at another digest is not the same content; nor is a blob that was cut.
    let pushed = push(&*layout, "a", LAYER, &Bytes::from("missing")).await;
    fs::write(layout.dir().join("blobs/sha256").join(pushed.digest.hex()), "miss").unwrap();
    assert!(!layout.has_blob(&repository("a"), &pushed).await.unwrap());
    let put = layout.put_manifest(&repository("a"), &tag("1").into(), &manifest).await;
    assert!(matches!(put, Err(Error::ContentMissing { .. })), "{put:?}");
}

#[tokio::test]
async fn wrong_bytes_leave_nothing() {
    let (_dir, layout) = layout();
    let mut writer = layout.writer(Digest::of(b"").hasher()).await.unwrap();
    writer.append(b"wrong").await.unwrap();
    assert_eq!(leftovers(&layout).len(), 1);
    let committed = writer.commit(&Digest::of(b"right")).await;
    assert!(matches!(committed, Err(Error::DigestMismatch { .. })), "{committed:?}");
    assert_eq!(leftovers(&layout), Vec::<String>::new());
    assert_eq!(fs::read_dir(layout.dir().join("blobs/sha256")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_disk_that_does_not_take_it_is_named_and_nothing_stays() {
    let (_dir, layout) = layout();
    // A full disk needs privileges to make; a file where the directory should be does not.
    fs::remove_dir(layout.dir().join("blobs/sha256")).unwrap();
    fs::write(layout.dir().join("blobs/sha256"), "").unwrap();
    let mut writer = layout.writer(Digest::of(b"").hasher()).await.unwrap();
    writer.append(b"content").await.unwrap();
    let committed = writer.commit(&Digest::of(b"content")).await;
    let Err(Error::File { path, .. }) = committed else { panic!("{committed:?}") };
    assert!(path.starts_with(layout.dir()), "{}", path.display());
    assert_eq!(leftovers(&layout), Vec::<String>::new());
}

#[tokio::test]
async fn damaged_manifests_are_noticed() {
    let (_dir, layout) = layout();
    let image = image(&*layout, "a", &[content("one", 40)]).await;
    put_tag(&*layout, "a", "1", &image).await;
    fs::write(layout.dir().join("blobs/sha256").join(image.digest.hex()), "{}").unwrap();
    let read = layout.manifest(&repository("a"), &tag("1").into()).await;
    assert!(matches!(read, Err(Error::DigestMismatch { .. })), "{read:?}");
}

#[tokio::test]
async fn writers_at_the_same_time_lose_no_entry() {
    let (_dir, layout) = layout();
    let image = image(&*layout, "a", &[content("one", 40)]).await;
    // A second handle stands for another process: it shares nothing but the files.
    let other = Arc::new(Layout::create(layout.dir()).unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (layout, image) = ([&layout, &other][number % 2].clone(), image.clone());
        tasks.spawn(async move { put_tag(&*layout, "a", &format!("t{number}"), &image).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(layout.tags(&repository("a")).await.unwrap().unwrap().len(), 40);
}

#[tokio::test]
async fn layouts_of_other_tools_are_read_and_their_fields_kept() {
    let (_dir, layout) = layout();
    let image = image(&*layout, "a", &[content("one", 40)]).await;
    let mut entry = json!(image.descriptor());
    entry["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
    entry["data"] = json!("e30=");
    let index = json!({ "schemaVersion": 2, "manifests": [entry], "future": [1] });
    fs::write(layout.dir().join("index.json"), index.to_string()).unwrap();
    let found = layout.manifest(&repository("any/name"), &tag("latest").into()).await.unwrap();
    assert_eq!(found.unwrap().digest, image.digest);
    put_tag(&*layout, "b", "1", &image).await;
    let kept = index_json(&layout);
    assert_eq!(kept["future"], json!([1]));
    assert!(kept["manifests"].as_array().unwrap().iter().any(|entry| entry["data"] == "e30="));
}

#[test]
fn what_is_no_layout_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("precious"), "").unwrap();
    let reason = |opened: Result<Layout, Error>| match opened {
        Err(Error::NotALayout { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(reason(Layout::create(dir.path())).contains("not empty"));
    assert!(reason(Layout::open(dir.path())).contains("oci-layout"));
    fs::write(dir.path().join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    assert!(reason(Layout::open(dir.path())).contains("2.0.0"));
    fs::remove_file(dir.path().join("oci-layout")).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn referrers_are_worked_out_from_subjects() {
    let (_dir, layout) = layout();
    let image = image(&*layout, "a", &[content("one", 40)]).await;
    put_tag(&*layout, "a", "1", &image).await;
    let signature = referrer(&*layout, "a", &image, "application/vnd.example.signature").await;
    let listed = layout.referrers(&repository("a"), &image.digest).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].digest, signature.digest);
    assert_eq!(listed[0].artifact_type.as_deref(), Some("application/vnd.example.signature"));
    assert!(layout.referrers(&repository("a"), &signature.digest).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_content_packs_to_the_same_bytes() {
    let mut archives = Vec::new();
    for order in [["one", "two"], ["two", "one"]] {
        let (dir, layout) = layout();
        for name in order {
            let image = image(&*layout, "a", &[content(name, 5000)]).await;
            put_tag(&*layout, "a", name, &image).await;
        }
        let file = dir.path().join("bundle.tar");
        layout.pack(&file).await.unwrap();
        archives.push(fs::read(file).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
    assert!(archives[0] == archives[1]);
    let mut archive = tar::Archive::new(&*archives[0]);
    let names: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|e| e.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names[..2], ["oci-layout", "index.json"]);
    assert_eq!(names.len(), 2 + 6);
    assert!(names[2..].is_sorted() && names[2].starts_with("blobs/sha256/"));
}

#[test]
fn an_archive_is_not_taken_for_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bundle.tar");
    fs::write(&file, "").unwrap();
    for opened in [Layout::open(&file), Layout::create(&file), Layout::scratch(&file)] {
        let error = opened.unwrap_err().to_string();
        let path = file.display();
        let text = format!(
            "{path} is not an OCI layout: it is a file; unpack it first: \
             mkdir bundle && tar -xf {path} -C bundle"
        );
        assert_eq!(error, text);
    }
}

#[tokio::test]
async fn a_directory_that_takes_no_files_is_named_without_a_temporary_name() {
    // Nobody can make a file there, not even root.
    let (_dir, layout) = layout();
    let error = layout.pack("/proc/bundle.tar".as_ref()).await.unwrap_err();
    let text = format!("{error} {:?}", std::error::Error::source(&error));
    assert!(matches!(error, Error::File { .. }), "{text}");
    assert!(text.starts_with("/proc: ") && !text.contains(".outhaul-"), "{text}");
}
