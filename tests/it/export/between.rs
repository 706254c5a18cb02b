//! `app diff REF:V1 V2`: two published versions, from the registry alone.

use serde_json::{Value, json};

use super::published::{CHART, Case};
use super::shop::{CANARIES, manifests};
use crate::support::helm::Helm;
use crate::support::images::{Image, MANIFEST, digest};
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

/// Bytes of a layer of the example's images.
const LAYER: usize = 40_000;

/// Exports the example, changed in this way, as this version.
fn export(case: &Case, version: &str, changes: &[(&str, &str)], further: &[&str]) {
    let mut objects = manifests(&case.registry);
    for (from, to) in changes {
        assert!(objects.contains(from), "{from}");
        objects = objects.replace(from, to);
    }
    case.outhaul.write("shop.yaml", objects);
    case.export(&[&["--chart-version", version], further].concat()).ok();
}

/// Compares as somebody who has neither a cluster nor the manifests.
fn diff(case: &Case, first: &str, further: &[&str]) -> Output {
    let first = format!("{}{first}", case.reference());
    Outhaul::new().run(&[&["app", "diff", &first], further].concat())
}

fn field<'a>(fields: &'a Value, name: &str) -> &'a Value {
    let mut all = fields.as_array().unwrap().iter();
    all.find(|field| field["field"] == name).unwrap_or_else(|| panic!("{name}: {fields:#}"))
}

#[test]
fn objects_values_and_layers_of_two_versions_are_compared() {
    let case = Case::new();
    export(&case, "1.0.0", &[], &[]);
    // The same two layers for each platform and one more.
    let image = Image::new(1, 3, LAYER).push(&case.registry.target(), "shop/web", "1.4.2");
    let more = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n  labels: \
                {app.kubernetes.io/name: shop}\ndata: {a: b}\n---\n# Configuration.";
    let changes = [
        ("CURRENCY: EUR", "CURRENCY: USD"),
        ("name: dumps", "name: dumped"),
        ("# Configuration.", more),
    ];
    export(&case, "2.0.0", &changes, &[]);

    case.registry.clear_log();
    let found = diff(&case, ":1.0.0", &["2.0.0", "-o", "json"]).exits(16).json();
    assert_eq!(case.registry.requests(&["POST", "PUT", "PATCH", "DELETE"]), []);
    assert_eq!(found["before"]["origin"], "manifests/shop/shop");
    assert!(found["after"]["chart"].as_str().unwrap().ends_with(&format!("{CHART}:2.0.0")));
    let config = &found["changed"].as_array().unwrap().iter();
    let config = config.clone().find(|it| it["object"]["name"] == "shop-config").unwrap();
    let currency = json!({"field": "data.CURRENCY", "before": "EUR", "after": "USD"});
    assert_eq!(config["fields"], json!([currency]), "the chart's own version is no change");
    let names = |list: &str| -> Vec<String> {
        let all = found[list].as_array().unwrap().iter();
        all.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(names("added").contains(&"more".to_owned()), "{found:#}");
    assert!(names("removed").contains(&"dumps".to_owned()), "{found:#}");
    let values = found["values"].as_array().unwrap();
    let is_currency = |of: &&Value| of["before"] == "EUR" && of["after"] == "USD";
    assert_eq!(values.iter().filter(is_currency).count(), 1, "{values:#?}");
    assert!(!values.iter().any(|of| of["field"].as_str().unwrap().starts_with("images")));
    let images = found["images"].as_array().unwrap();
    assert_eq!((images.len(), images[0]["key"].as_str()), (1, Some("web")), "{images:#?}");
    assert!(images[0]["after"].as_str().unwrap().ends_with(&image));
    let weight = |layers: usize| json!({"layers": layers, "bytes": layers * LAYER});
    let layers = json!({"shared": weight(4), "added": weight(2), "removed": weight(0)});
    assert_eq!(images[0]["layers"], layers);

    let text = diff(&case, ":1.0.0", &["@latest"]).exits(16);
    assert!(
        text.stdout.contains("\n~ ConfigMap shop-config\n    data.CURRENCY: \"EUR\" -> \"USD\"\n")
    );
    assert!(text.stdout.contains("layers: 4 (156.2 KiB) shared, 2 (78.1 KiB) added, 0 removed\n"));
    assert!(text.stderr.contains("2.0.0 is not as "), "{text:?}");
    let back = diff(&case, "@latest", &["1.0.0", "-o", "json"]).exits(16).json();
    assert_eq!(back["images"][0]["layers"]["removed"], weight(2));
    assert_eq!((&back["added"], &back["removed"]), (&found["removed"], &found["added"]));
    let same = diff(&case, ":1.0.0", &["1.0.0"]).ok();
    assert!(same.stdout.ends_with("no difference\n"), "{same:?}");
    let digest = &found["before"]["digest"].as_str().unwrap();
    diff(&case, ":1.0.0", &[&format!("@{digest}")]).ok();
}

#[test]
fn a_copy_is_another_place_and_a_layout_is_compared_alike() {
    let case = Case::new();
    export(&case, "1.0.0", &[], &[]);
    let to = format!("{}/copied", case.registry.address());
    case.outhaul.run(&["app", "copy", &format!("{}:1.0.0", case.reference()), &to]).ok();
    let copy = format!("{to}/shop-shop-chart:1.0.0");
    let found = diff(&case, ":1.0.0", &[&copy, "-o", "json"]).exits(16).json();
    assert_eq!(found["values"], json!([]), "{found:#}");
    let images = found["images"].as_array().unwrap();
    assert_eq!(images.len(), 3);
    for image in images {
        assert_eq!(image["layers"]["shared"]["layers"], 4, "{image:#}");
        assert_eq!(image["layers"]["added"]["layers"], 0);
    }

    for (version, currency) in [("1.0.0", "EUR"), ("1.1.0", "USD")] {
        let objects =
            manifests(&case.registry).replace("CURRENCY: EUR", &format!("CURRENCY: {currency}"));
        case.outhaul.write("shop.yaml", objects);
        let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "--to", "out"];
        case.outhaul.run(&[&args[..], &["--chart-version", version]].concat()).ok();
    }
    let args = ["app", "diff", "shop-shop-chart:1.0.0", "@latest", "--to", "out", "-o", "json"];
    let found = case.outhaul.run(&args).exits(16).json();
    assert_eq!((&found["images"], found["changed"].as_array().unwrap().len()), (&json!([]), 1));
}

