//! The store of exports follows what happens, whatever becomes of its watch.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{Stream, StreamExt as _};
use outhaul::cluster::Live;
use outhaul::cluster::record::{CANCEL, Export, ExportStatus, ExportStore, Health, Phase, REQUEST};

use super::super::live::options;
use super::super::proxy::{Proxy, Seen, Verdict};
use super::{export, live, namespace, whole_status};
use crate::support::cluster::cluster_with_exports;

const EXPIRED: &str = r#"{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1",
    "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"}}"#;

fn is_list(seen: &Seen) -> bool {
    seen.path.contains("/exports?") && !is_watch(seen)
}

fn is_watch(seen: &Seen) -> bool {
    seen.path.contains("/exports?") && seen.path.contains("watch=true")
}

/// A store whose requests go through a proxy.
async fn store_through(
    hook: impl Fn(&Seen) -> Verdict + Send + Sync + 'static,
) -> (ExportStore, Proxy) {
    let proxy = Proxy::start(cluster_with_exports(), hook).await;
    let live = Live::connect(&options(proxy.kubeconfig("admin"))).await.unwrap();
    (live.watch_exports(&[]), proxy)
}

/// The next state that is as expected.
async fn until(
    mut changes: impl Stream<Item = Option<Arc<Export>>> + Unpin,
    is: impl Fn(Option<&Export>) -> bool,
) -> Option<Arc<Export>> {
    loop {
        let state = changes.next().await.expect("the store is there");
        if is(state.as_deref()) {
            return state;
        }
    }
}

async fn until_health(store: &ExportStore, is: impl Fn(&Health) -> bool) {
    let mut ticks = pin!(store.ticks());
    while !is(&store.health()) {
        ticks.next().await.expect("the store is there");
    }
}

#[tokio::test]
async fn a_store_sees_what_is_made_written_and_removed() {
    let (live, namespace) = (live().await, namespace());
    let name = namespace.name();
    let before = live.create_export(&export(&namespace, "before")).await.unwrap();
    let store = live.watch_exports(&[]);
    store.synced().await;
    assert_eq!(store.health(), Health::Synced);
    assert_eq!(store.get(name, "before").unwrap().uid(), before.uid());
    let mut changes = pin!(store.changes(name, "a"));
    assert_eq!(changes.next().await, Some(None));

    let asked = export(&namespace, "a").with_label(REQUEST, name);
    let made = live.create_export(&asked).await.unwrap();
    let seen = until(&mut changes, |of| of.is_some()).await.unwrap();
    assert_eq!((seen.uid(), seen.phase()), (made.uid(), None));
    let running: Vec<_> = store.running_with(name).iter().map(|of| of.name().to_owned()).collect();
    assert_eq!(running, ["a"]);

    live.patch_status(&made, &whole_status()).await.unwrap();
    let seen = until(&mut changes, |of| of.is_some_and(Export::is_terminal)).await.unwrap();
    assert_eq!(seen.status, Some(whole_status()));
    assert!(store.running_with(name).is_empty());
    live.annotate(&made, &[(CANCEL, "x")]).await.unwrap();
    until(&mut changes, |of| of.is_some_and(Export::is_cancelled)).await;

    live.delete_export(&made).await.unwrap();
    until(&mut changes, |of| of.is_none()).await;
    let here = store.list().into_iter().filter(|of| of.namespace() == name);
    assert_eq!(here.map(|of| of.name().to_owned()).collect::<Vec<_>>(), ["before"]);
}

