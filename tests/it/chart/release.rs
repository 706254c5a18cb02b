//! What helm stores of a release, against what the guards take it for.

use outhaul::app::{App, Object, SecretValues, SecretsPolicy};
use outhaul::chart::{LARGEST_RELEASE, Size, archive, build};
use serde_json::{Value, json};

use super::shop;
use crate::support::cluster::cluster;
use crate::support::helm::Helm;

/// How far the estimate may be off, in hundredths of what helm stores.
const TOLERANCE: usize = 5;

/// Text that packs as configuration does: words of a small vocabulary in changing order.
fn prose(words: usize, seed: u64) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    let vocabulary: Vec<String> =
        (0..400).map(|_| (0..random.usize(2..9)).map(|_| random.lowercase()).collect()).collect();
    let mut text = String::new();
    for at in 0..words {
        text.push_str(random.choice(&vocabulary).unwrap());
        text.push(if at % 9 == 8 { '\n' } else { ' ' });
    }
    text
}

/// Text that does not pack.
fn noise(bytes: usize) -> String {
    let mut random = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| random.alphanumeric()).take(bytes).collect()
}

fn config_map(name: &str, field: &str, text: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        field: {"text": text}})
}

/// Applications of different content: many objects, text, binary, Secrets in clear.
fn applications() -> Vec<(App, SecretsPolicy, SecretValues)> {
    let none = SecretValues::default;
    let mut many = shop::app();
    for number in 0..40 {
        let mut object: Value = many.objects[0].clone().into();
        object["metadata"]["name"] = format!("db-{number}").into();
        many.objects.push(serde_json::from_value(object).unwrap());
    }
    let text = (0..6).map(|at| config_map(&format!("text-{at}"), "data", &prose(9_000, at)));
    let text = shop::app_of(text.collect());
    let binary = shop::app_of(json!([config_map("bin", "binaryData", &noise(300_000))]));
    vec![
        (shop::app(), SecretsPolicy::Reference, none()),
        (many, SecretsPolicy::Reference, none()),
        (text, SecretsPolicy::Reference, none()),
        (binary, SecretsPolicy::Reference, none()),
        (shop::app(), SecretsPolicy::Include, shop::secret_values()),
    ]
}

/// Whether an object needs nothing that a cluster has only once, or only some clusters have.
fn installs_anywhere(object: &Object) -> bool {
    let is_fixed = object.text("/spec/type") == Some("LoadBalancer");
    !is_fixed && object.kind() != "Backup" && !object.kind().starts_with("ClusterRole")
}

#[test]
fn the_size_of_a_release_is_known_before_helm_stores_it() {
    for (at, (mut app, policy, values)) in applications().into_iter().enumerate() {
        app.objects.retain(installs_anywhere);
        let input = shop::input(&app, policy, &values);
        let chart = build(&input).unwrap();
        let estimate = chart.release_bytes(&input);
        // Both helms store the same but for a few dozen bytes: each takes its turn.
        let helm = if at % 2 == 0 { Helm::v3() } else { Helm::v4() };
        let helm = helm.kubeconfig(cluster().kubeconfig("admin"));
        let namespace = cluster().namespace("size");
        std::fs::write(helm.folder().join("chart.tgz"), archive(&chart).tgz).unwrap();
        helm.run(&["install", "shop", "chart.tgz", "-n", namespace.name()]).ok();
        let secret = namespace.get("v1", "Secret", "sh.helm.release.v1.shop.v1").unwrap();
        let encoded = secret["data"]["release"].as_str().unwrap().len();
        let stored = encoded / 4 * 3; // the API encodes what helm encoded already
        assert!(
            stored.abs_diff(estimate) * 100 <= stored * TOLERANCE,
            "application {at}: {estimate} for {stored}"
        );
    }
}

#[test]
fn a_release_beyond_the_limit_is_what_the_api_server_refuses() {
    let app = shop::app_of(json!([
        config_map("one", "binaryData", &noise(900_000)),
        config_map("two", "data", &prose(60_000, 2)),
    ]));
    let none = SecretValues::default();
    let input = shop::input(&app, SecretsPolicy::Reference, &none);
    let chart = build(&input).unwrap();
    let Size::Release { release } = chart.size(&input) else { panic!("{:?}", chart.size(&input)) };
    assert!(release > LARGEST_RELEASE);
    for helm in Helm::both() {
        let namespace = cluster().namespace("size");
        let helm = helm.kubeconfig(cluster().kubeconfig("admin"));
        std::fs::write(helm.folder().join("chart.tgz"), archive(&chart).tgz).unwrap();
        let output = helm.run(&["install", "shop", "chart.tgz", "-n", namespace.name()]);
        assert!(output.code != 0 && output.mentions("Too long"), "{}", output.stderr);
    }
}

#[test]
fn what_packs_well_fits() {
    let app = shop::app_of(json!([config_map("a", "binaryData", &"A".repeat(2 << 20))]));
    let none = SecretValues::default();
    let input = shop::input(&app, SecretsPolicy::Reference, &none);
    assert_eq!(build(&input).unwrap().size(&input), Size::Fits);
}
