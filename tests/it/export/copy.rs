//! `app copy`: a published export at another place, its chart rewritten for it.

use serde_json::Value;

use super::shop::{Shop, codes, manifests, push_images, status, version};
use crate::support::block_on;
use crate::support::helm::Helm;
use crate::support::images::{Image, MANIFEST, Target, digest};
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

/// An `outhaul` that can read the shop's destination.
fn reader(shop: &Shop<'_>) -> Outhaul {
    Outhaul::new().docker_config(&shop.destination.docker_config())
}

/// `outhaul app copy REF --ca-file CA -o json FURTHER…`
fn copy(outhaul: &Outhaul, shop: &Shop<'_>, further: &[&str]) -> Output {
    let reference = format!("oci://{}/{}", shop.destination.address(), shop.chart_repository());
    let ca = shop.destination.ca_file().to_str().unwrap().to_owned();
    let args = ["app", "copy", &reference, "--ca-file", &ca, "-o", "json"];
    outhaul.run(&[&args[..], further].concat())
}

fn annotation(target: &Target, repository: &str, reference: &str, key: &str) -> Option<String> {
    let manifest: Value =
        serde_json::from_slice(&target.manifest(repository, reference).unwrap()).unwrap();
    manifest["annotations"][key].as_str().map(str::to_owned)
}

#[test]
fn a_copy_runs_from_its_new_place_and_the_next_export_there_is_unchanged() {
    let shop = Shop::start();
    let report = shop.export(&[]).ok();
    let (original, version) = (report.json()["chart"]["digest"].clone(), version(&report));
    let mirror = Registry::plain().start();
    let to = format!("{}/mirror", mirror.address());
    let outhaul = reader(&shop);
    let copied = copy(&outhaul, &shop, &[&to]).ok().json();
    assert_eq!(
        (&copied["status"], &copied["chart"]["version"]),
        (&"exported".into(), &version.as_str().into())
    );
    assert_ne!(copied["chart"]["digest"], original);
    assert_eq!(codes(&copied), Vec::<&str>::new());

    let repository = format!("mirror/{}-shop-chart", shop.namespace.name());
    let images = format!("mirror/{}-shop-image", shop.namespace.name());
    let derived = annotation(&mirror.target(), &repository, &version, "dev.outhaul.derived-from");
    assert_eq!(derived.as_deref(), original.as_str());
    let chart = format!("oci://{}/{repository}", mirror.address());
    for helm in Helm::both() {
        let rendered = helm.run(&["template", "x", &chart, "--plain-http"]).ok().stdout;
        assert!(!rendered.contains(&shop.destination.address()), "{rendered}");
        for (_, digest) in &shop.images {
            assert!(rendered.contains(&format!("{}/{images}@{digest}", mirror.address())));
        }
    }
    for (_, index) in &shop.images {
        let bytes = mirror.target().manifest(&images, index).unwrap();
        assert_eq!(&digest(&bytes), index);
        for child in
            serde_json::from_slice::<Value>(&bytes).unwrap()["manifests"].as_array().unwrap()
        {
            assert!(mirror.target().manifest(&images, child["digest"].as_str().unwrap()).is_some());
        }
    }
    let tags = |target: Target, repository: &str| {
        let mut tags = target.tags(repository);
        tags.retain(|tag| !tag.starts_with("outhaul-owner-"));
        tags
    };
    let before = tags(shop.destination.target(), &shop.image_repository());
    assert_eq!(tags(mirror.target(), &images), before);

    mirror.clear_log();
    assert_eq!(status(&copy(&outhaul, &shop, &[&to]).ok()), "unchanged");
    assert_eq!(mirror.requests(&["POST", "PUT", "PATCH"]), []);
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", &to, "-o", "json"];
    let exported = shop.outhaul().run(&args).ok();
    assert_eq!(status(&exported), "unchanged");
    assert_eq!(exported.json()["chart"], copied["chart"]);
    mirror.target().delete_manifest(&images, &shop.images[0].1);
    assert_eq!(status(&copy(&outhaul, &shop, &[&to]).ok()), "restored");
}

/// Straight, or on a disk through a site without a network: the same bytes.
#[test]
fn the_way_makes_no_difference() {
    let shop = Shop::start();
    let report = shop.export(&[]).ok().json();
    let mirror = Registry::plain().start();
    let outhaul = reader(&shop);
    let carried = copy(&outhaul, &shop, &["--to", "bundle"]).ok().json();
    assert_eq!(carried["chart"]["digest"], report["chart"]["digest"]);
    assert_eq!(codes(&carried), ["PULL_ADDRESS_MISSING"]);
    let straight = copy(&outhaul, &shop, &[&mirror.address()]).ok().json();
    let chart = format!("{}-shop-chart", shop.namespace.name());
    mirror.target().delete_manifest(&chart, straight["chart"]["digest"].as_str().unwrap());
    shop.destination.kill();
    let args = ["app", "copy", &chart, "--from", "bundle", &mirror.address(), "-o", "json"];
    let by_disk = outhaul.run(&args).ok().json();
    assert_eq!(by_disk["chart"], straight["chart"]);
    assert_eq!(by_disk["bytes"]["copied"], 0, "the images were there already");

    let address = ["--pull-address", &mirror.address(), "--to", "again.tar"];
    let args = ["app", "copy", &chart, "--from", "bundle", "-o", "json"];
    let packed = outhaul.run(&[&args[..], &address].concat()).ok().json();
    assert_eq!(packed["chart"]["digest"], straight["chart"]["digest"]);
    assert!(outhaul.home().join("again.tar").exists());
}

