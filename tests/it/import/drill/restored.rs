//! What comes up in the scratch namespace, and that it is gone afterwards.

use std::time::Duration;

use super::{Ground, Says, cluster, get, notes, scratch_namespaces};
use crate::support::block_on;
use crate::support::objects::get as object;
use crate::support::tools;

#[test]
fn an_export_comes_up_on_its_own_and_is_removed() {
    let mut ground = Ground::new(Says::Enforces);
    for helm in [tools::helm3(), tools::helm4()] {
        ground.site = ground.site.helm(helm);
        let done = ground.drill(&[]).ok();
        let drilled = done.json();
        assert_eq!((&drilled["ready"], &drilled["removed"]), (&true.into(), &true.into()));
        assert_eq!(drilled["egress"], "denied");
        let up = drilled["objects"].as_array().unwrap();
        let mut names: Vec<_> = up.iter().map(|of| of["object"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Deployment api", "Deployment web", "StatefulSet db"]);
        assert!(up.iter().all(|of| of["seconds"].is_u64()), "{up:?}");
        assert_eq!(notes(&drilled, "leftOut"), ["Ingress web: it would take traffic from outside"]);
        assert_eq!(notes(&drilled, "changed"), ["CronJob dump: suspended"]);
        assert_eq!(drilled["secrets"], serde_json::json!(["shop-credentials"]));
        assert!(!done.mentions("session-key") && !done.mentions("other"), "{done:?}");
        assert_eq!(scratch_namespaces(), [""; 0]);
        let namespace = drilled["namespace"].as_str().unwrap();
        assert!(object(cluster(), None, "v1", "Namespace", namespace).is_none());
    }
}

#[test]
fn what_is_kept_is_the_application_and_a_policy_and_no_probe() {
    let ground = Ground::new(Says::Enforces);
    let drilled = ground.drill(&["--keep", "--set", "workloads.api.replicas=3"]).ok().json();
    assert_eq!(drilled["removed"], false);
    let namespace = drilled["namespace"].as_str().unwrap();
    let there = |api_version: &str, kind: &str, name: &str| {
        object(cluster(), Some(namespace), api_version, kind, name)
    };
    assert_eq!(there("batch/v1", "CronJob", "dump").unwrap()["spec"]["suspend"], true);
    assert!(there("networking.k8s.io/v1", "Ingress", "web").is_none());
    assert_eq!(there("apps/v1", "Deployment", "api").unwrap()["spec"]["replicas"], 3);
    let config = there("v1", "ConfigMap", "shop-config").unwrap();
    let mail = config["data"]["order-mail.tmpl"].as_str().unwrap();
    assert!(mail.starts_with("Dear {{ .Customer.Name }},"), "{mail}");
    let policy = there("networking.k8s.io/v1", "NetworkPolicy", "outhaul-drill").unwrap();
    assert_eq!(policy["spec"]["policyTypes"], serde_json::json!(["Egress"]));
    let copied = there("v1", "Secret", "shop-credentials").unwrap();
    assert_eq!(copied["data"]["session-key"], "b3RoZXI=");
    let pods = block_on(get(&format!("/api/v1/namespaces/{namespace}/pods")));
    let names = pods["items"].as_array().unwrap().iter();
    let mut probes = names.filter_map(|pod| pod["metadata"]["name"].as_str());
    assert!(probes.all(|name| !name.starts_with("outhaul-probe")), "{pods}");

    // It is nobody's but who asked for it: the next drill names it, and no more.
    let next = ground.drill(&["--dry-run"]).ok().json();
    let kept = serde_json::json!([{"namespace": namespace, "state": "kept"}]);
    assert_eq!(next["leftovers"], kept);
    ground.drill(&[]).ok();
    assert_eq!(scratch_namespaces(), [namespace]);
    remove(namespace);
}

#[test]
fn what_a_killed_drill_left_is_removed_once_its_time_is_over() {
    let ground = Ground::new(Says::Enforces);
    for (name, expires) in [
        ("outhaul-drill-old", "2026-01-01T00:00:00Z"),
        ("outhaul-drill-new", "2999-01-01T00:00:00Z"),
    ] {
        cluster().apply(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}, labels: {{outhaul.dev/drill: 'true'}},
             annotations: {{outhaul.dev/drill-expires: '{expires}'}}}}}}"
        ));
    }
    let done = ground.drill(&[]).ok();
    let named = serde_json::json!([
        {"namespace": "outhaul-drill-new", "state": "inUse"},
        {"namespace": "outhaul-drill-old", "state": "abandoned"},
    ]);
    assert_eq!(done.json()["leftovers"], named);
    assert!(done.stderr.contains("removing namespace outhaul-drill-old of an earlier drill"));
    assert_eq!(scratch_namespaces(), ["outhaul-drill-new"]);
    remove("outhaul-drill-new");
}

/// Removes a namespace, and waits until no drill sees it any more.
fn remove(namespace: &str) {
    block_on(async {
        let client = cluster().client("admin").await;
        let path = format!("/api/v1/namespaces/{namespace}");
        let request = hyper::http::Request::delete(path).body(Vec::new()).unwrap();
        let _: serde_json::Value = client.request(request).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    });
    assert_eq!(scratch_namespaces(), [""; 0]);
}
