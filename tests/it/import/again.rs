//! The full circle: out of one cluster, into another, and out of that.

use serde_json::Value;

use super::site::{CLASS, NEEDS, missing};
use crate::export::shop::{Shop, codes, status};
use crate::support::cluster::cluster_with_controllers;
use crate::support::outhaul::Outhaul;
use crate::support::tools;

#[test]
fn an_export_of_an_imported_export_is_unchanged() {
    for helm in [tools::helm3(), tools::helm4()] {
        let shop = Shop::start();
        let first = shop.export(&[]).ok().json();
        let (cluster, name) = (cluster_with_controllers(), shop.namespace.name());
        cluster.apply(CLASS);
        let place = cluster.named_namespace(name);
        place.apply(NEEDS);
        let outhaul = Outhaul::new()
            .kubeconfig(cluster.kubeconfig("admin"))
            .env("HELM", helm)
            .docker_config(&shop.destination.docker_config());
        let (address, ca) = (shop.destination.address(), shop.destination.ca_file());
        let (to, chart) =
            (format!("{address}/backups"), format!("{address}/{}", shop.chart_repository()));
        let run = |args: &[&str]| {
            let access = ["-n", name, "--ca-file", ca.to_str().unwrap(), "-o", "json"];
            outhaul.run(&[args, &access].concat())
        };
        run(&["app", "import", &chart]).ok();

        run(&["app", "diff", "shop", &chart]).ok();
        let foreign = run(&["app", "export", "shop", "-r", &to]).exits(11);
        assert!(foreign.stderr.contains("--adopt"), "{foreign:?}");
        let again = run(&["app", "export", "shop", "-r", &to, "--adopt"]).ok();
        assert_eq!(again.json()["chart"]["content"], first["chart"]["content"]);
        assert_eq!(again.json()["bytes"]["copied"], 0);
        assert!(!codes(&again.json()).contains(&"IMAGE_DRIFT"), "{again:?}");

        // It is at home here now.
        assert_eq!(status(&run(&["app", "export", "shop", "-r", &to]).ok()), "unchanged");

        // Its own changes are its own versions, under the names that values files have.
        place.apply(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: shop-config}, data: {CURRENCY: CHF}}",
        );
        let changed = run(&["app", "export", "shop", "-r", &to]).ok();
        assert_eq!(status(&changed), "exported");
        let images = |report: &Value| {
            let all = report["images"].as_array().unwrap().iter();
            let named = |image: &Value| ["key", "written", "tags"].map(|key| image[key].clone());
            all.map(named).collect::<Vec<_>>()
        };
        assert_eq!(images(&changed.json()), images(&first));
        assert_eq!(status(&run(&["app", "export", "shop", "-r", &to]).ok()), "unchanged");
        let plan = run(&["app", "import", &chart, "--dry-run", "--release", "other"]).exits(18);
        assert!(!missing(&plan.json(), "conflict").is_empty());
    }
}
