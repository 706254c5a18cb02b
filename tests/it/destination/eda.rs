//! Registries of Nokia EDA, on an API server that knows its definition.

use outhaul::cluster::Error;
use serde_json::{Value, json};

use super::live;
use crate::support::cluster::Cluster;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;

const API: &str = "appstore.eda.nokia.com/v1";

/// What `registry convert` makes of a stream.
fn convert(from: &str, namespace: &Namespace<'_>, documents: &str) -> String {
    let args = [
        "registry",
        "convert",
        "--from",
        from,
        "--to",
        "eda",
        "-",
        "--with-secrets",
        "-n",
        namespace.name(),
    ];
    Outhaul::new().run_with(&args, documents.as_bytes()).ok().stdout
}

/// The documents of a stream, in an order of their own.
fn sorted(stream: &str) -> Vec<String> {
    let mut all: Vec<String> = stream.split("---\n").map(str::to_owned).collect();
    all.sort_unstable();
    all
}

fn fixture(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/systems");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

#[test]
fn what_is_written_goes_through_an_api_server_and_comes_back_unchanged() {
    let cluster = Cluster::start();
    cluster.apply(&fixture("eda/registry-crd.yaml"));
    cluster.await_served(API, "registries");
    for (from, example) in [
        ("eda", "made/eda-whole.yaml"),
        ("eda", "seeds/eda-filled.yaml"),
        ("avassa", "made/avassa-whole.yaml"),
        ("iofog", "made/iofog.yaml"),
        ("epinio", "made/epinio.yaml"),
    ] {
        let namespace = cluster.namespace("eda");
        let written = convert(from, &namespace, &fixture(example));
        namespace.apply(&written);
        let registries = namespace.list(API, "Registry");
        assert!(!registries.is_empty(), "{from}: {written}");
        for registry in &registries {
            let wanted = registry["spec"]["authSecretRef"].as_str();
            let secret = wanted.map(|name| namespace.get("v1", "Secret", name).unwrap());
            let label =
                secret.map(|secret| secret["metadata"]["labels"]["eda.nokia.com/backup"].clone());
            assert!(label.is_none_or(|label| label == "true"), "{registry:#}");
        }
        // In a list of its own, a Secret does not say its kind; kubectl does.
        let mut items = namespace.list("v1", "Secret");
        items.iter_mut().for_each(|secret| secret["kind"] = json!("Secret"));
        items.extend(registries);
        let seen = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
        let again = convert("eda", &namespace, &seen);
        assert_eq!(sorted(&again), sorted(&written), "{from} {example}");
    }
}

#[test]
fn what_nobody_may_write_is_not_written() {
    // The API server refuses the field that the vendor's page teaches, and titles of more than 50 bytes.
    let cluster = Cluster::start();
    cluster.apply(&fixture("eda/registry-crd.yaml"));
    cluster.await_served(API, "registries");
    let namespace = cluster.namespace("eda");
    let long = "é".repeat(40);
    let pasted = json!({"apiVersion": API, "kind": "Registry", "metadata": {"name": "hub"},
        "spec": {"remoteURL": "registry.example.com", "mirrorUrl": "mirror.example.com", "title": long}});
    namespace.apply(&convert("eda", &namespace, &pasted.to_string()));
    let hub = namespace.get(API, "Registry", "hub").unwrap();
    assert_eq!(hub["spec"]["mirror"], "mirror.example.com", "{hub:#}");
    assert_eq!(hub["spec"]["title"], "é".repeat(25));
    assert_eq!(hub["spec"]["mirrorUrl"], Value::Null);
}

#[tokio::test]
async fn registries_are_read_with_the_secrets_that_they_name_and_no_other() {
    let cluster = Cluster::start();
    let namespace = cluster.namespace("eda");
    let admin = live(&cluster, "admin").await;
    let viewer = live(&cluster, "viewer").await;
    // The API server refuses who has no right before it looks whether it serves the group.
    for of_nobody in [&admin, &viewer] {
        assert_eq!(of_nobody.eda_registries(namespace.name()).await.unwrap(), [Value::Null; 0]);
    }
    cluster.apply(&fixture("eda/registry-crd.yaml"));
    cluster.await_served(API, "registries");
    let registry = |name: &str, secret: &str| {
        format!(
            "apiVersion: {API}\nkind: Registry\nmetadata: {{name: {name}}}\n\
             spec: {{remoteURL: {name}.example, authSecretRef: '{secret}'}}\n---\n"
        )
    };
    let secret = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\nstringData: {{username: u}}\n---\n"
        )
    };
    let registries = [registry("b", "one"), registry("a", "one"), registry("c", "gone")];
    namespace
        .apply(&(registries.concat() + &registry("d", "") + &secret("one") + &secret("other")));
    let found = admin.eda_registries(namespace.name()).await.unwrap();
    let name = |of: &Value| {
        let text = |at: &str| of.pointer(at).and_then(Value::as_str).unwrap().to_owned();
        format!("{}/{}", text("/kind"), text("/metadata/name"))
    };
    let names: Vec<String> = found.iter().map(name).collect();
    assert_eq!(names, ["Registry/a", "Registry/b", "Registry/c", "Registry/d", "Secret/one"]);
    let error = viewer.eda_registries(namespace.name()).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden { .. }), "{error}");
    assert!(error.to_string().contains("registries"), "{error}");
}
