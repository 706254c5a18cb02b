//! Blobs: cut, wrong, lost, shared, dropped.

use super::*;

/// Events of one blob in short. How bytes are divided among events is a matter of time.
struct Diary {
    of: Digest,
    lines: Mutex<Vec<String>>,
    bytes: Mutex<u64>,
}

impl Progress for Diary {
    fn event(&self, event: Event<'_>) {
        let (of, line) = match event {
            Event::BlobStarted(blob) => (&blob.digest, "started".to_owned()),
            Event::BlobRestarted(digest) => (digest, "restarted".to_owned()),
            Event::BlobDone(blob, how) => (&blob.digest, format!("done {how:?}")),
            Event::BlobBytes(digest, bytes) if *digest == self.of => {
                *self.bytes.lock().unwrap() += bytes;
                return;
            }
            _ => return,
        };
        if *of == self.of {
            let bytes = std::mem::take(&mut *self.bytes.lock().unwrap());
            self.lines.lock().unwrap().push(format!("{bytes} bytes, {line}"));
        }
    }
}

#[tokio::test]
async fn a_second_copy_moves_nothing_and_writes_root_and_tags_again() {
    let (here, pair) = Pair::new();
    let (root, ..) = two_platforms(&*here).await;
    let first = pair.copy(root.digest.clone(), &["1"]).await.unwrap();
    pair.source.forget();
    pair.destination.forget();
    let second = pair.copy(root.digest.clone(), &["1"]).await.unwrap();
    assert_eq!(second.bytes_copied, 0);
    assert_eq!(second.bytes_present, first.bytes_copied);
    assert_eq!(second.blobs, 5);
    assert_eq!(pair.destination.calls("put"), [root.digest.to_string(), "1".to_owned()]);
    assert_eq!(pair.destination.calls("has").len() + pair.destination.calls("push").len(), 0);
    assert_eq!(pair.source.calls("get").len() + pair.source.calls("read").len(), 0);
}

#[tokio::test]
async fn what_a_clean_up_took_below_a_manifest_is_restored_on_demand() {
    let (here, mut pair) = Pair::new();
    let (root, one, _) = two_platforms(&*here).await;
    pair.copy(tag("1"), &["1"]).await.unwrap();
    let layer = one.links().unwrap().layers[1].clone();
    pair.there.lose_blob("to/app", &layer.digest);
    pair.options.verify_present = true;
    let copied = pair.copy(tag("1"), &["1"]).await.unwrap();
    assert_eq!(copied.bytes_copied, layer.size);
    assert!(pair.there.has_blob(&repository("to/app"), &layer).await.unwrap());
    // A child that is gone below an index that is there is noticed without being told.
    pair.options.verify_present = false;
    pair.there.lose_manifest("to/app", one.digest.as_str());
    pair.copy(root.digest.clone(), &["1"]).await.unwrap();
    assert_eq!(pair.there(one.digest.as_str()).await, Some(one));
}

#[tokio::test]
async fn a_cut_blob_is_begun_anew() {
    let (here, pair) = Pair::new();
    let image = image(&*here, "from/app", &[content("layer", 64)]).await;
    let layer = image.links().unwrap().layers[0].clone();
    pair.source.cut.lock().unwrap().insert(layer.digest.clone(), 2);
    let (lines, bytes) = Default::default();
    let diary = Diary { of: layer.digest.clone(), lines, bytes };
    let copied = pair.copy_watched(image.digest.clone(), &["1"], &diary).await.unwrap();
    assert_eq!(copied.blobs, 2);
    let reads = pair.source.calls("read");
    assert_eq!(reads.iter().filter(|read| **read == layer.digest.to_string()).count(), 3);
    let expected =
        ["0 bytes, started", "16 bytes, restarted", "16 bytes, restarted", "64 bytes, done Copied"];
    assert_eq!(diary.lines.into_inner().unwrap(), expected);
}

#[tokio::test]
async fn a_blob_that_is_always_cut_fails_at_the_source() {
    let (here, pair) = Pair::new();
    let image = image(&*here, "from/app", &[content("layer", 64)]).await;
    let layer = image.links().unwrap().layers[0].clone();
    pair.source.cut.lock().unwrap().insert(layer.digest.clone(), 99);
    let error = pair.copy(image.digest.clone(), &["1"]).await.unwrap_err();
    assert_eq!(error.side, Side::Source);
    assert!(matches!(error.source, Error::Cut { .. }), "{error:?}");
    let text = format!("cannot copy blob {} of from/app: the source failed", layer.digest);
    assert_eq!(error.to_string(), text);
    assert_eq!(pair.there("1").await, None);
}

#[tokio::test]
async fn a_destination_that_is_down_is_not_asked_over_and_over() {
    let (here, pair) = Pair::new();
    let image = image(&*here, "from/app", &[]).await;
    *pair.destination.down.lock().unwrap() = true;
    let error = pair.copy(image.digest.clone(), &["1"]).await.unwrap_err();
    assert_eq!(error.side, Side::Destination);
    assert_eq!(pair.destination.calls("push").len(), 1, "the store has tried often enough");
}

