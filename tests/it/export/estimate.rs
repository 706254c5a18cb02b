//! What a plan says of the bytes that an export would move.

use super::shop::Shop;
use crate::support::images::Image;

#[test]
fn a_plan_says_what_its_images_weigh_and_what_is_there() {
    let shop = Shop::start();
    let plan = |further: &[&str]| shop.export(&[&["--dry-run"], further].concat()).ok().json();
    let bytes = |seed| -> u64 {
        let image = Image::new(seed, 2, 40_000);
        image.blobs.values().map(|blob| blob.len() as u64).sum()
    };
    let first = plan(&[]);
    let weight = |plan: &serde_json::Value, key: &str| {
        let images = plan["images"].as_array().unwrap();
        let image = images.iter().find(|image| image["key"] == key).unwrap();
        (image["weight"]["bytes"].as_u64(), image["weight"]["toMove"].as_u64())
    };
    assert_eq!(weight(&first, "web"), (Some(bytes(1)), Some(bytes(1))));
    let all = bytes(1) + bytes(2) + bytes(3);
    assert_eq!((&first["weight"]["bytes"], &first["weight"]["toMove"]), (&all.into(), &all.into()));
    assert_eq!(first["images"][0]["platforms"].as_array().unwrap().len(), 2);
    // One platform is half of it, and an image that stays weighs nothing here.
    let half = plan(&["--platform", "linux/amd64"]);
    let (amd64, _) = weight(&half, "web");
    assert!(amd64.unwrap().abs_diff(bytes(1) / 2) < 100, "{amd64:?}");
    assert_eq!(weight(&plan(&["--keep-image", "*/shop/web:*"]), "web"), (None, None));
    // What is there is not moved, and not even read from the source.
    shop.export(&[]).ok();
    let there = plan(&[]);
    assert_eq!(weight(&there, "db"), (Some(bytes(3)), Some(0)));
    assert_eq!((&there["weight"]["bytes"], &there["weight"]["toMove"]), (&all.into(), &0.into()));
    // Another image with one of the layers: only the rest is moved.
    Image::new(1, 3, 40_000).push(&shop.sources.target(), "shop/web", "1.4.2");
    let changed = plan(&[]);
    let (bytes, moved) = weight(&changed, "web");
    assert!(moved.unwrap() > 40_000 && moved < bytes, "{bytes:?} {moved:?}");
    // For people.
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", "team", "--dry-run"];
    let table = shop.outhaul().run(&args).ok().stdout;
    assert!(table.contains("KiB to move  (linux/amd64, linux/arm64)\n"), "{table}");
    assert!(table.contains("\n  bytes  ") && table.contains(" in all, at most "), "{table}");
}
