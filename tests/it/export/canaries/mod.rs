//! Canaries of every kind, in every place that a Secret has, and what leaves under each policy.

mod left;
mod planted;

use std::collections::BTreeSet;

use outhaul::chart::sealed;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::objects::Namespace;
use left::export;
use planted::{USED, planted};

#[test]
fn by_reference_nothing_leaves() {
    let shop = planted();
    let left = export(&shop, &[]);
    left.check(None);
    left.install(&shop, &json!({}));
}

#[test]
fn what_is_required_is_asked_for_and_does_not_leave() {
    let shop = planted();
    let left = export(&shop, &["--secrets", "require"]);
    left.check(None);
    let values: Value = serde_saphyr::from_slice(&left.chart.files["values.yaml"]).unwrap();
    let asked_for = values["secrets"].as_object().unwrap().iter();
    // JSON, as the API server reads the configuration of registries.
    let given = asked_for.map(|(name, secret)| {
        let keys = secret["data"].as_object().unwrap().keys();
        let data = keys.map(|key| (key.clone(), "{}".into())).collect::<serde_json::Map<_, _>>();
        (name.clone(), json!({ "data": data }))
    });
    let given: serde_json::Map<_, _> = given.collect();
    for (name, _) in USED {
        assert!(given.contains_key(name), "{name}");
    }
    assert!(given["by-file"]["data"].get("odd.name_1-").is_some());
    left.install(&shop, &json!({ "secrets": given }));
}

#[test]
fn what_is_encrypted_leaves_for_those_who_have_the_key() {
    let shop = planted();
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public().to_string();
    let left = export(&shop, &["--secrets", "encrypt", "--age-recipient", &recipient]);
    left.check(None);
    left.install(&shop, &json!({}));
    let opened = sealed::open(&left.chart, &[key]).unwrap();
    let names: BTreeSet<&str> = opened.iter().map(|secret| &*secret.name).collect();
    let used = USED.into_iter().map(|(name, _)| name).chain(["shop-credentials", "shop-tls"]);
    assert_eq!(names, used.collect());
    for secret in &opened {
        let manifest: Value = serde_json::from_str(secret.manifest.expose_secret()).unwrap();
        assert_same(&manifest, &shop.namespace, &secret.name);
    }
}

#[test]
fn what_is_included_leaves_in_the_values_alone() {
    let shop = planted();
    let left = export(&shop, &["--secrets", "include"]);
    left.check(Some("values.yaml"));
    // The chart makes them as they were; the notes do not repeat them.
    let target = left.install(&shop, &json!({}));
    for (name, _) in USED {
        assert_same(&target.get("v1", "Secret", name).unwrap(), &shop.namespace, name);
    }
    let token = target.get("v1", "Secret", "token").unwrap();
    assert_eq!(
        (&token["type"], token.get("data")),
        (&"kubernetes.io/service-account-token".into(), None)
    );
}

/// What was exported is what runs.
fn assert_same(secret: &Value, live: &Namespace<'_>, name: &str) {
    let live = live.get("v1", "Secret", name).unwrap();
    for field in ["type", "data", "immutable"] {
        assert_eq!(secret.get(field), live.get(field), "{field} of {name}");
    }
}
