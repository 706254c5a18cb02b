//! What operators see of exports: metrics, Events and the log. And what nobody sees.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::json;

use super::site::{API, Shop, Site, site, until};
use crate::export::shop::CANARIES;
use crate::support::server::Server;

/// Values of the server's own metrics, by name and labels as they are written.
pub(super) fn metrics(server: &Server) -> BTreeMap<String, f64> {
    let answer = server.metrics();
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let samples = answer.text.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// Reasons of the Events about objects of a kind, which name them all the same.
fn told(shop: &Shop<'_>, kind: &str, name: Option<&str>) -> Vec<String> {
    let mut events = shop.namespace.list("events.k8s.io/v1", "Event");
    events.retain(|event| {
        let regarding = &event["regarding"];
        regarding["kind"] == kind && name.is_none_or(|name| regarding["name"] == name)
    });
    let uids: BTreeSet<_> = events.iter().map(|event| event["regarding"]["uid"].as_str()).collect();
    assert!(uids.len() <= 1 && !uids.contains(&Some("")), "{events:#?}");
    events.sort_by_key(|event| event["eventTime"].as_str().unwrap().to_owned());
    events.iter().map(|event| event["reason"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn exports_are_counted_and_told_and_no_secret_with_them() {
    let (site, server) = site();
    let shop = site.shop();
    shop.grant_all(site);
    let before = metrics(server);
    shop.ask("one", &json!({}));
    let status = shop.finished(server, "one");
    assert_eq!(status["phase"], "Succeeded", "{status:#}");
    shop.ask("two", &json!({}));
    shop.finished(server, "two");
    shop.ask("lost", &json!({"destination": "nowhere"}));
    shop.finished(server, "lost");
    let of_root = ["ExportStarted", "ExportSucceeded", "ExportStarted", "ExportUnchanged"];
    for (kind, name, reasons) in [
        ("Export", Some("one"), &of_root[..2]),
        ("Export", Some("two"), &of_root[2..]),
        ("Export", Some("lost"), &["ExportStarted", "ExportFailed"]),
        ("Deployment", None, &of_root),
    ] {
        until("all is told", || told(&shop, kind, name) == reasons);
    }

    let after = metrics(server);
    let grown = |name: &str| {
        let at = |metrics: &BTreeMap<String, f64>| metrics.get(name).copied().unwrap_or(0.0);
        at(&after) - at(&before)
    };
    // Other tests export at the same time.
    for (result, reason) in
        [("exported", "Done"), ("unchanged", "Done"), ("failed", "DESTINATION_UNKNOWN")]
    {
        let name = format!("outhaul_exports_total{{result=\"{result}\",reason=\"{reason}\"}}");
        assert!(grown(&name) >= 1.0, "{name}: {after:#?}");
        let name = format!("outhaul_export_duration_seconds_count{{result=\"{result}\"}}");
        assert!(grown(&name) >= 1.0, "{name}: {after:#?}");
    }
    let copied = status["result"]["bytes"]["copied"].as_f64().unwrap();
    assert!(copied > 0.0 && grown("outhaul_bytes_total{how=\"copied\"}") >= copied);
    let namespace = shop.namespace.name();
    let success =
        format!("outhaul_last_success_timestamp_seconds{{namespace=\"{namespace}\",app=\"shop\"}}");
    assert!(after.contains_key(&success), "{after:#?}");
    assert_eq!(after["outhaul_leader"], 1.0);
    for name in ["outhaul_queue_length", "outhaul_exports_running"] {
        assert!(after.contains_key(name), "{name}");
    }

    let log = server.running().stderr();
    let uid = shop.record("one")["metadata"]["uid"].as_str().unwrap().to_owned();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(&uid)).collect();
    let has = |text: &str| lines.iter().any(|line| line.ends_with(text));
    assert!(has("begun") && has("finished"), "{lines:#?}");

    let records = json!(shop.namespace.list(API, "Export")).to_string();
    let events = json!(shop.namespace.list("events.k8s.io/v1", "Event")).to_string();
    for (what, text) in
        [("metrics", server.metrics().text), ("log", log), ("records", records), ("Events", events)]
    {
        for canary in CANARIES.iter().chain(&["s3cret"]) {
            assert!(!text.contains(canary), "{canary} is in the {what}");
        }
    }
}

#[test]
fn labels_of_requests_are_routes_and_words_of_ours() {
    let (_, server) = site();
    server.get("/healthz");
    for path in ["/v1/canary-1", "/canary-2", "/v1/namespaces/canary-3/apps"] {
        server.send(Method::GET, path, &[("authorization", "Bearer canary-4")], "");
    }
    let metrics = metrics(server);
    let requests = |route: &str, status: u16| {
        let name = format!("outhaul_http_requests_total{{route=\"{route}\",status=\"{status}\"}}");
        assert!(metrics.get(&name).is_some_and(|count| *count >= 1.0), "{name}: {metrics:#?}");
    };
    requests("/healthz", 200);
    requests("/v1/{*rest}", 401);
    requests("/v1/namespaces/{ns}/apps", 401);
    requests("-", 404);
    let auth = "outhaul_auth_total{kind=\"bearer\",result=\"token\"}";
    assert!(metrics[auth] >= 1.0, "{metrics:#?}");
    assert!(!server.metrics().text.contains("canary"));
}

#[test]
fn metrics_beside_the_api_are_for_those_who_may() {
    let (site, server) = site();
    let namespace = site.cluster.namespace("scraper");
    namespace.apply(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: prometheus}\n---\n\
         apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other}\n",
    );
    let role = format!("scraper-{}", namespace.name());
    let rbac = "rbac.authorization.k8s.io";
    for object in [
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": {"name": role},
            "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}),
        json!({"apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": role},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "prometheus",
                "namespace": namespace.name()}]}),
    ] {
        site.cluster.apply(&object.to_string());
    }
    let user = format!("system:serviceaccount:{}:prometheus", namespace.name());
    let path = json!({"verb": "get", "path": "/metrics"});
    until("the right is seen", || site.allows(&user, &[], &path));
    let get = |account: &str| {
        let token = format!("Bearer {}", namespace.token(account, Some("outhaul.dev")));
        server.send(Method::GET, "/metrics", &[("authorization", &token)], "")
    };
    assert!(get("prometheus").text.contains("outhaul_leader"));
    get("other").problem(403, "FORBIDDEN");
    server.get("/metrics").problem(401, "UNAUTHENTICATED");
}

#[test]
fn the_leader_says_which_destinations_work() {
    let site = Site::start();
    let shop = site.shop();
    let broken = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "broken", "labels": {"outhaul.dev/destination": "true"}},
        "stringData": {".dockerconfigjson":
            "{\"auths\": {\"127.0.0.1:1\": {\"username\": \"a\", \"password\": \"b\"}}}"}});
    site.system().apply(&broken.to_string());
    let server = site.serve("only", &[]);
    let up = |metrics: &BTreeMap<String, f64>, name: &str| {
        metrics.get(&format!("outhaul_destination_up{{destination=\"{name}\"}}")).copied()
    };
    server.running().wait_for("the destinations are told", |_, _| {
        let metrics = metrics(&server);
        let works = up(&metrics, shop.namespace.name())?;
        assert_eq!((works, up(&metrics, "broken")), (1.0, Some(0.0)));
        Some(())
    });
}
