//! Identity, versions, and what counts as unchanged.

use std::collections::BTreeSet;

use super::shop::{Shop, codes, status, version, versions};
use crate::support::cluster::Cluster;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

#[test]
fn an_unchanged_application_is_not_pushed_and_a_changed_config_moves_no_image() {
    let shop = Shop::start();
    let first = shop.export(&[]).ok();
    shop.destination.clear_log();
    let second = shop.export(&[]).ok();
    assert_eq!((status(&second).as_str(), version(&second)), ("unchanged", version(&first)));
    assert_eq!(shop.destination.requests(&["POST", "PUT", "PATCH"]), []);

    shop.set_currency("USD");
    shop.destination.clear_log();
    let third = shop.export(&[]).ok();
    assert_eq!(status(&third), "exported");
    assert_ne!(version(&third), version(&first));
    assert_eq!(third.json()["bytes"]["copied"], 0);
    let uploads = shop.destination.requests(&["POST", "PATCH"]);
    let images = format!("/v2/{}/", shop.image_repository());
    assert!(uploads.iter().all(|line| !line.path.starts_with(&images)), "{uploads:?}");
    assert_eq!(versions(&shop).len(), 2);
}

/// It happens each hour, for each application. Children of an index are asked for as well: clean-ups of
/// untagged manifests take them and leave the index.
#[test]
fn an_unchanged_export_asks_for_tags_a_chart_and_each_manifest_once() {
    let shop = Shop::start();
    shop.export(&[]).ok();
    shop.destination.clear_log();
    shop.sources.clear_log();
    assert_eq!(status(&shop.export(&[]).ok()), "unchanged");
    let gets = shop.destination.requests(&["GET"]);
    assert!(gets.len() <= 3, "a challenge, the tags and a chart, not {gets:#?}");
    let heads = shop.destination.requests(&["HEAD"]);
    let asked: BTreeSet<_> = heads.iter().map(|line| &line.path).collect();
    assert_eq!(heads.len(), asked.len(), "{heads:#?}");
    let children = 2; // of each image's index
    assert_eq!(asked.len(), shop.images.len() * (1 + children));
    let read = shop.sources.requests(&["GET", "HEAD"]);
    assert!(read.len() <= 1 + shop.images.len(), "{read:#?}");
    assert_eq!(shop.destination.requests(&["POST", "PUT", "PATCH", "DELETE"]), []);
}

#[test]
fn there_and_back_again_makes_three_versions() {
    let shop = Shop::start();
    for currency in ["EUR", "USD", "EUR"] {
        shop.set_currency(currency);
        assert_eq!(status(&shop.export(&[]).ok()), "exported", "{currency}");
    }
    assert_eq!(versions(&shop).len(), 3);
}

#[test]
fn an_image_deleted_behind_our_back_is_restored() {
    let shop = Shop::start();
    let first = shop.export(&[]).ok();
    let (_, digest) = &shop.images[1];
    shop.destination.target().delete_manifest(&shop.image_repository(), digest);
    let second = shop.export(&[]).ok();
    assert_eq!((status(&second).as_str(), version(&second)), ("restored", version(&first)));
    assert!(codes(&second.json()).contains(&"IMAGE_RESTORED"));
    let restored = shop.destination.target().manifest(&shop.image_repository(), digest);
    assert!(restored.is_some());
    assert_eq!(versions(&shop).len(), 1);
    assert_eq!(status(&shop.export(&[]).ok()), "unchanged");
}

/// Who cleans up must know every chart repository to ask before an image goes, at every moment.
#[test]
fn a_repository_of_images_says_whose_charts_need_it_before_it_has_any() {
    let shop = Shop::start();
    let (target, images) = (shop.destination.target(), shop.image_repository());
    let owners = || {
        let tags = target.tags(&images).into_iter().filter(|tag| tag.starts_with("outhaul-owner-"));
        let named = tags.map(|tag| {
            let manifest = target.manifest(&images, &tag).unwrap();
            let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
            assert_eq!(manifest["artifactType"], "application/vnd.outhaul.owner.v1+json");
            manifest["annotations"]["dev.outhaul.chart-repository"].as_str().unwrap().to_owned()
        });
        let mut named: Vec<String> = named.collect();
        named.sort();
        named
    };
    shop.destination.clear_log();
    shop.export(&[]).ok();
    let first = shop.destination.requests(&["PUT"]);
    let first = first.iter().find(|line| line.path.contains("/manifests/")).unwrap();
    assert!(first.path.starts_with(&format!("/v2/{images}/manifests/outhaul-owner-")), "{first:?}");
    assert_eq!(owners(), [shop.chart_repository()]);

    let name = images.strip_prefix("backups/").unwrap();
    shop.export(&["--chart-name", "another", "--image-name", name]).ok();
    assert_eq!(owners(), ["backups/another".to_owned(), shop.chart_repository()]);
}

