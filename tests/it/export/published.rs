//! Published exports: what is attached to them, what has changed since, whether they are whole.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::shop::{codes, manifests, push_images, status};
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;
use crate::support::registry::Registry;

pub(super) const CHART: &str = "team/shop-shop-chart";

/// The shop from manifests, and a registry that it goes to.
pub(super) struct Case {
    pub(super) registry: Registry,
    pub(super) outhaul: Outhaul,
    objects: String,
}

impl Case {
    pub(super) fn new() -> Self {
        let registry = Registry::plain().start();
        push_images(&registry);
        let objects = manifests(&registry);
        let outhaul = Outhaul::new();
        outhaul.write("shop.yaml", &objects);
        Self { registry, outhaul, objects }
    }

    pub(super) fn change(&self, from: &str, to: &str) {
        assert!(self.objects.contains(from), "{from}");
        self.outhaul.write("shop.yaml", self.objects.replace(from, to));
    }

    pub(super) fn run(&self, command: &[&str], further: &[&str]) -> Output {
        self.outhaul.run(&[command, &["-o", "json"], further].concat())
    }

    pub(super) fn export(&self, further: &[&str]) -> Output {
        let to = format!("{}/team", self.registry.address());
        let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "-r", &to];
        self.run(&args, further)
    }

    pub(super) fn diff(&self, further: &[&str]) -> Output {
        let args = ["app", "diff", "shop", "-n", "shop", "--from", "shop.yaml"];
        self.outhaul.run(&[&args[..], further].concat())
    }

    pub(super) fn reference(&self) -> String {
        format!("oci://{}/{CHART}", self.registry.address())
    }

    pub(super) fn verify(&self, further: &[&str]) -> Output {
        self.run(&["verify", &self.reference()], further)
    }

    pub(super) fn json(&self, repository: &str, digest: &Value) -> Value {
        let bytes = self.registry.target().manifest(repository, digest.as_str().unwrap());
        serde_json::from_slice(&bytes.expect("it is there")).unwrap()
    }

    /// The file in which the registry keeps a blob.
    pub(super) fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        let blobs = self.registry.storage().join("blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }
}

