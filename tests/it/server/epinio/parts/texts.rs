//! `manifest`, `values` and `chart`: what a user installs the same again by.

use serde_json::Value;

use super::super::client::{by_tls, logged_in};
use super::super::{get, refused, site};
use super::{Sample, TRICKY, config, values};
use crate::support::helm::Helm;

const BYTES: &str = "application/octet-stream";
const YAML: &str = "application/yaml; charset=utf-8";
const GZIP: &str = "application/x-gzip";

/// Everything that Epinio's client writes for `app export sample DIR`, but the image.
fn exported(sample: &Sample, helm: &Helm) {
    std::fs::write(helm.folder().join("values.yaml"), sample.part("values", BYTES)).unwrap();
    std::fs::write(helm.folder().join("app-chart.tar.gz"), sample.part("chart", GZIP)).unwrap();
}

#[test]
fn values_are_what_the_release_was_given_sorted() {
    let sample = Sample::new("values");
    let text = String::from_utf8(sample.part("values", BYTES)).unwrap();
    let image = format!("{}/demo/web:1", sample.images.address());
    let expected = format!(
        r##"chartConfig:
  tuning: speed
epinio:
  appName: sample
  configpaths: []
  configurations: []
  env:
  - name: PASSWORD
    origin: ""
    value: CANARY-sample
  - name: TRICKY
    origin: ""
    value: "{{\n  \"a\": \"it's {{{{ .x }}}}\",\n  \"b\": [1, \"\\\\n\"]\n}}\n# no comment:
      \t'\"\n"
  imageURL: {image}
  ingress: null
  replicaCount: 1
  routes:
  - domain: sample.example.org
    id: sample.example.org
    path: /
  stageID: ""
  start: null
  tlsIssuer: epinio-ca
  username: admin
userConfig:
  count: 5
  foo: bar
  "on": true
  ratio: 0.5
  word: "on"
"##
    );
    assert_eq!(text, expected);
    assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), values(&image));
}

#[test]
fn chart_and_values_deploy_the_same_again() {
    let sample = Sample::new("again");
    let env = |object: &Value| object["spec"]["template"]["spec"]["containers"][0]["env"].clone();
    let before = sample.namespace.get("apps/v1", "Deployment", "sample").unwrap();
    assert_eq!(env(&before)[1]["value"], TRICKY);
    for helm in Helm::both() {
        let helm = helm.kubeconfig(site().0.cluster().kubeconfig("admin"));
        exported(&sample, &helm);
        let target = site().0.cluster().namespace("target");
        let at = ["-n", target.name(), "-f", "values.yaml"];
        helm.run(&[&["install", "anew", "app-chart.tar.gz"], &at[..]].concat()).ok();
        let after = target.get("apps/v1", "Deployment", "sample").unwrap();
        assert_eq!(env(&after), env(&before));
        let settings = |object: &Value| object["metadata"]["annotations"]["settings"].clone();
        assert_eq!(settings(&after), settings(&before));
        assert!(settings(&after).as_str().unwrap().contains("\"on\":true"));
    }
}

#[test]
fn case_6_the_client_exports_exactly_three_files() {
    let sample = Sample::new("case-six");
    let server = by_tls(&[]);
    for (at, client) in logged_in(&server, "admin", "case-six").iter_mut().enumerate() {
        let folder = sample.helm.folder().join(format!("exported-{at}"));
        client.run(&["app", "export", "sample", folder.to_str().unwrap()]).ok();
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
        names.sort();
        assert_eq!(names, ["app-chart.tar.gz", "app-image.tar", "values.yaml"]);
        let file = |name: &str| std::fs::read(folder.join(name)).unwrap();
        assert_eq!(file("values.yaml"), sample.part("values", BYTES));
        assert!(file("app-chart.tar.gz") == sample.part("chart", GZIP));
        config(&file("app-image.tar"), &sample.image.manifests[0]);
        let manifest = folder.join("manifest.yaml");
        client.run(&["app", "manifest", "sample", manifest.to_str().unwrap()]).ok();
        assert_eq!(file("manifest.yaml"), sample.part("manifest", YAML));
    }
}