#[test]
fn values_of_secrets_are_told_to_nobody() {
    let case = Case::new();
    let changes = [
        (CANARIES[0], "c0penhagen-other"),
        ("CURRENCY: EUR", "DATABASE_URL: postgres://a:c4nary-9f3@db/a"),
    ];
    export(&case, "1.0.0", &[], &["--secrets", "include"]);
    export(&case, "2.0.0", &changes, &["--secrets", "include"]);
    let found = diff(&case, ":1.0.0", &["2.0.0", "-o", "json"]).exits(16);
    let text = diff(&case, ":1.0.0", &["2.0.0", "-vv"]).exits(16);
    let secrets = [CANARIES[0], "c0penhagen-other", "c4nary-9f3"];
    let encoded = secrets
        .map(|text| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text));
    for canary in secrets.iter().copied().chain(encoded.iter().map(String::as_str)) {
        assert!(!found.mentions(canary) && !text.mentions(canary), "{canary}");
    }
    let found = found.json();
    let changed = found["changed"].as_array().unwrap().iter();
    let secret = changed.clone().find(|it| it["object"]["kind"] == "Secret").unwrap();
    let password = field(&secret["fields"], "data.db-password");
    assert_eq!(password, &json!({"field": "data.db-password", "hidden": true}));
    let hidden = found["values"].as_array().unwrap().iter().filter(|of| of["hidden"] == true);
    assert_eq!(hidden.count(), 2, "{:#}", found["values"]);
    assert!(text.stdout.contains("data.db-password: (hidden)"), "{text:?}");

    // Encrypted, only the charts say whether they changed; manifests never do.
    let key = age::x25519::Identity::generate().to_public().to_string();
    let encrypt = ["--secrets", "encrypt", "--age-recipient", &key];
    for version in ["3.0.0", "4.0.0"] {
        export(&case, version, &[], &encrypt);
    }
    let encrypted = |first: &str, second: &str| {
        let found = diff(&case, first, &[second, "-o", "json"]);
        found.json()["encryptedSecrets"].clone()
    };
    assert_eq!(encrypted(":2.0.0", "3.0.0"), "added");
    assert_eq!(encrypted(":3.0.0", "2.0.0"), "removed");
    assert_ne!(encrypted(":3.0.0", "4.0.0"), "unchanged");
    assert_eq!(encrypted(":3.0.0", "3.0.0"), "unchanged");
}

