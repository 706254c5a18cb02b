//! The chart as a part of another one.

use std::fs;
use std::path::Path;

use outhaul::app::{SecretValues, SecretsPolicy};
use outhaul::chart::{Chart, archive, build};
use serde_json::json;

use super::shop;
use crate::support::cluster::cluster;
use crate::support::helm::Helm;

const SHOP: &str = "shop-prod-shop-chart";

/// A parent in the helm's folder, of these dependencies and values.
fn parent(helm: &Helm, dependencies: &str, values: &str) {
    let parent = helm.folder().join("parent");
    fs::create_dir_all(parent.join("charts")).unwrap();
    fs::create_dir_all(parent.join("templates")).unwrap();
    let about =
        format!("apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n{dependencies}");
    fs::write(parent.join("Chart.yaml"), about).unwrap();
    fs::write(parent.join("values.yaml"), values).unwrap();
    let own = "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: parent\n";
    fs::write(parent.join("templates/own.yaml"), own).unwrap();
}

/// Puts a chart among the dependencies, as an archive.
fn vendor(helm: &Helm, chart: &Chart) {
    let file = format!("parent/charts/{}-{}.tgz", chart.name, chart.version);
    fs::write(helm.folder().join(file), archive(chart).tgz).unwrap();
}

/// Writes a chart as a folder beside the parent.
fn unpacked(folder: &Path, chart: &Chart) {
    for (path, bytes) in &chart.files {
        let file = folder.join(&chart.name).join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

const VALUES: &str = "\
global:
  imageRegistry: mirror.test
  imagePullSecrets: [of-all]
  other: {of: the parent}
shop:
  enabled: true
  imagePullSecrets: [of-all, of-one]
  workloads:
    api:
      replicas: 5
";

fn dependency(repository: &str) -> String {
    format!(
        "  - name: {SHOP}\n    version: 2026.105.5\n    alias: shop\n    \
         condition: shop.enabled\n{repository}"
    )
}

#[test]
fn a_parent_switches_it_and_passes_values_and_globals() {
    for helm in Helm::both() {
        parent(&helm, &dependency(""), VALUES);
        vendor(&helm, &shop::chart());
        helm.run(&["lint", "--strict", "--with-subcharts", "parent"]).ok();
        let on = helm.run(&["template", "x", "parent"]).ok().stdout;
        assert!(on.contains("image: mirror.test/shop-shop-image@sha256:"), "{on}");
        assert!(on.contains("replicas: 5\n"));
        let secrets = "imagePullSecrets:\n        - name: of-all\n        - name: of-one\n";
        assert_eq!(on.matches(secrets).count(), 3, "three pods at this depth");
        let off = helm.run(&["template", "x", "parent", "--set", "shop.enabled=false"]).ok();
        assert_eq!(off.stdout.matches("\nkind:").count(), 1, "{}", off.stdout);
        let misspelt = ["template", "x", "parent", "--set", "shop.workload.api.replicas=1"];
        assert!(helm.run(&misspelt).mentions("schema"));
        let renamed = ["template", "x", "parent", "--set", "shop.nameOverride=y"];
        assert!(helm.run(&renamed).mentions("nameOverride cannot be set"));
    }
}

#[test]
fn a_parent_shows_its_notes() {
    let mut app = shop::app();
    app.objects.retain(|object| object.kind() != "Backup"); // no cluster here knows it
    let chart = shop::plain_chart_of(&app);
    for helm in Helm::both() {
        let helm = helm.kubeconfig(cluster().kubeconfig("admin"));
        parent(&helm, &dependency(""), VALUES);
        vendor(&helm, &chart);
        let install = ["install", "x", "parent", "--dry-run=client", "--render-subchart-notes"];
        let output = helm.run(&install).ok().stdout;
        let (_, notes) = output.split_once("NOTES:\n").unwrap();
        assert!(
            notes.contains("Release x in namespace default is now shop 2026.105.5."),
            "{notes}"
        );
        assert!(notes.contains("  - shop-db (password, user)"), "{notes}");
    }
}

#[test]
fn a_parent_takes_it_from_a_folder() {
    for helm in Helm::both() {
        let repository = format!("    repository: file://../{SHOP}\n");
        parent(&helm, &dependency(&repository), VALUES);
        unpacked(helm.folder(), &shop::chart());
        helm.run(&["dependency", "update", "parent"]).ok();
        helm.run(&["lint", "--strict", "--with-subcharts", "parent"]).ok();
        let text = helm.run(&["package", "parent"]).ok().stdout;
        assert!(text.contains("parent-1.0.0.tgz"), "{text}");
        let text = helm.run(&["template", "x", "parent-1.0.0.tgz"]).ok().stdout;
        assert!(text.contains("image: mirror.test/shop-shop-image@sha256:"));
    }
}

#[test]
fn two_charts_under_one_parent_keep_their_helpers_apart() {
    let app = shop::app_of(json!([{"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "other", "labels": {"app.kubernetes.io/instance": "its own"}}}]));
    let none = SecretValues::default();
    let mut input = shop::input(&app, SecretsPolicy::Reference, &none);
    input.name = "shop".to_owned(); // a part of the other's name
    let other = build(&input).unwrap();
    for helm in Helm::both() {
        let dependencies = format!(
            "  - {{name: {SHOP}, version: 2026.105.5}}\n  - {{name: shop, version: 2026.105.5}}\n"
        );
        parent(&helm, &dependencies, "{}\n");
        vendor(&helm, &shop::chart());
        vendor(&helm, &other);
        helm.run(&["lint", "--strict", "--with-subcharts", "parent"]).ok();
        let text = helm.run(&["template", "x", "parent"]).ok().stdout;
        for document in text.split("---\n# Source: parent/charts/").skip(1) {
            let chart = document.split('/').next().unwrap();
            let own = document.contains("helm.sh/chart: mine-1");
            let label = format!("helm.sh/chart: {chart}-2026.105.5\n");
            assert!(own || document.contains(&label), "{document}");
        }
        assert_eq!(text.matches("app.kubernetes.io/instance: its own\n").count(), 1);
    }
}
