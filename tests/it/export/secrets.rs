//! Values of Secrets that were not read, or may not be. What leaves: see [`super::canaries`].

use super::shop::{Shop, status};

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

/// Values of every Secret in the namespace counted, and each of them made a new version.
#[test]
fn a_secret_that_is_not_of_the_application_makes_no_new_version() {
    let shop = Shop::start();
    shop.export(&["--secrets", "include"]).ok();
    shop.namespace.apply(
        "{apiVersion: v1, kind: Secret, metadata: {name: others}, stringData: {token: unrelated}}",
    );
    let again = shop.export(&["--secrets", "include"]).ok();
    assert_eq!(status(&again), "unchanged");
}
