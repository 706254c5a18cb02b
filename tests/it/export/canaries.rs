//! Canaries of every kind, in every place that a Secret has, and what leaves under each policy.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul::chart::{Chart, sealed};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::shop::{Shop, version};
use crate::support::helm::Helm;
use crate::support::output::Output;

/// Values of the Secrets that the application uses.
const USED: [&str; 3] =
    ["canary-of-data-7c1e", "canary-of-string-data-90ab", "canary-of-a-file-55d2"];

/// Values that belong to the cluster, its registries, or others: no policy takes them along.
const NEVER: [&str; 5] = [
    "canary-of-a-pull-secret-b7f3",
    "canary-of-a-token-22e8",
    "canary-of-a-release-e410",
    "canary-of-others-f00d",
    "s3cret", // the destination's password
];

/// The application uses three Secrets in three ways, a pull secret and a token; helm and others
/// have Secrets beside it.
fn plant(shop: &Shop<'_>) {
    let [data, string_data, file] = USED;
    let [pull, token, release, others, _] = NEVER;
    let docker =
        format!(r#"{{"auths": {{"old.example": {{"username": "u", "password": "{pull}"}}}}}}"#);
    let applied = format!(r#"{{"stringData": {{"key": "{string_data}"}}}}"#);
    let image = format!("{}/shop/web:1.4.2", shop.sources.address());
    let [data, token, release] = [data, token, release].map(|text| STANDARD.encode(text));
    let binary = STANDARD.encode([&[0xff, 0xfe], file.as_bytes()].concat());
    shop.namespace.apply(&format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: canary, labels: {{app.kubernetes.io/name: shop}}}}
spec:
  selector: {{matchLabels: {{app: canary}}}}
  template:
    metadata: {{labels: {{app: canary}}}}
    spec:
      imagePullSecrets: [{{name: pull}}]
      containers:
        - name: main
          image: {image}
          env: [{{name: A, valueFrom: {{secretKeyRef: {{name: by-data, key: key}}}}}}]
          envFrom: [{{secretRef: {{name: by-string-data}}}}]
      volumes:
        - {{name: file, secret: {{secretName: by-file}}}}
        - {{name: token, secret: {{secretName: token}}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: by-data}}, data: {{key: {data}}}}}
---
apiVersion: v1
kind: Secret
metadata:
  name: by-string-data
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{applied}'
    note: it is {string_data}
stringData: {{key: {string_data}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: by-file}}, immutable: true, data: {{odd.name_1-: {binary}, empty: ''}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: token, annotations: {{kubernetes.io/service-account.name: robot}}}}
type: kubernetes.io/service-account-token
data: {{token: {token}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: pull}}, type: kubernetes.io/dockerconfigjson,
  stringData: {{.dockerconfigjson: '{docker}'}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: sh.helm.release.v1.other.v1, labels: {{owner: helm, name: other, app.kubernetes.io/name: shop}}}}
type: helm.sh/release.v1
data: {{release: {release}}}
---
{{apiVersion: v1, kind: Secret, metadata: {{name: others}}, stringData: {{key: {others}}}}}
"
    ));
}

/// Everything that left: what is at the destination, in a layout, on the streams, in files.
struct Left {
    chart: Chart,
    texts: BTreeMap<String, String>,
}

fn export(shop: &Shop<'_>, policy: &[&str]) -> Left {
    let mut texts = BTreeMap::new();
    let mut said = |name: &str, output: &Output| {
        texts.insert(format!("stdout of {name}"), output.stdout.clone());
        texts.insert(format!("stderr of {name}"), output.stderr.clone());
    };
    let namespace = shop.namespace.name();
    let outhaul = shop.outhaul();
    let base = ["app", "export", "shop", "-n", namespace, "-vv"];
    let run = |further: &[&str]| outhaul.run(&[&base[..], policy, further].concat()).ok();
    for format in ["table", "json", "yaml"] {
        said(&format!("a plan as {format}"), &run(&["-r", "team", "--dry-run", "-o", format]));
    }
    let report = run(&["-r", "team", "-o", "json"]);
    said("an export", &report);
    said("an export again", &run(&["-r", "team", "-o", "table"]));
    said("an export to a layout", &run(&["--to", "layout", "-o", "yaml"]));
    for format in ["table", "json"] {
        let show = ["app", "show", "shop", "-n", namespace, "-vv", "-o", format];
        let save = ["--save-snapshot", "snapshot.json"];
        said(&format!("app show as {format}"), &outhaul.run(&[&show[..], &save].concat()).ok());
    }
    files(outhaul.home(), &mut texts);
    let target = shop.destination.target();
    for repository in [shop.chart_repository(), shop.image_repository()] {
        texts.insert(format!("tags of {repository}"), target.tags(&repository).join("\n"));
    }
    let chart = shop.published(&version(&report));
    texts.insert("the chart's configuration".into(), text(&chart.config));
    texts.insert("the chart's annotations".into(), format!("{:?}", chart.annotations));
    Left { chart, texts }
}