#[tokio::test]
async fn a_history_that_is_too_short_is_no_fault() {
    let namespace = namespace();
    let first = AtomicBool::new(true);
    let (store, proxy) =
        store_through(move |seen| match is_watch(seen) && first.swap(false, Ordering::Relaxed) {
            true => Verdict::Answer(200, EXPIRED.replace('\n', "") + "\n"),
            false => Verdict::Pass,
        })
        .await;
    store.synced().await;
    let mut changes = pin!(store.changes(namespace.name(), "a"));
    live().await.create_export(&export(&namespace, "a")).await.unwrap();
    until(&mut changes, |of| of.is_some()).await;
    assert_eq!(store.health(), Health::Synced);
    let lists = proxy.log().iter().filter(|(_, path)| !path.contains("watch=true")).count();
    assert!(lists >= 2, "{:?}", proxy.log());
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_nothing_is_missed() {
    let (live, namespace) = (live().await, namespace());
    let (store, proxy) = store_through(|_| Verdict::Pass).await;
    store.synced().await;
    let mut changes = pin!(store.changes(namespace.name(), "a"));
    let mut kept = live.create_export(&export(&namespace, "a")).await.unwrap();
    let other = live.create_export(&export(&namespace, "b")).await.unwrap();
    let mut others = pin!(store.changes(namespace.name(), "b"));
    until(&mut others, |of| of.is_some()).await;
    for attempts in 1..=3 {
        proxy.cut();
        let status = ExportStatus { attempts, phase: Some(Phase::Running), ..Default::default() };
        kept = live.patch_status(&kept, &status).await.unwrap();
        until(&mut changes, |of| of.is_some_and(|of| of.status == Some(status.clone()))).await;
    }
    proxy.cut();
    live.delete_export(&other).await.unwrap();
    until(&mut others, |of| of.is_none()).await;
    assert_eq!(store.get(namespace.name(), "a").unwrap().version(), kept.version());
}

#[tokio::test]
async fn what_keeps_a_store_from_reading_is_said_and_it_goes_on_by_itself() {
    let unavailable = r#"{"kind": "Status", "status": "Failure", "code": 503, "message": "away"}"#;
    let absent = r#"{"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound",
        "message": "the server could not find the requested resource"}"#;
    let refused = r#"{"kind": "Status", "status": "Failure", "code": 403, "reason": "Forbidden",
        "message": "exports.outhaul.dev is forbidden"}"#;
    for (status, answer, word) in
        [(503, unavailable, "away"), (404, absent, ""), (403, refused, "forbidden")]
    {
        let open = Arc::new(AtomicBool::new(false));
        let is_open = Arc::clone(&open);
        let (store, _proxy) =
            store_through(move |seen| match is_list(seen) && !is_open.load(Ordering::Relaxed) {
                true => Verdict::Answer(status, answer.to_owned()),
                false => Verdict::Pass,
            })
            .await;
        assert_eq!(store.health(), Health::Starting);
        until_health(&store, |health| *health != Health::Starting).await;
        match store.health() {
            Health::Away(reason) if status != 404 => assert!(reason.contains(word), "{reason}"),
            other => assert_eq!((other, status), (Health::NotServed, 404)),
        }
        open.store(true, Ordering::Relaxed);
        store.synced().await;
        assert_eq!(store.health(), Health::Synced);
    }
}

#[tokio::test]
async fn streams_end_with_the_store() {
    let namespace = namespace();
    let store = live().await.watch_exports(&[]);
    store.synced().await;
    let (mut changes, mut ticks) =
        (pin!(store.changes(namespace.name(), "a")), pin!(store.ticks()));
    assert_eq!(changes.next().await, Some(None));
    let clone = store.clone();
    drop(store);
    live().await.create_export(&export(&namespace, "a")).await.unwrap();
    assert!(changes.next().await.unwrap().is_some());
    drop(clone);
    while ticks.next().await.is_some() {}
    while changes.next().await.is_some() {}
}

#[tokio::test]
async fn a_store_of_some_namespaces_knows_those_and_no_other() {
    let live = live().await;
    let (one, two, other) = (namespace(), namespace(), namespace());
    for namespace in [&one, &two, &other] {
        live.create_export(&export(namespace, "e")).await.unwrap();
    }
    let store = live.watch_exports(&[one.name().to_owned(), two.name().to_owned()]);
    store.synced().await;
    assert_eq!((store.list().len(), store.health()), (2, Health::Synced));
    assert_eq!(store.get(other.name(), "e"), None);
    let removed = store.get(one.name(), "e").unwrap();
    let changes = Box::pin(store.changes(one.name(), "e"));
    live.delete_export(&removed).await.unwrap();
    until(changes, |export| export.is_none()).await;
    assert!(store.get(two.name(), "e").is_some());
}
