//! A Secret's value leaves the cluster only where the policy says so, and is never printed.

use std::io::Read;

use super::shop::{CANARIES, Shop, version};

#[test]
fn a_secret_value_is_found_nowhere() {
    let shop = Shop::start();
    let report = shop.export(&["-vv"]).ok();
    let table =
        shop.outhaul().run(&["app", "show", "shop", "-n", shop.namespace.name(), "-vv"]).ok();
    let text = chart_text(&shop, &version(&report));
    for canary in CANARIES.iter().flat_map(|canary| spellings(canary)) {
        assert!(!report.mentions(&canary), "{canary} in the export's output");
        assert!(!table.mentions(&canary), "{canary} in the output of `app show`");
        assert!(!text.contains(&canary), "{canary} in the chart");
    }
    for password in ["s3cret"].iter().flat_map(|password| spellings(password)) {
        assert!(!report.mentions(&password), "the destination's password in the output");
    }
}

#[test]
fn a_secret_value_is_in_the_chart_only_when_asked_for() {
    let shop = Shop::start();
    let required = shop.export(&["--secrets", "require", "-vv"]).ok();
    let text = chart_text(&shop, &version(&required));
    assert!(text.contains("session-key"), "the chart asks for the key");
    for canary in CANARIES.iter().flat_map(|canary| spellings(canary)) {
        assert!(!text.contains(&canary) && !required.mentions(&canary));
    }
    let included = shop.export(&["--secrets", "include", "-vv"]).ok();
    assert!(included.stdout.contains("SECRET_INCLUDED"));
    let text = chart_text(&shop, &version(&included));
    for canary in CANARIES {
        assert!(text.contains(canary), "{canary} is in the chart");
        assert!(!included.mentions(canary), "and not in the output");
    }
}

/// A snapshot holds no values, but the report said that they were in the chart.
#[test]
fn values_that_could_not_be_read_are_not_said_to_be_included() {
    let shop = Shop::start();
    let outhaul = shop.outhaul();
    let show = ["app", "show", "shop", "-n", shop.namespace.name(), "--save-snapshot", "s.json"];
    outhaul.run(&show).ok();
    let args = ["app", "export", "shop", "--from", "s.json", "--to", "out", "--secrets", "include"];
    let report = outhaul.run(&[&args[..], &["-o", "json"]].concat()).ok();
    assert!(report.stdout.contains("SECRET_NOT_INCLUDED"), "{report:?}");
    assert!(!report.stdout.contains("SECRET_INCLUDED\""), "{report:?}");
}

#[test]
fn no_right_to_read_secrets_is_needed_by_default() {
    let shop = Shop::start();
    // `viewer` may read everything but Secrets, so the destination is given by a file.
    let outhaul = crate::support::outhaul::Outhaul::new()
        .kubeconfig(shop.namespace.cluster().kubeconfig("viewer"));
    let show = outhaul
        .run(&[
            "app",
            "show",
            "shop",
            "-n",
            shop.namespace.name(),
            "-o",
            "json",
            "--skip-unreadable",
        ])
        .ok();
    let app = show.json();
    assert_eq!(app["secrets"][0]["name"], "shop-credentials");
    assert_eq!(app["secrets"][0]["keys"], serde_json::json!(["db-password", "session-key"]));
}

/// Everything in the chart's archive and manifest, as one text.
fn chart_text(shop: &Shop<'_>, version: &str) -> String {
    let target = shop.destination.target();
    let manifest = target.manifest(&shop.chart_repository(), version).unwrap();
    let parsed: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let layer = parsed["layers"][0]["digest"].as_str().unwrap();
    let archive = target.blob(&shop.chart_repository(), layer).unwrap();
    let mut text = String::from_utf8(manifest).unwrap();
    flate2::read::GzDecoder::new(archive.as_slice()).read_to_string(&mut text).unwrap();
    text
}

/// The value, and what it looks like in a Secret's `data`.
fn spellings(value: &str) -> [String; 2] {
    use base64::Engine as _;
    [value.to_owned(), base64::engine::general_purpose::STANDARD.encode(value)]
}
