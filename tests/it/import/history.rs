//! A whole namespace, told from the registry alone.

use super::site::{NEEDS, Site};
use crate::support::faulty::Faulty;
use crate::support::images::MANIFEST;
use crate::support::outhaul::Outhaul;

const SETTINGS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {level: high}
";

#[test]
fn every_application_of_a_namespace_comes_back_and_one_that_fails_keeps_no_other() {
    let site = Site::new();
    let outhaul = site.outhaul("admin");
    outhaul.write("settings.yaml", SETTINGS);
    let to = format!("{}/team", site.registry.address());
    let export = ["app", "export", "settings", "--all", "-n", "shop", "--from", "settings.yaml"];
    outhaul.run(&[&export[..], &["-r", &to]].concat()).ok();
    let restore = |further: &[&str]| {
        let args = ["app", "import", "--all", "--from-history", &to, "-n", "shop", "-o", "json"];
        let into = ["--to-namespace", site.namespace.name()];
        outhaul.run(&[&args[..], &into, further].concat())
    };

    let planned = restore(&["--dry-run"]).exits(18).json();
    assert_eq!(planned["cluster"], "manifests");
    let apps = planned["apps"].as_array().unwrap();
    let releases: Vec<&str> =
        apps.iter().map(|app| app["plan"]["release"].as_str().unwrap()).collect();
    assert_eq!(releases, ["settings", "shop"]);
    assert!(site.namespace.get("v1", "ConfigMap", "settings").is_none(), "nothing is made");

    // The Secrets of `shop` are not there.
    let partly = restore(&[]).exits(18);
    assert!(partly.stderr.contains("1 of 2 applications were not restored: shop"), "{partly:?}");
    assert_eq!(partly.json()["apps"][0]["report"]["differences"]["changed"], serde_json::json!([]));
    assert_eq!(site.namespace.get("v1", "ConfigMap", "settings").unwrap()["data"]["level"], "high");
    assert!(site.namespace.get("apps/v1", "Deployment", "web").is_none());

    site.namespace.apply(NEEDS);
    let whole = restore(&["--set", "workloads.api.replicas=3"]);
    // The value is one of `shop` alone, and the schema of `settings` refuses it.
    assert!(whole.exits(18).stderr.contains("not restored: settings"));
    let whole = restore(&[]).ok().json();
    assert_eq!(whole["apps"][1]["report"]["action"], "upgrade");
    assert!(site.namespace.get("apps/v1", "Deployment", "web").is_some());

    restore(&["--before", "2019-12-31"]).exits(15);
    restore(&["--cluster", "another"]).exits(15);
    let by_name = restore(&["--chart", "shop-settings-chart"]).ok().json();
    assert_eq!(by_name["apps"].as_array().unwrap().len(), 1);
}

#[test]
fn what_differs_from_the_export_is_said_after_an_import() {
    let site = Site::new();
    site.namespace.apply(NEEDS);
    let done = site.import(&["--set", "workloads.api.replicas=3"]).ok().json();
    let changed = done["differences"]["changed"].as_array().unwrap();
    let api = changed.iter().find(|of| of["object"]["name"] == "api").unwrap();
    let field = &api["fields"][0];
    assert_eq!((&field["field"], &field["after"]), (&"spec.replicas".into(), &3.into()));
    // Without any value, helm would go on with those of the release.
    let same = site.import(&["--set", "workloads.api.replicas=2"]).ok().json();
    assert_eq!(same["differences"]["changed"], serde_json::json!([]), "{same}");
}

#[test]
fn exports_of_two_clusters_are_told_apart_by_name() {
    let site = Site::new();
    let to = format!("{}/team", site.registry.address());
    // The same as from another cluster, in a repository of its own.
    let (target, chart) = (site.registry.target(), "team/shop-shop-chart");
    let version = target.tags(chart).into_iter().find(|tag| !tag.contains('-')).unwrap();
    let manifest = String::from_utf8(target.manifest(chart, &version).unwrap()).unwrap();
    let blobs: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let other = manifest.replace("\"manifests/shop/shop\"", "\"other-uid/shop/shop\"");
    assert_ne!(other, manifest);
    crate::support::block_on(async {
        for digest in ["/config/digest", "/layers/0/digest"] {
            let blob = target.blob(chart, blobs.pointer(digest).unwrap().as_str().unwrap());
            target.push_blob("team/other-chart", &blob.unwrap()).await;
        }
        target.push_manifest("team/other-chart", &version, MANIFEST, other.as_bytes()).await;
    });
    let restore = |further: &[&str]| {
        let args = ["app", "import", "--all", "--from-history", &to, "-n", "shop", "--dry-run"];
        let into = ["--to-namespace", site.namespace.name(), "-o", "json"];
        site.outhaul("admin").run(&[&args[..], &into, further].concat())
    };
    let asked = restore(&[]).exits(2);
    assert!(
        asked.stderr.contains("exports of several clusters: manifests, other-uid"),
        "{asked:?}"
    );
    assert!(asked.stderr.contains("--cluster UID"), "{asked:?}");
    site.namespace.apply(NEEDS);
    for cluster in ["manifests", "other-uid"] {
        let planned = restore(&["--cluster", cluster]).ok().json();
        assert_eq!(
            (&planned["cluster"], planned["apps"].as_array().unwrap().len()),
            (&cluster.into(), 1)
        );
    }
}

#[test]
fn where_a_registry_lists_nothing_the_charts_are_named() {
    let (site, registry) = (Site::new(), Faulty::start());
    let outhaul = Outhaul::new();
    outhaul.write("settings.yaml", SETTINGS);
    let to = format!("{}/team", registry.address());
    let export = ["app", "export", "settings", "--all", "-n", "shop", "--from", "settings.yaml"];
    outhaul.run(&[&export[..], &["-r", &to]].concat()).ok();
    let restore = |further: &[&str]| {
        let args = ["app", "import", "--all", "--from-history", &to, "-n", "shop", "-o", "json"];
        let into = ["--to-namespace", site.namespace.name()];
        site.outhaul("admin").run(&[&args[..], &into, further].concat())
    };
    let asked = restore(&[]).exits(2);
    assert!(asked.stderr.contains("does not list its repositories"), "{asked:?}");
    assert!(asked.stderr.contains("--chart NAME"), "{asked:?}");
    assert!(site.namespace.get("v1", "ConfigMap", "settings").is_none(), "nothing is made");
    let named = restore(&["--chart", "shop-settings-chart"]).ok().json();
    assert_eq!(named["apps"][0]["report"]["release"], "settings", "{named:#}");
    assert_eq!(site.namespace.get("v1", "ConfigMap", "settings").unwrap()["data"]["level"], "high");
    restore(&["--chart", "none-chart"]).exits(15);
}