#[test]
fn another_cluster_is_refused_until_it_adopts() {
    let shop = Shop::start();
    shop.export(&[]).ok();
    let other = Cluster::start();
    let namespace = other.named_namespace(shop.namespace.name());
    namespace.apply(&super::shop::manifests(&shop.sources));
    let system = other.named_namespace("outhaul-system");
    super::shop::declare(&system, &shop.destination);
    let outhaul = Outhaul::new().kubeconfig(other.kubeconfig("admin"));
    let args = ["app", "export", "shop", "-n", namespace.name(), "-r", "team"];
    let refused = outhaul.run(&args).exits(11);
    assert!(refused.stderr.contains("another origin") && refused.stderr.contains("--adopt"));
    assert_eq!(versions(&shop).len(), 1);
    outhaul.run(&[&args[..], &["--adopt"]].concat()).ok();
    assert_eq!(versions(&shop).len(), 2);
    // Now it is the first one's turn to be refused.
    shop.export(&[]).exits(11);
}

#[test]
fn one_snapshot_makes_the_same_bytes_in_two_processes() {
    let shop = Shop::start();
    let outhaul = shop.outhaul();
    let show = ["app", "show", "shop", "-n", shop.namespace.name(), "--save-snapshot", "shop.json"];
    outhaul.run(&show).ok();
    let digests = ["one", "two"].map(|directory| {
        let args = ["app", "export", "shop", "--from", "shop.json", "--to", directory];
        outhaul.run(&[&args[..], &["-o", "json"]].concat()).ok().json()["chart"].clone()
    });
    assert_eq!(digests[0]["digest"], digests[1]["digest"]);
    assert_eq!(digests[0]["version"], digests[1]["version"]);
}

/// A snapshot that was saved without the cluster's identity made all clusters one.
#[test]
fn a_saved_snapshot_is_still_the_clusters() {
    let shop = Shop::start();
    let outhaul = shop.outhaul();
    let show = ["app", "show", "shop", "-n", shop.namespace.name(), "--save-snapshot", "s.json"];
    outhaul.run(&show).ok();
    let args = ["app", "export", "shop", "--from", "s.json", "--to", "out", "-o", "json"];
    let saved = outhaul.run(&args).ok().json()["origin"].clone();
    assert_eq!(saved, shop.export(&[]).ok().json()["origin"]);
    assert!(!saved.as_str().unwrap().starts_with("unknown"), "{saved}");
}

#[test]
fn a_version_with_other_content_is_never_overwritten() {
    let shop = Shop::start();
    let named = ["--chart-version", "1.2.3"];
    assert_eq!(version(&shop.export(&named).ok()), "1.2.3");
    assert_eq!(status(&shop.export(&named).ok()), "unchanged");
    shop.set_currency("USD");
    let refused = shop.export(&named).exits(12);
    assert!(refused.stderr.contains("1.2.3 exists"), "{refused:?}");
    shop.export(&["--chart-version", "2.0.0"]).ok();
    shop.set_currency("CHF");
    let below = shop.export(&["--chart-version", "1.9.0"]).ok();
    assert!(codes(&below.json()).contains(&"VERSION_NOT_LATEST"));
    // The calendar comes after all of them.
    assert_eq!(status(&shop.export(&[]).ok()), "exported");
}

#[test]
fn a_namespace_and_an_application_that_join_to_the_same_name_are_told_apart() {
    let registry = Registry::plain().start();
    super::shop::push_images(&registry);
    let outhaul = Outhaul::new();
    let manifest = super::shop::manifests(&registry).replace("name: shop\n", "name: b-c\n");
    outhaul.write("one.yaml", &manifest);
    outhaul.write("two.yaml", manifest.replace("b-c", "c"));
    let export = |name, namespace, file| {
        let to = registry.address();
        outhaul.run(&["app", "export", name, "-n", namespace, "--from", file, "-r", &to])
    };
    export("b-c", "a", "one.yaml").ok();
    let refused = export("c", "a-b", "two.yaml").exits(11);
    assert!(refused.stderr.contains("manifests/a/b-c"), "{refused:?}");
}