#[tokio::test]
async fn wrong_bytes_reach_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Arc::new(Layout::create(dir.path().join("layout")).unwrap());
    let (here, pair) = Pair::new();
    let image = image(&*here, "from/app", &[content("layer", 64)]).await;
    let layer = image.links().unwrap().layers[0].clone();
    pair.source.corrupt.lock().unwrap().insert(layer.digest.clone());
    let (from, to) = (located(&pair.source, "from/app"), located(&layout, "to/app"));
    let revision = image.digest.clone().into();
    let copied = copy(&from, &revision, &to, &[tag("1")], &pair.options, &Quiet).await;
    let error = copied.unwrap_err();
    assert_eq!(error.side, Side::Source);
    assert!(matches!(error.source, Error::DigestMismatch { .. }), "{error:?}");
    assert_eq!(layout.blob_size(&layer.digest).await.unwrap(), None);
    assert_eq!(layout.blob_size(&image.digest).await.unwrap(), None);
    assert_eq!(std::fs::read_dir(layout.dir()).unwrap().count(), 3, "no temporary file stays");
    assert_eq!(
        pair.source.calls("read").iter().filter(|r| **r == layer.digest.to_string()).count(),
        1
    );
}

#[tokio::test]
async fn content_that_the_destination_lost_is_sent_again_once() {
    let (here, pair) = Pair::new();
    let (root, ..) = two_platforms(&*here).await;
    pair.copy(tag("1"), &[]).await.unwrap();
    *pair.destination.refuse.lock().unwrap() = 1;
    pair.destination.forget();
    let copied = pair.copy(tag("1"), &["1"]).await.unwrap();
    assert_eq!(pair.destination.calls("push").len(), 5, "whatever it said it had");
    assert!(copied.bytes_copied > 250);
    assert_eq!(pair.there("1").await, Some(root.clone()));

    *pair.destination.refuse.lock().unwrap() = 9;
    let error = pair.copy(tag("1"), &["2"]).await.unwrap_err();
    assert_eq!(error.side, Side::Destination);
    assert!(matches!(error.source, Error::ContentMissing { .. }));
    assert_eq!(pair.there("2").await, None);
}

#[tokio::test]
async fn copies_at_the_same_time_move_each_digest_once() {
    let (here, pair) = Pair::new();
    let shared = content("shared", 4000);
    let copier = Copier::new(pair.destination.clone(), CopyOptions::default());
    let mut images = Vec::new();
    for name in ["from/a", "from/b", "from/c"] {
        images.push((name, image(&*here, name, &[shared.clone(), content(name, 50)]).await));
    }
    let copies = images.iter().map(|(name, image)| {
        let (source, copier) = (located(&pair.source, name), &copier);
        let (to, revision) = (repository(&name.replace("from", "to")), image.digest.clone().into());
        async move { copier.copy(&source, &revision, &to, &[tag("1")], &Quiet).await.unwrap() }
    });
    let copied: Vec<Copied> = futures_util::future::join_all(copies).await;
    let layer = blob(LAYER, &shared);
    let reads = pair.source.calls("read");
    assert_eq!(reads.iter().filter(|read| **read == layer.digest.to_string()).count(), 1);
    assert_eq!(copied.iter().map(|copied| copied.bytes_mounted).sum::<u64>(), 2 * layer.size);
    // The same image into one repository at once: the second finds all there.
    let (source, revision) =
        (located(&pair.source, "from/a"), Revision::from(images[0].1.digest.clone()));
    let to = repository("again");
    let one = copier.copy(&source, &revision, &to, &[], &Quiet);
    let two = copier.copy(&source, &revision, &to, &[], &Quiet);
    let (one, two) = tokio::join!(one, two);
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.bytes_mounted + two.bytes_mounted, one.bytes_present + two.bytes_present);
    assert_eq!(one.bytes_copied + two.bytes_copied, 0);
}

#[tokio::test]
async fn within_one_registry_blobs_are_mounted_from_the_source() {
    let registry = Memory::new("registry");
    let image = image(&*registry, "from/app", &[content("layer", 64)]).await;
    let spy = Spy::on(registry);
    let (source, destination) = (located(&spy, "from/app"), located(&spy, "to/app"));
    let options = CopyOptions::default();
    let revision = image.digest.into();
    let copied = copy(&source, &revision, &destination, &[], &options, &Quiet).await.unwrap();
    assert_eq!((copied.bytes_copied, copied.blobs), (0, 2));
    assert!(spy.calls("read").is_empty());
}

#[tokio::test]
async fn a_dropped_copy_leaves_neither_files_nor_locks() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Arc::new(Layout::create(dir.path().join("layout")).unwrap());
    let here = Memory::new("here");
    let image = image(&*here, "from/app", &[content("layer", 300_000)]).await;
    let copier = Copier::new(layout.clone(), CopyOptions::default());
    let (source, to) = (located(&here, "from/app"), repository("to/app"));
    let revision = Revision::from(image.digest.clone());
    let copying = copier.copy(&source, &revision, &to, &[], &Quiet);
    let cut = tokio::time::timeout(std::time::Duration::from_millis(5), copying).await;
    assert!(cut.is_err(), "300 kB in steps of 16 bytes take longer");
    assert_eq!(std::fs::read_dir(layout.dir()).unwrap().count(), 3);
    copier.copy(&source, &revision, &to, &[tag("1")], &Quiet).await.unwrap();
}
