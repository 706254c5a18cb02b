//! Pages, throttles and broken answers.

use std::time::{Duration, Instant};

use outhaul::cluster::{Error, SecretRead};

use super::live::{ids, read};
use super::proxy::{Proxy, Seen, Verdict};
use crate::support::cluster::cluster;
use crate::support::objects::Namespace;

fn some_config_maps() -> Namespace<'static> {
    let namespace = cluster().namespace("faults");
    for name in ["a", "b", "c", "d", "e"] {
        namespace.apply(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"));
    }
    namespace
}

fn is_list(seen: &Seen, plural: &str) -> bool {
    !seen.metadata && seen.path.contains(&format!("/{plural}?"))
}

async fn read_through(
    namespace: &Namespace<'_>,
    hook: impl Fn(&Seen) -> Verdict + Send + Sync + 'static,
) -> (Result<outhaul::app::Snapshot, Error>, Proxy) {
    let proxy = Proxy::start(cluster(), hook).await;
    let snapshot = read(proxy.kubeconfig("admin"), namespace.name(), SecretRead::Nothing).await;
    (snapshot, proxy)
}

#[tokio::test]
async fn pages_are_put_together() {
    let namespace = some_config_maps();
    let small = |seen: &Seen| Verdict::Rewrite(seen.path.replace("limit=500", "limit=2"));
    let (snapshot, proxy) = read_through(&namespace, small).await;
    let name = namespace.name();
    let mut expected = vec![format!("Namespace {name}")];
    expected.extend(["a", "b", "c", "d", "e"].map(|n| format!("ConfigMap {name}/{n}")));
    assert_eq!(ids(&snapshot.unwrap()), expected);
    let pages = proxy.log().into_iter().filter(|(_, path)| path.contains("/configmaps?"));
    assert_eq!(pages.count(), 6, "three pages of objects, three of metadata");
}

#[tokio::test]
async fn an_expired_page_begins_the_list_again_once() {
    let namespace = some_config_maps();
    let expiring = |times: usize| {
        let left = std::sync::Mutex::new(times);
        move |seen: &Seen| {
            let mut left = left.lock().unwrap();
            if seen.path.contains("continue=") && *left > 0 {
                *left -= 1;
                return Verdict::Answer(410, r#"{"message": "too old"}"#.to_owned());
            }
            Verdict::Rewrite(seen.path.replace("limit=500", "limit=2"))
        }
    };
    let (snapshot, _) = read_through(&namespace, expiring(1)).await;
    assert_eq!(snapshot.unwrap().objects.len(), 6);
    let (error, _) = read_through(&namespace, expiring(9)).await;
    assert!(matches!(error.unwrap_err(), Error::Api { status: 410, .. }));
}

#[tokio::test]
async fn a_passing_fault_is_waited_out() {
    let namespace = some_config_maps();
    for (status, least) in [(429, Duration::from_secs(1)), (503, Duration::ZERO)] {
        let started = Instant::now();
        let (snapshot, _) = read_through(&namespace, move |seen| match seen.before {
            0 if is_list(seen, "configmaps") && status == 429 => Verdict::Later(status, 1),
            0 if is_list(seen, "configmaps") => Verdict::Answer(status, String::new()),
            _ => Verdict::Pass,
        })
        .await;
        assert_eq!(snapshot.unwrap().objects.len(), 6);
        assert!(started.elapsed() >= least);
    }
}

#[tokio::test]
async fn a_lasting_fault_is_told_within_seconds() {
    let namespace = some_config_maps();
    let started = Instant::now();
    let (error, proxy) = read_through(&namespace, |seen| {
        let down = r#"{"kind": "Status", "message": "etcd is\n  away"}"#;
        if is_list(seen, "pods") { Verdict::Answer(500, down.to_owned()) } else { Verdict::Pass }
    })
    .await;
    let (name, url) = (namespace.name(), proxy.url());
    let expected = format!(
        "the cluster at {url} answered 500 to /api/v1/namespaces/{name}/pods: etcd is away"
    );
    assert_eq!(error.unwrap_err().to_string(), expected);
    assert!(started.elapsed() < Duration::from_secs(10));
    let tries = proxy.log().into_iter().filter(|(_, path)| path.contains("/pods?")).count();
    assert_eq!(tries, 3);
}

#[tokio::test]
async fn what_is_no_json_is_not_quoted() {
    let namespace = some_config_maps();
    for answer in ["canary", r#"{"items": [{"metadata": "canary"}]}"#, r#"{"items": "canary"}"#] {
        let (error, _) = read_through(&namespace, move |seen| match is_list(seen, "configmaps") {
            true => Verdict::Answer(200, answer.to_owned()),
            false => Verdict::Pass,
        })
        .await;
        let error = error.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn the_api_of_an_add_on_may_be_broken() {
    let namespace = some_config_maps();
    let (snapshot, _) = read_through(&namespace, |seen| match seen.path.as_str() {
        "/apis" => Verdict::Answer(
            200,
            r#"{"kind": "APIGroupDiscoveryList", "items": [
                {"metadata": {"name": "gone.example.org"},
                 "versions": [{"version": "v1", "freshness": "Stale"}]},
                {"metadata": {"name": "ill.example.org"}, "versions": [{"version": "v1", "resources": [
                    {"resource": "things", "scope": "Namespaced", "verbs": ["list"],
                     "responseKind": {"kind": "Thing"}}]}]}]}"#
                .to_owned(),
        ),
        path if path.starts_with("/apis/ill.example.org/") => {
            Verdict::Answer(500, r#"{"message": "conversion webhook failed"}"#.to_owned())
        }
        _ => Verdict::Pass,
    })
    .await;
    let snapshot = snapshot.unwrap();
    let unreadable: Vec<_> =
        snapshot.unreadable.iter().map(|u| format!("{}: {}", u.resource, u.reason)).collect();
    assert_eq!(
        unreadable,
        [
            "*.gone.example.org: the API server of this group does not answer",
            "things.ill.example.org: conversion webhook failed",
        ]
    );
    assert_eq!(snapshot.objects.len(), 6);
}

#[tokio::test]
async fn a_cluster_without_aggregated_discovery_is_too_old() {
    let namespace = some_config_maps();
    let (error, _) = read_through(&namespace, |seen| match seen.path.as_str() {
        "/api" => Verdict::Answer(200, r#"{"kind": "APIVersions", "versions": ["v1"]}"#.to_owned()),
        _ => Verdict::Pass,
    })
    .await;
    assert!(error.unwrap_err().to_string().contains("aggregated discovery"));
}