#[test]
fn the_report_is_attached_to_a_new_version_and_to_no_other() {
    let case = Case::new();
    let report = case.export(&[]).ok().json();
    let fidelity = &report["fidelity"];
    assert!(fidelity["objects"].as_u64().unwrap() > 10);
    assert_eq!(fidelity["objects"], fidelity["identical"]);
    assert_eq!(fidelity["differences"], json!([]));
    assert!(
        fidelity["intended"].as_array().unwrap().iter().any(|it| it["rule"] == "imageReference")
    );

    let artefact = case.json(CHART, &report["attached"]);
    assert_eq!(artefact["artifactType"], "application/vnd.outhaul.report.v1+json");
    assert_eq!(artefact["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
    assert_eq!(artefact["subject"]["digest"], report["chart"]["digest"]);
    let layer = artefact["layers"][0]["digest"].as_str().unwrap();
    let attached = case.registry.target().blob(CHART, layer).unwrap();
    let attached: Value = serde_json::from_slice(&attached).unwrap();
    assert_eq!((&attached["status"], &attached["fidelity"]), (&"exported".into(), fidelity));
    // This registry lists no referrers by itself.
    let digest = report["chart"]["digest"].as_str().unwrap();
    let list = case.json(CHART, &digest.replace(':', "-").into());
    assert_eq!(list["manifests"][0]["digest"], report["attached"]);

    case.registry.clear_log();
    let again = case.export(&[]).ok();
    assert_eq!((status(&again).as_str(), &again.json()["attached"]), ("unchanged", &Value::Null));
    assert_eq!(case.registry.requests(&["POST", "PUT", "PATCH"]), []);

    case.change("CURRENCY: EUR", "CURRENCY: USD");
    let without = case.export(&["--no-attach-report"]).ok().json();
    assert_eq!((&without["status"], &without["attached"]), (&"exported".into(), &Value::Null));
}

#[test]
fn a_diff_names_what_has_changed_since() {
    let case = Case::new();
    case.export(&[]).ok();
    let reference = case.reference();
    let at = format!("{}/team", case.registry.address());
    assert!(case.diff(&[&reference]).ok().stdout.ends_with("no difference\n"));
    assert!(case.diff(&["-r", &at]).ok().stdout.ends_with("no difference\n"));

    let config = case.objects.replace("CURRENCY: EUR", "CURRENCY: USD");
    let more = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n  labels: \
                {app.kubernetes.io/name: shop}\ndata: {a: b}\n";
    let renamed = config.replace("name: dumps", "name: dumped");
    case.outhaul.write("shop.yaml", format!("{renamed}\n{more}"));
    let found = case.diff(&[&reference, "-o", "json"]).exits(16).json();
    let fields = &found["changed"][0]["fields"];
    assert_eq!(found["changed"][0]["object"]["name"], "shop-config", "{found:#}");
    assert_eq!(fields, &json!([{"field": "data.CURRENCY", "before": "EUR", "after": "USD"}]));
    let names = |list: &str| {
        let list = found[list].as_array().unwrap().iter();
        list.map(|it| format!("{} {}", it["kind"].as_str().unwrap(), it["name"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert!(names("added").contains(&"ConfigMap more".to_owned()), "{found:#}");
    assert!(names("removed").contains(&"PersistentVolumeClaim dumps".to_owned()), "{found:#}");
    let text = case.diff(&[&reference]).exits(16).stdout;
    assert!(text.contains("~ ConfigMap shop-config\n    data.CURRENCY: \"EUR\" -> \"USD\"\n"));
}

#[test]
fn a_diff_compares_images_by_digest_and_hides_credentials() {
    let case = Case::new();
    case.export(&[]).ok();
    let image = crate::support::images::Image::new(9, 1, 1000);
    let digest = image.push(&case.registry.target(), "shop/web", "1.4.2");
    case.change(
        "CURRENCY: EUR",
        "CURRENCY: EUR\n  DATABASE_URL: postgres://shop:c4nary-9f3@db/shop",
    );
    let output = case.diff(&[&case.reference(), "-o", "json"]).exits(16);
    assert!(!output.stdout.contains("c4nary-9f3"), "{}", output.stdout);
    let found = output.json();
    let changed = found["changed"].as_array().unwrap();
    let of = |kind: &str| changed.iter().find(|it| it["object"]["kind"] == kind).unwrap();
    assert_eq!(of("ConfigMap")["fields"][0]["hidden"], true);
    let field = &of("Deployment")["fields"][0];
    assert_eq!(field["field"], "spec.template.spec.containers[name=web].image");
    assert!(field["after"].as_str().unwrap().ends_with(&digest), "{field}");
}

#[test]
fn a_variable_more_is_one_addition() {
    let case = Case::new();
    case.export(&[]).ok();
    let first = "            - name: DB_HOST\n";
    case.change(first, &format!("            - {{name: ADDED, value: '1'}}\n{first}"));
    let output = case.diff(&[&case.reference()]).exits(16);
    let line = r#"  + spec.template.spec.containers[name=api].env[name=ADDED]: {"name":"ADDED","value":"1"}"#;
    let lines: Vec<&str> = output.stdout.lines().skip(2).collect();
    assert_eq!(lines, ["~ Deployment api", line]);
    let found = case.diff(&[&case.reference(), "-o", "json"]).exits(16).json();
    assert_eq!(found["changed"][0]["fields"].as_array().unwrap().len(), 1);
}

#[test]
fn a_diff_takes_the_flags_that_change_what_is_exported() {
    let case = Case::new();
    let there = case.registry.address();
    case.outhaul.write("shop.yaml", case.objects.replace(&there, "127.0.0.1:1"));
    let map = ["--map-registry", &format!("127.0.0.1:1={there}")];
    let flags = [&map[..], &["--platform", "linux/amd64", "--keep-image", "*/shop/db:*"]].concat();
    case.export(&flags).ok();
    let reference = case.reference();
    case.diff(&[&[&*reference], &flags[..]].concat()).ok();
    let all_platforms = case.diff(&[&[&*reference, "-o", "json"], &map[..]].concat()).exits(16);
    let found = all_platforms.json();
    assert_eq!((&found["added"], &found["removed"]), (&json!([]), &json!([])), "{found:#}");
    let fields = found["changed"].as_array().unwrap().iter().flat_map(|it| it["fields"].as_array());
    let names: Vec<&str> = fields.flatten().map(|it| it["field"].as_str().unwrap()).collect();
    assert!(names.iter().all(|name| name.ends_with("].image")), "{names:?}");
    case.diff(&[&reference]).exits(9);
}

#[test]
fn a_diff_with_a_chart_in_a_layout() {
    let case = Case::new();
    let args = ["app", "export", "shop", "-n", "shop", "--from", "shop.yaml", "--to", "bundle"];
    case.run(&args, &[]).ok();
    for place in [&["bundle"][..], &["--to", "bundle"], &["shop-shop-chart", "--to", "bundle"]] {
        assert!(case.diff(place).ok().stdout.ends_with("no difference\n"), "{place:?}");
    }
    case.diff(&["other-chart", "--to", "bundle"]).exits(15);
    case.diff(&["--to", "no-such-folder"]).exits(13);
    case.diff(&[]).exits(2);
}

#[test]
fn what_helm_cannot_upgrade_is_a_finding_and_in_the_notes() {
    let case = Case::new();
    let first = case.export(&[]).ok().json();
    case.change("serviceName: db", "serviceName: other");
    let report = case.export(&[]).ok().json();
    assert!(codes(&report).contains(&"UPGRADE_NEEDS_RECREATE"), "{report:#}");
    let findings = report["findings"].as_array().unwrap();
    let finding = findings.iter().find(|it| it["code"] == "UPGRADE_NEEDS_RECREATE").unwrap();
    assert_eq!(finding["object"]["name"], "db");
    assert_eq!(finding["field"], "spec.serviceName");
    assert!(
        finding["text"].as_str().unwrap().contains(first["chart"]["version"].as_str().unwrap())
    );
    let command = "kubectl delete statefulset.apps db --namespace NAMESPACE --cascade=orphan";
    assert!(finding["remedy"].as_str().unwrap().contains(command));
    // The step after that is none any more.
    case.change("serviceName: db", "serviceName: other\n  minReadySeconds: 5");
    let report = case.export(&[]).ok().json();
    assert!(!codes(&report).contains(&"UPGRADE_NEEDS_RECREATE"), "{report:#}");
}
