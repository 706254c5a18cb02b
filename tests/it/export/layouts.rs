//! Layouts: the bundle for sites without a network, and the registry made of one.

use super::shop::{manifests, push_images, status};
use crate::support::helm::Helm;
use crate::support::images::Target;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

#[test]
fn a_layout_is_served_and_helm_installs_from_it() {
    let registry = Registry::plain().start();
    let images = push_images(&registry);
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", manifests(&registry));
    let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "--to", "bundle"];
    let report = outhaul.run(&[&args[..], &["-o", "json"]].concat()).ok();
    assert_eq!(status(&report), "exported");
    let bundle = outhaul.home().join("bundle").to_str().unwrap().to_owned();

    let server = Outhaul::new().spawn(&["layout", "serve", &bundle, "--listen", "127.0.0.1:0"]);
    let address = server.wait_for("serving", |_, stderr| {
        let after = stderr.split(" at ").nth(1)?;
        Some(after.split(',').next()?.to_owned())
    });
    let target = Target { url: format!("http://{address}"), login: None, ca: None };
    for (_, digest) in &images {
        assert!(target.manifest("shop-shop-image", digest).is_some());
    }
    let chart = format!("oci://{address}/shop-shop-chart");
    for helm in Helm::both() {
        helm.run(&["pull", &chart, "--plain-http"]).ok();
        helm.run(&["template", "x", &chart, "--plain-http"]).ok();
    }
    // The engine reads from it and pushes to it as to any other registry.
    let copy = format!("{}/copied/web:1", registry.address());
    let served = format!("{address}/shop-shop-image@{}", images[0].1);
    outhaul.run(&["copy", &served, &copy]).ok();
    assert_eq!(registry.target().tags("copied/web"), ["1"]);
    outhaul.run(&["copy", &copy, &format!("{address}/back/web:2")]).ok();
    assert_eq!(target.tags("back/web"), ["2"]);
    server.interrupt();
    assert_eq!(server.wait(), 0);
}

#[test]
fn an_archive_holds_the_same_as_a_directory() {
    let registry = Registry::plain().start();
    push_images(&registry);
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", manifests(&registry));
    let args = ["app", "export", "shop", "--from", "shop.yaml", "--to", "shop.tar"];
    outhaul.run(&[&args[..], &["--pull-address", "mirror.example.org/shop"]].concat()).ok();
    let archive = std::fs::File::open(outhaul.home().join("shop.tar")).unwrap();
    let mut archive = tar::Archive::new(archive);
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|e| e.unwrap().path().unwrap().display().to_string())
        .collect();
    assert!(names.contains(&"oci-layout".to_owned()) && names.contains(&"index.json".to_owned()));
    let blobs = names.iter().filter(|name| name.starts_with("blobs/sha256/")).count();
    // Three images of an index, two manifests, two configs and four layers; a chart of three.
    assert!(blobs >= 3 * 9 + 3, "{names:?}");
    let left = std::fs::read_dir(outhaul.home()).unwrap().count();
    assert_eq!(left, 2, "no scratch folder is left");
}

#[test]
fn a_dry_run_writes_nothing_and_shows_the_plan() {
    let registry = Registry::plain().start();
    push_images(&registry);
    let outhaul = Outhaul::new();
    outhaul.write("shop.yaml", manifests(&registry));
    let args = ["app", "export", "shop", "--from", "shop.yaml", "--dry-run", "-o", "json"];
    let plan = outhaul.run(&[&args[..], &["--to", "out"]].concat()).ok().json();
    assert_eq!(plan["action"], "push");
    assert_eq!(plan["images"].as_array().unwrap().len(), 3);
    assert!(!outhaul.home().join("out").exists());
    registry.clear_log();
    outhaul.run(&[&args[..], &["-r", &registry.address()]].concat()).ok();
    assert_eq!(registry.requests(&["POST", "PUT", "PATCH", "DELETE"]), []);
}
