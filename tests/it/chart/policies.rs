//! Secrets under each policy, and braces of users in texts that Helm renders.

use outhaul::app::{SecretValues, SecretsPolicy};

use super::oracle::{differences, packed, rendered};
use super::shop;
use crate::support::helm::Helm;

#[test]
fn a_reference_makes_no_secret_until_told_to() {
    let chart = shop::chart();
    let example = std::str::from_utf8(&chart.files["secrets.example.yaml"]).unwrap();
    assert!(example.contains("name: shop-db") && example.contains("password: \"\""));
    for helm in Helm::both() {
        let before = rendered(&helm, &chart, &[]);
        assert!(!before.keys().any(|name| name.starts_with("Secret ")));
        let set = "secrets.shop-db.create=true,secrets.shop-db.data.password=geheim,secrets.shop-db.data.user=me";
        let after = rendered(&helm, &chart, &["--set", set]);
        assert_eq!(differences(&before, &after), ["Secret shop-db: - → …"]);
        assert_eq!(after["Secret shop-db"]["data"]["password"], "Z2VoZWlt");
        let file = packed(&helm, &chart);
        let output = helm.run(&["template", "shop", &file, "--set", "secrets.shop-db.create=true"]);
        assert!(output.mentions("secrets.shop-db.data.password needs a value"));
    }
}

#[test]
fn values_that_are_required_are_asked_for_by_their_path() {
    let chart = shop::chart_of(&shop::app(), SecretsPolicy::Require, &SecretValues::default());
    assert!(!chart.files.contains_key("secrets.example.yaml"));
    for helm in Helm::both() {
        let file = packed(&helm, &chart);
        helm.run(&["lint", "--strict", &file]).ok();
        let output = helm.run(&["template", "shop", &file]);
        assert!(output.code != 0 && output.mentions(".data.") && output.mentions("needs a value"));
        let db = "secrets.shop-db.data.password=a,secrets.shop-db.data.user=b";
        let tls = r"secrets.shop-tls.data.tls\.crt=c,secrets.shop-tls.data.tls\.key=d";
        let objects = rendered(&helm, &chart, &["--set", db, "--set", tls]);
        assert_eq!(objects["Secret shop-db"]["data"]["user"], "Yg==");
        assert_eq!(objects["Secret shop-tls"]["type"], "kubernetes.io/tls");
        assert!(!objects.contains_key("Secret shop-tokens")); // optional, its keys unknown
    }
}

#[test]
fn included_values_come_back_byte_for_byte() {
    let chart = shop::chart_of(&shop::app(), SecretsPolicy::Include, &shop::secret_values());
    for helm in Helm::both() {
        helm.run(&["lint", "--strict", &packed(&helm, &chart)]).ok();
        let objects = rendered(&helm, &chart, &[]);
        let db = &objects["Secret shop-db"]["data"];
        assert_eq!(db["password"], "Y2FuYXJ5LTVmM2E5");
        assert_eq!(db["user"], "");
        assert_eq!(objects["Secret shop-tls"]["data"]["tls.key"], "//4AAQ==");
        assert!(!objects.contains_key("Secret shop-tokens")); // its values were not known
    }
}

#[test]
fn values_stay_where_they_are_unless_the_policy_includes_them() {
    for policy in [SecretsPolicy::Reference, SecretsPolicy::Require] {
        let chart = shop::chart_of(&shop::app(), policy, &shop::secret_values());
        for (path, bytes) in &chart.files {
            let text = std::str::from_utf8(bytes).unwrap();
            assert!(!text.contains(shop::CANARY), "{path} under {policy:?}");
        }
    }
}