#[tokio::test]
async fn what_cannot_be_compared_is_named() {
    let case = tokio::task::spawn_blocking(|| {
        let case = Case::new();
        export(&case, "1.0.0", &[], &[]);
        case
    });
    let case = case.await.unwrap();
    let target = case.registry.target();
    let manifest = target.manifest(CHART, "1.0.0").unwrap();
    let text = String::from_utf8(manifest.clone()).unwrap();
    let push = async |version: &str, manifest: String| {
        target.push_manifest(CHART, version, MANIFEST, manifest.as_bytes()).await;
    };
    push("3.0.0", text.replace("dev.outhaul.", "com.example.")).await;
    push("4.0.0", text.replace("dev.outhaul.taken-at\":\"2", "dev.outhaul.taken-at\":\"x")).await;
    let json: Value = serde_json::from_str(&text).unwrap();
    let (tgz, size) = (json["layers"][0]["digest"].as_str().unwrap(), &json["layers"][0]["size"]);
    let garbage = b"this is no archive";
    target.push_blob(CHART, garbage).await;
    let size = format!("\"size\":{size}");
    let damaged =
        text.replace(tgz, &digest(garbage)).replace(&size, &format!("\"size\":{}", garbage.len()));
    push("5.0.0", damaged).await;

    tokio::task::spawn_blocking(move || {
        let foreign = diff(&case, ":1.0.0", &["3.0.0"]).exits(15);
        assert!(foreign.stderr.contains("it has no annotation dev.outhaul.origin"), "{foreign:?}");
        let undated = diff(&case, ":1.0.0", &["4.0.0", "-o", "json"]).ok().json();
        assert_eq!(undated["after"].get("takenAt"), None, "what is no time is none");
        assert!(undated["before"]["takenAt"].is_string());
        let damaged = diff(&case, ":5.0.0", &["1.0.0"]).exits(15);
        assert!(damaged.stderr.contains("5.0.0 is not a chart"), "{damaged:?}");
        let missing = diff(&case, ":1.0.0", &["9.9.9"]).exits(15);
        assert!(missing.stderr.contains("9.9.9"), "{missing:?}");
        diff(&case, ":1.0.0", &["@before=2019-01-01"]).exits(15);
        for arguments in [&[][..], &["1.0"], &["latest"], &["1.0.0", "--all"], &["@before=soon"]] {
            diff(&case, ":1.0.0", arguments).exits(2);
        }
        diff(&case, ":1.0.0@latest", &["1.0.0"]).exits(2);

        let helm = Helm::v4();
        helm.run(&["create", "plain"]).ok();
        helm.run(&["package", "plain", "--version", "1.0.0"]).ok();
        let to = format!("oci://{}/team", case.registry.address());
        helm.run(&["push", "plain-1.0.0.tgz", &to, "--plain-http"]).ok();
        let plain = format!("{}/team/plain:1.0.0", case.registry.address());
        let others = diff(&case, ":1.0.0", &[&plain]).exits(15);
        assert!(others.stderr.contains("is not an export of outhaul's"), "{others:?}");
    })
    .await
    .unwrap();
}
