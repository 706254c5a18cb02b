//! From the cluster to a registry with TLS and a password, and back through helm 3 and 4.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shop::{Shop, status, version};
use crate::support::helm::Helm;
use crate::support::images::digest;

#[test]
fn helm_3_and_4_take_the_exported_shop() {
    let shop = Shop::named();
    let report = shop.export(&[]).ok();
    assert_eq!(status(&report), "exported");
    let chart = format!("oci://{}/{}", shop.destination.address(), shop.chart_repository());
    let empty = shop.namespace.cluster().namespace("empty");
    for helm in Helm::both() {
        let helm = helm
            .kubeconfig(shop.namespace.cluster().kubeconfig("admin"))
            .docker_config(&shop.destination.docker_config())
            .ca_file(shop.destination.ca_file());
        // helm reads the cluster's CA from the kubeconfig, and the registry's from this flag.
        let ca = shop.destination.ca_file().to_str().unwrap().to_owned();
        let version = version(&report);
        let tls = ["--ca-file", ca.as_str()];
        helm.run(&[&["pull", &chart, "--version", &version], &tls[..]].concat()).ok();
        let archive = format!("shop-shop-chart-{version}.tgz");
        helm.run(&["lint", "--strict", &archive]).ok();
        let rendered = helm.run(&["template", "anything", &archive]).ok();
        let images = images(&rendered.stdout);
        assert_eq!(images.len(), 3, "{images:?}");
        for image in images {
            check_image(&shop, &image);
        }
        helm.run(&["install", "back", &archive, "-n", empty.name(), "--dry-run=server"]).ok();
    }
}

/// Every image that the chart renders is pinned, is at the destination, and has the digest that
/// it had at the source.
fn check_image(shop: &Shop<'_>, image: &str) {
    let (repository, pinned) = image.split_once('@').expect("pinned by digest");
    let repository = repository.strip_prefix(&shop.destination.address()).unwrap();
    let bytes = shop.destination.target().manifest(&repository[1..], pinned).expect("it is there");
    assert_eq!(digest(&bytes), pinned);
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2, "both platforms");
    assert!(shop.images.iter().any(|(_, source)| source == pinned), "as at the source");
}

fn images(manifests: &str) -> BTreeSet<String> {
    let lines = manifests.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let lines = lines.chain(manifests.lines().filter_map(|l| l.trim().strip_prefix("- image: ")));
    lines.map(|image| image.trim_matches('"').to_owned()).collect()
}