#[test]
fn a_certificate_that_could_not_be_read_is_of_its_type() {
    let mut app = shop::app();
    for secret in &mut app.secrets {
        secret.secret_type = None;
    }
    let chart = shop::plain_chart_of(&app);
    let text = |path: &str| std::str::from_utf8(&chart.files[path]).unwrap();
    assert_eq!(text("secrets.example.yaml").matches("\ntype: kubernetes.io/tls\n").count(), 1);
    assert!(text("README.md").contains("| `shop-tls` | `kubernetes.io/tls` |"));
    assert!(text("README.md").contains("| `shop-db` | `Opaque` |"));
    for helm in Helm::both() {
        let set = r"secrets.shop-tls.create=true,secrets.shop-tls.data.tls\.crt=c,secrets.shop-tls.data.tls\.key=d";
        let objects = rendered(&helm, &chart, &["--set", set]);
        assert_eq!(objects["Secret shop-tls"]["type"], "kubernetes.io/tls");
    }
}

#[test]
fn the_readme_has_the_values_that_are_asked_for() {
    let chart = shop::chart_of(&shop::app(), SecretsPolicy::Require, &SecretValues::default());
    let readme = std::str::from_utf8(&chart.files["README.md"]).unwrap();
    let (_, yaml) = readme.split_once("```yaml\n").unwrap();
    let (yaml, _) = yaml.split_once("```").unwrap();
    let values: serde_json::Value = serde_saphyr::from_str(yaml).unwrap();
    let expected = serde_json::json!({"secrets": {
        "shop-db": {"data": {"password": "", "user": ""}},
        "shop-tls": {"data": {"tls.crt": "", "tls.key": ""}},
    }});
    assert_eq!(values, expected);
}

/// Things are found by labels and annotations, and an immutable Secret is relied on.
#[test]
fn a_secret_that_the_chart_makes_is_as_a_person_wrote_it() {
    let mut app = shop::app();
    let secret = app.secrets.iter_mut().find(|secret| secret.name == "shop-db").unwrap();
    secret.labels.insert("grafana_datasource".into(), "{{ 1 }}".into());
    secret.labels.insert("app.kubernetes.io/instance".into(), "mine".into());
    secret.annotations.insert("note".into(), "yes".into());
    secret.immutable = true;
    let chart = shop::chart_of(&app, SecretsPolicy::Include, &shop::secret_values());
    for helm in Helm::both() {
        let made = &rendered(&helm, &chart, &[])["Secret shop-db"];
        assert_eq!(made["metadata"]["labels"]["grafana_datasource"], "{{ 1 }}");
        assert_eq!(made["metadata"]["labels"]["app.kubernetes.io/instance"], "mine");
        assert_eq!(made["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");
        assert_eq!(made["metadata"]["annotations"]["note"], "yes");
        assert_eq!(made["immutable"], true);
    }
    let reference = shop::chart_of(&app, SecretsPolicy::Reference, &SecretValues::default());
    let example = std::str::from_utf8(&reference.files["secrets.example.yaml"]).unwrap();
    assert!(example.contains("grafana_datasource: \"{{ 1 }}\""), "{example}");
}

/// A controller fills it: its values are nobody's, and it exists under every policy.
#[test]
fn a_token_is_made_empty_under_every_policy() {
    let mut app = shop::app();
    let secret = app.secrets.iter_mut().find(|secret| secret.name == "shop-db").unwrap();
    secret.secret_type = Some("kubernetes.io/service-account-token".into());
    secret.keys.clear();
    secret.annotations.insert("kubernetes.io/service-account.name".into(), "robot".into());
    for (policy, values) in [
        (SecretsPolicy::Reference, SecretValues::default()),
        (SecretsPolicy::Include, shop::secret_values()),
    ] {
        let chart = shop::chart_of(&app, policy, &values);
        assert!(
            chart.files.values().all(|file| !String::from_utf8_lossy(file).contains(shop::CANARY))
        );
        for helm in Helm::both() {
            let made = &rendered(&helm, &chart, &[])["Secret shop-db"];
            assert_eq!(
                made["metadata"]["annotations"]["kubernetes.io/service-account.name"],
                "robot"
            );
            assert_eq!(made["data"], serde_json::json!({}));
        }
    }
}
