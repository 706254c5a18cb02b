//! The full circle: out of one cluster, into another, and out of that.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::site::{CLASS, NEEDS, missing};
use crate::export::jobs::{finish, migrate};
use crate::export::shop::{Shop, codes, status};
use crate::support::cluster::cluster_with_controllers;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::tools;

/// The example, exported, and a namespace of the same name on another cluster.
struct Circle {
    shop: Shop<'static>,
    first: Value,
    place: Namespace<'static>,
    outhaul: Outhaul,
    /// The address of the chart.
    chart: String,
}

impl Circle {
    /// Exports with these flags; installs with this helm.
    fn of(shop: Shop<'static>, helm: &Path, flags: &[&str]) -> Self {
        let first = shop.export(flags).ok().json();
        let cluster = cluster_with_controllers();
        cluster.apply(CLASS);
        let place = cluster.named_namespace(shop.namespace.name());
        let outhaul = Outhaul::new()
            .kubeconfig(cluster.kubeconfig("admin"))
            .env("HELM", helm)
            .docker_config(&shop.destination.docker_config());
        let chart = format!("{}/{}", shop.destination.address(), shop.chart_repository());
        Self { shop, first, place, outhaul, chart }
    }

    /// `outhaul ARGS… -n NAMESPACE -o json` there.
    fn run(&self, args: &[&str]) -> Output {
        let ca = self.shop.destination.ca_file();
        let access = ["-n", self.place.name(), "--ca-file", ca.to_str().unwrap(), "-o", "json"];
        self.outhaul.run(&[args, &access].concat())
    }

    fn import(&self, further: &[&str]) -> Output {
        self.run(&[&["app", "import", &self.chart], further].concat())
    }

    /// Exports from there.
    fn export(&self, args: &[&str]) -> Output {
        let to = format!("{}/backups", self.shop.destination.address());
        self.run(&[&["app", "export", "-r", &to], args].concat())
    }

    fn content(&self) -> &Value {
        &self.first["chart"]["content"]
    }
}

#[test]
fn an_export_of_an_imported_export_is_unchanged() {
    for helm in [tools::helm3(), tools::helm4()] {
        let circle = Circle::of(Shop::start(), helm, &[]);
        let first = &circle.first;
        circle.place.apply(NEEDS);
        circle.import(&[]).ok();

        circle.run(&["app", "diff", "shop", &circle.chart]).ok();
        let foreign = circle.export(&["shop"]).exits(11);
        assert!(foreign.stderr.contains("--adopt"), "{foreign:?}");
        let again = circle.export(&["shop", "--adopt"]).ok();
        assert_eq!(again.json()["chart"]["content"], *circle.content());
        assert_eq!(again.json()["bytes"]["copied"], 0);
        assert!(!codes(&again.json()).contains(&"IMAGE_DRIFT"), "{again:?}");

        // It is at home here now, whichever way it is read.
        assert_eq!(status(&circle.export(&["shop"]).ok()), "unchanged");
        let all = circle.export(&["--all-apps"]).ok().json();
        assert_eq!(all["apps"][0]["report"]["status"], "unchanged", "{all:#}");
        let saved = circle.outhaul.home().join("snapshot.json");
        let saved = saved.to_str().unwrap();
        let place = circle.place.name();
        circle.outhaul.run(&["app", "show", "shop", "-n", place, "--save-snapshot", saved]).ok();
        assert_eq!(status(&circle.export(&["shop", "--from", saved]).ok()), "unchanged");

        // Its own changes are its own versions, under the names that values files have.
        circle.place.apply(
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: shop-config}, data: {CURRENCY: CHF}}",
        );
        let changed = circle.export(&["shop"]).ok();
        assert_eq!(status(&changed), "exported");
        let images = |report: &Value| {
            let all = report["images"].as_array().unwrap().iter();
            let named = |image: &Value| ["key", "written", "tags"].map(|key| image[key].clone());
            all.map(named).collect::<Vec<_>>()
        };
        assert_eq!(images(&changed.json()), images(first));
        assert_eq!(status(&circle.export(&["shop"]).ok()), "unchanged");
        let plan = circle.import(&["--dry-run", "--release", "other"]).exits(18);
        assert!(!missing(&plan.json(), "conflict").is_empty());
    }
}

/// Helm annotates no hook, and waits for each.
#[test]
fn jobs_that_became_hooks_are_the_jobs_that_they_were() {
    let shop = Shop::start();
    migrate(&shop);
    let circle = Circle::of(shop, tools::helm4(), &["--jobs", "hook"]);
    circle.place.apply(NEEDS);
    std::thread::scope(|scope| {
        let import = scope.spawn(|| circle.import(&["--timeout", "60s"]));
        while !import.is_finished() {
            finish(&circle.place);
            std::thread::sleep(Duration::from_millis(50));
        }
        import.join().unwrap().ok();
    });
    let again = circle.export(&["shop", "--adopt", "--jobs", "hook"]).ok().json();
    assert_eq!(again["chart"]["content"], *circle.content());
    assert!(!codes(&again).contains(&"HELM_HOOK_SKIPPED"), "{again:#}");
}

/// Of encrypted values nothing tells whether they are the same but who has the identity.
#[test]
fn secrets_that_a_chart_makes_are_the_secrets_that_it_was_made_of() {
    let given = json!({"secrets": {
        "shop-credentials": {"data": {"db-password": "a", "session-key": "b"}},
        "shop-tls": {"data": {"tls.crt": "c", "tls.key": "d"}}}});
    for (helm, policy) in [(tools::helm3(), "require"), (tools::helm4(), "include")] {
        let flags = ["--secrets", policy];
        let circle = Circle::of(Shop::start(), helm, &flags);
        circle.outhaul.write("given.yaml", given.to_string());
        let values: &[&str] = if policy == "require" { &["-f", "given.yaml"] } else { &[] };
        circle.import(values).ok();
        let again = circle.export(&[&["shop", "--adopt"], &flags[..]].concat()).ok();
        assert_eq!(again.json()["chart"]["content"], *circle.content(), "{policy}");
    }
}
