//! `outhaul demo` and `outhaul copy`, which the README opens with.

use crate::support::images::Image;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

#[test]
fn the_demo_shows_plan_report_tree_and_the_helm_line() {
    let output = Outhaul::new().run(&["demo"]).ok();
    for part in ["plan for shop/shop: push", "templates/", "helm install shop oci://127.0.0.1:"] {
        assert!(output.stderr.contains(part), "`{part}` in {}", output.stderr);
    }
    assert!(output.stdout.starts_with("exported shop/shop to 127.0.0.1:"), "{output:?}");
}

#[test]
fn a_copy_arrives_with_its_digest_and_again_sends_nothing() {
    let (from, to) = (Registry::plain().start(), Registry::plain().start());
    let digest = Image::new(4, 3, 9000).push(&from.target(), "a/b", "1");
    let (source, target) = (format!("{}/a/b:1", from.address()), format!("{}/c:2", to.address()));
    let outhaul = Outhaul::new();
    let first = outhaul.run(&["copy", &source, &target, "-o", "json"]).ok().json();
    assert_eq!(first["root"]["digest"], digest);
    let second = outhaul.run(&["copy", &source, &target, "-o", "json"]).ok().json();
    assert_eq!(second["bytesCopied"], 0);
    assert_eq!(second["root"]["digest"], digest);
    let refused = outhaul.run(&["copy", &source, &format!("{target}@{digest}")]).exits(2);
    assert!(refused.stderr.contains("hint: "), "{refused:?}");
}

#[test]
fn one_platform_of_an_image_is_copied() {
    let (from, to) = (Registry::plain().start(), Registry::plain().start());
    Image::new(4, 3, 9000).push(&from.target(), "a/b", "1");
    let (source, target) = (format!("{}/a/b:1", from.address()), format!("{}/c:2", to.address()));
    let outhaul = Outhaul::new();
    let args = ["copy", &source, &target, "-o", "json", "--platform"];
    let copied = outhaul.run(&[&args[..], &["linux/arm64"]].concat()).ok().json();
    assert_eq!(copied["root"]["mediaType"], "application/vnd.oci.image.manifest.v1+json");
    let refused = outhaul.run(&[&args[..], &["linux/s390x"]].concat()).exits(10);
    assert!(refused.stderr.contains("linux/amd64, linux/arm64"), "{refused:?}");
}