#[test]
fn the_chart_is_the_one_that_was_installed_byte_for_byte_each_time() {
    let sample = Sample::new("charted");
    let first = sample.part("chart", GZIP);
    assert_eq!(sample.part("chart", GZIP), first);
    let text = String::from_utf8_lossy(&first);
    assert!(!text.contains("CANARY"));
    let helm = Helm::v3();
    exported(&sample, &helm);
    let shown = helm.run(&["show", "all", "app-chart.tar.gz"]).ok().stdout;
    for part in ["name: epinio-application", "version: 0.1.26", "appName: default"] {
        assert!(shown.contains(part), "{shown}");
    }
    let template = |chart: &str, values: &str| {
        helm.run(&["template", "x", chart, "-n", "y", "-f", values]).ok().stdout
    };
    let folder = sample.helm.folder();
    let [chart, given] = ["chart", "given.json"].map(|name| folder.join(name));
    let theirs = template(chart.to_str().unwrap(), given.to_str().unwrap());
    assert_eq!(template("app-chart.tar.gz", "values.yaml"), theirs);
}

#[test]
fn the_manifest_is_what_push_takes() {
    let sample = Sample::new("manifest");
    let text = String::from_utf8(sample.part("manifest", YAML)).unwrap();
    let image = format!("{}/demo/web:1", sample.images.address());
    let manifest: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(manifest["configuration"]["environment"]["TRICKY"], TRICKY);
    let start = "name: sample\nconfiguration:\n  instances: 1\n  environment:\n    \
                 PASSWORD: CANARY-sample\n    TRICKY: \"";
    assert!(text.starts_with(start), "{text}");
    let end = format!(
        "  routes:\n  - sample.example.org\n  appchart: standard\norigin:\n  container: {image}\n\
         namespace: manifest\n"
    );
    assert!(text.ends_with(&end), "{text}");
    assert!(!text.contains("grouped"));
}

#[test]
fn parts_have_exactly_five_names_and_bogus_ones_are_refused_before_anything_is_looked_up() {
    let (_, server) = site();
    site().0.namespace("named");
    let at = |namespace: &str, part: &str| {
        let path = format!("/namespaces/{namespace}/applications/nope/part/{part}");
        get(server, "admin", &path)
    };
    let names = [
        "bogus",
        "ARCHIVE",
        "Values",
        "value",
        "valuess",
        "chart%20",
        "%20image",
        "values%0A",
        "%00",
    ];
    for name in names {
        let title = refused(&at("named", name), 400);
        let title = title.as_str().unwrap().to_owned();
        assert!(title.starts_with("unknown '"), "{title}");
        let end = "' part, expected chart, manifest, image, values, or archive";
        assert!(title.ends_with(end), "{title}");
    }
    for part in ["manifest", "values", "chart", "image", "archive"] {
        assert_eq!(refused(&at("named", part), 404), "application 'nope' does not exist");
        assert_eq!(refused(&at("nowhere", part), 404), "namespace 'nowhere' does not exist");
    }
    assert_eq!(refused(&at("nowhere", "bogus"), 404), "namespace 'nowhere' does not exist");
    let none = "/api/v1/namespaces/named/applications/nope/part/";
    assert_eq!(refused(&at("named", ""), 404), format!("route '{none}' does not exist"));
}

/// Whoever makes a workload writes on it what they like: the password of a database is in the values of
/// another release of the namespace.
#[test]
fn the_values_of_another_release_are_not_told() {
    let sample = Sample::new("foreign-release");
    let at = sample.namespace.name();
    sample.helm.write("given.json", r#"{"epinio": {"appName": "db", "env": [], "imageURL": "x"}}"#);
    let password = ["--set", "password=CANARY-db,epinio.replicaCount=1"];
    let install = ["install", "db", "chart", "-n", at, "-f", "given.json"];
    sample.helm.run(&[&install[..], &password].concat()).ok();
    sample.namespace.apply_as(
        "mallory",
        "apiVersion: apps/v1
kind: Deployment
metadata: {name: sample, annotations: {meta.helm.sh/release-name: db}}
",
    );
    for part in ["values", "chart", "archive"] {
        let answer = sample.get(part);
        let title = refused(&answer, 422);
        assert_eq!(title, "there is no release of Helm for application 'sample'", "{part}");
    }
}