#[test]
fn what_is_attached_to_a_chart_goes_along_with_its_bytes_or_is_said_to_stay() {
    let shop = Shop::start();
    let report = shop.export(&[]).ok().json();
    let (repository, target) = (shop.chart_repository(), shop.destination.target());
    let subject = report["chart"]["digest"].as_str().unwrap();
    let signature = sign(&target, &repository, subject);
    let outhaul = reader(&shop);
    copy(&outhaul, &shop, &["--to", "bundle"]).ok();
    let blob = signature.replace(':', "/");
    assert!(outhaul.home().join("bundle/blobs").join(blob).exists(), "the signature is in it");
    let mirror = Registry::plain().start();
    let copied = copy(&outhaul, &shop, &[&mirror.address()]).ok().json();
    assert_eq!(codes(&copied), ["REFERRERS_LEFT"]);
    let chart = format!("{}-shop-chart", shop.namespace.name());
    assert!(mirror.target().manifest(&chart, &signature).is_none());
}

/// Attaches a manifest to another, as cosign does where there is no API for it, and gives its
/// digest.
fn sign(target: &Target, repository: &str, subject: &str) -> String {
    let empty = serde_json::json!({"mediaType": "application/vnd.oci.empty.v1+json",
        "digest": digest(b"{}"), "size": 2});
    let signature = serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": empty, "layers": [empty]});
    let (signature, tag) = (signature.to_string().into_bytes(), subject.replace(':', "-") + ".sig");
    block_on(async {
        target.push_blob(repository, b"{}").await;
        target.push_manifest(repository, &tag, MANIFEST, &signature).await;
    });
    digest(&signature)
}

#[test]
fn a_copy_that_cannot_be_made_leaves_no_chart() {
    let sources = Registry::plain().start();
    let images = push_images(&sources);
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", manifests(&sources));
    let (from, to) = (format!("{}/team", sources.address()), format!("{}/far", sources.address()));
    let export = |namespace: &str, to: &str, further: &[&str]| {
        let args = ["app", "export", "shop", "-n", namespace, "--from", "shop.yaml", "-r", to];
        outhaul.run(&[&args[..], &["--chart-version", "1.0.0"], further].concat()).ok();
    };
    export("shop", &from, &[]);
    let copy = |name: &str| outhaul.run(&["app", "copy", &format!("{from}/{name}"), &to]);
    let nothing = copy("other-chart").exits(15);
    assert!(nothing.stderr.contains("there is no chart"), "{nothing:?}");
    let image = Image::new(1, 1, 100);
    image.push(&sources.target(), "team/web", "1");
    copy("web:1").exits(15);

    // Another application's charts are there under that name.
    export("other", &to, &["--chart-name", "shop-shop-chart"]);
    let foreign = copy("shop-shop-chart").exits(11);
    assert!(foreign.stderr.contains("--adopt"), "{foreign:?}");
    let adopting = ["app", "copy", &format!("{from}/shop-shop-chart"), &to, "--adopt"];
    let taken = outhaul.run(&adopting).exits(12);
    assert!(taken.stderr.contains("1.0.0 exists"), "{taken:?}");

    // An image is gone: at the source, and at the address in the chart, which is the same.
    sources.target().delete_manifest("team/shop-shop-image", &images[0].1);
    let other = format!("{}/near", sources.address());
    let args = ["app", "copy", &format!("{from}/shop-shop-chart"), &other];
    let gone = outhaul.run(&args).exits(10);
    assert!(gone.stderr.contains("shop-shop-image@sha256:"), "{gone:?}");
    assert_eq!(sources.target().tags("near/shop-shop-chart"), Vec::<String>::new());
}

#[test]
fn a_plan_shows_what_would_be_copied() {
    let shop = Shop::start();
    shop.export(&[]).ok();
    let mirror = Registry::plain().start();
    let outhaul = reader(&shop);
    let plan = copy(&outhaul, &shop, &[&mirror.address(), "--dry-run"]).ok().json();
    assert_eq!((&plan["action"], plan["images"].as_array().unwrap().len()), (&"push".into(), 3));
    copy(&outhaul, &shop, &["--to", "bundle", "--dry-run"]).ok();
    assert!(!outhaul.home().join("bundle").exists());
    assert_eq!(mirror.requests(&["POST", "PUT", "PATCH"]), []);
}