/// Every file below a folder, unpacked where it is packed. The chart in a layout is packed, and is
/// looked at by itself: what it may hold depends on the policy.
fn files(folder: &Path, texts: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, texts);
        } else {
            texts.insert(path.display().to_string(), text(&std::fs::read(&path).unwrap()));
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Names of the texts in which the value stands, as it is or in base64 at any offset.
fn holding<'t>(
    texts: impl IntoIterator<Item = (&'t String, String)>,
    canary: &str,
) -> Vec<&'t str> {
    // Cut by up to two bytes at either end, the middle of the base64 is the same in every context.
    let encoded = (0..3).map(|skip| {
        let rest = &canary[skip..];
        STANDARD.encode(&rest[..rest.len() / 3 * 3])
    });
    // Shorter ones occur by chance.
    let encoded = encoded.filter(|encoded| encoded.len() >= 8);
    let spellings: Vec<String> = encoded.chain([canary.to_owned()]).collect();
    let holds = |text: &str| spellings.iter().any(|spelling| text.contains(spelling.as_str()));
    texts.into_iter().filter(|(_, text)| holds(text)).map(|(name, _)| name.as_str()).collect()
}

impl Left {
    /// Where in the chart's files the value stands.
    fn in_chart(&self, canary: &str) -> Vec<&str> {
        holding(self.chart.files.iter().map(|(path, bytes)| (path, text(bytes))), canary)
    }

    fn elsewhere(&self, canary: &str) -> Vec<&str> {
        holding(self.texts.iter().map(|(name, text)| (name, text.clone())), canary)
    }

    /// No canary is anywhere but in the chart, and there only those that are used, in `file`.
    fn check(&self, file: Option<&str>) {
        for canary in USED.iter().chain(&NEVER) {
            assert_eq!(self.elsewhere(canary), [""; 0], "{canary}");
        }
        for canary in NEVER {
            assert_eq!(self.in_chart(canary), [""; 0], "{canary}");
        }
        for canary in USED {
            assert_eq!(self.in_chart(canary), file.as_slice(), "{canary}");
        }
    }
}

fn planted() -> Shop<'static> {
    let shop = Shop::start();
    plant(&shop);
    shop
}

#[test]
fn by_reference_nothing_leaves() {
    export(&planted(), &[]).check(None);
}

#[test]
fn what_is_required_is_asked_for_and_does_not_leave() {
    let left = export(&planted(), &["--secrets", "require"]);
    left.check(None);
    let values = text(&left.chart.files["values.yaml"]);
    assert!(
        ["by-data:", "by-string-data:", "by-file:", "odd.name_1-: "]
            .iter()
            .all(|key| values.contains(key))
    );
}

#[test]
fn what_is_encrypted_leaves_for_those_who_have_the_key() {
    let shop = planted();
    let key = age::x25519::Identity::generate();
    let recipient = key.to_public().to_string();
    let left = export(&shop, &["--secrets", "encrypt", "--age-recipient", &recipient]);
    left.check(None);
    let opened = sealed::open(&left.chart, &[key]).unwrap();
    let names: Vec<&str> = opened.iter().map(|secret| &*secret.name).collect();
    assert_eq!(names, ["by-data", "by-file", "by-string-data", "shop-credentials", "shop-tls"]);
    for secret in &opened {
        let manifest: Value = serde_json::from_str(secret.manifest.expose_secret()).unwrap();
        let live = shop.namespace.get("v1", "Secret", &secret.name).unwrap();
        for field in ["type", "data", "immutable"] {
            assert_eq!(manifest.get(field), live.get(field), "{field} of {}", secret.name);
        }
    }
}

#[test]
fn what_is_included_leaves_in_the_values_alone() {
    let shop = planted();
    let left = export(&shop, &["--secrets", "include"]);
    left.check(Some("values.yaml"));
    // The chart makes them as they were; the notes do not repeat them.
    let helm = Helm::v4().kubeconfig(shop.namespace.cluster().kubeconfig("admin"));
    let target = shop.namespace.cluster().namespace("included");
    let folder = helm.folder().join("chart");
    for (path, bytes) in &left.chart.files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    let folder = folder.display().to_string();
    let installed = helm.run(&["install", "shop", &folder, "-n", target.name()]).ok();
    for canary in USED.iter().chain(&NEVER) {
        let said = [(&installed.command, installed.stdout.clone() + &installed.stderr)];
        assert_eq!(holding(said, canary), [""; 0], "{canary} in the notes");
    }
    for name in ["by-data", "by-file", "by-string-data"] {
        let [there, live] =
            [&target, &shop.namespace].map(|of| of.get("v1", "Secret", name).unwrap());
        for field in ["type", "data", "immutable"] {
            assert_eq!(there.get(field), live.get(field), "{field} of {name}");
        }
    }
    let token = target.get("v1", "Secret", "token").unwrap();
    assert_eq!(
        (&token["type"], token.get("data")),
        (&"kubernetes.io/service-account-token".into(), None)
    );
}
