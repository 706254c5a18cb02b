//! `…/part/{part}`: what users take an application away by.

mod archive;
mod image;
mod rights;
mod texts;

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::{Value, json};

use super::{get, site};
use crate::support::helm::Helm;
use crate::support::images::{Image, Target, digest};
use crate::support::objects::Namespace;
use crate::support::registry::Registry;
use crate::support::server::Answer;

/// The release that Epinio makes of an application `sample`.
const RELEASE: &str = "sample-8151325dcdbae9e0ff95f9f9658432dbedfdb209";

/// As charts of applications are.
const CHART: &str = "apiVersion: v2
name: epinio-application
description: The helm chart epinio uses to deploy applications
version: 0.1.26
appVersion: v0.1.26
";

const TEMPLATE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Values.epinio.appName }}
  labels: &labels
    app.kubernetes.io/component: application
    app.kubernetes.io/name: {{ .Values.epinio.appName }}
    app.kubernetes.io/part-of: {{ .Release.Namespace }}
  annotations:
    settings: {{ dict "chart" .Values.chartConfig "user" .Values.userConfig | toJson | quote }}
spec:
  replicas: {{ .Values.epinio.replicaCount }}
  selector: {matchLabels: {app.kubernetes.io/name: {{ .Values.epinio.appName }}}}
  template:
    metadata: {labels: *labels}
    spec:
      containers:
      - name: web
        image: {{ .Values.epinio.imageURL }}
        env:
        {{- range .Values.epinio.env }}
        - name: {{ .name }}
          value: {{ .value | quote }}
        {{- end }}
"#;

/// A value of a variable in which quotes, braces, line feeds and backslashes meet.
const TRICKY: &str =
    "{\n  \"a\": \"it's {{ .x }}\",\n  \"b\": [1, \"\\\\n\"]\n}\n# no comment: \t'\"\n";

/// An application `sample` that runs: Epinio's resource, its release by helm, and a pod.
struct Sample {
    images: Registry,
    image: Image,
    namespace: Namespace<'static>,
    helm: Helm,
}

/// The values that Epinio gives the release.
fn values(image: &str) -> Value {
    let variable = |name: &str, value: &str| json!({"name": name, "origin": "", "value": value});
    json!({
        "epinio": {
            "appName": "sample", "configpaths": [], "configurations": [], "imageURL": image,
            "env": [variable("PASSWORD", "CANARY-sample"), variable("TRICKY", TRICKY)],
            "ingress": null, "replicaCount": 1, "stageID": "", "start": null,
            "routes": [{"id": "sample.example.org", "domain": "sample.example.org", "path": "/"}],
            "tlsIssuer": "epinio-ca", "username": "admin",
        },
        "chartConfig": {"tuning": "speed"},
        "userConfig": {"foo": "bar", "count": 5, "ratio": 0.5, "on": true, "word": "on"},
    })
}

impl Sample {
    fn new(name: &str) -> Self {
        Self::with(name, Registry::plain().start(), "demo/web")
    }

    /// With its image in this repository.
    fn with(name: &str, images: Registry, repository: &str) -> Self {
        let namespace = site().0.namespace(name);
        let image = Image::new(11, 2, 30_000);
        image.push(&images.target(), repository, "1");
        let helm = Helm::v4().kubeconfig(site().0.cluster().kubeconfig("admin"));
        let sample = Self { images, image, namespace, helm };
        let reference = format!("{}/{repository}:1", sample.images.address());
        sample.epinio(&reference);
        sample.install(&reference);
        sample.pod("sample-1", None, &reference);
        sample
    }

    /// What Epinio keeps of it.
    fn epinio(&self, image: &str) {
        let tricky = serde_json::to_string(TRICKY).unwrap();
        self.namespace.apply(&format!(
            "
apiVersion: application.epinio.io/v1
kind: App
metadata: {{name: sample}}
spec:
  chartname: standard
  imageurl: {image}
  origin: {{container: {image}}}
  routes: [sample.example.org]
---
apiVersion: v1
kind: Secret
metadata:
  name: sample-env
  labels:
    app.kubernetes.io/component: application
    app.kubernetes.io/name: sample
    app.kubernetes.io/part-of: {}
    epinio.io/area: environment
stringData: {{PASSWORD: CANARY-sample, TRICKY: {tricky}}}
",
            self.namespace.name()
        ));
    }

    /// What Epinio installs for it.
    fn install(&self, image: &str) {
        std::fs::create_dir_all(self.helm.folder().join("chart/templates")).unwrap();
        self.helm.write("chart/Chart.yaml", CHART);
        self.helm.write("chart/values.yaml", "# Comments are lost.\nepinio: {appName: default}\n");
        self.helm.write("chart/templates/app.yaml", TEMPLATE);
        self.helm.write("given.json", &values(image).to_string());
        let at = self.namespace.name();
        self.helm.run(&["install", RELEASE, "chart", "-n", at, "-f", "given.json"]).ok();
    }

    /// A pod of it on a node of this name.
    fn pod(&self, name: &str, node: Option<&str>, image: &str) {
        let place = self.namespace.name();
        let node = node.map(|node| format!("nodeName: {node}, ")).unwrap_or_default();
        self.namespace.apply(&format!(
            "
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels:
    app.kubernetes.io/component: application
    app.kubernetes.io/name: sample
    app.kubernetes.io/part-of: {place}
    epinio.io/app-container: web
spec: {{{node}containers: [{{name: web, image: '{image}'}}]}}
"
        ));
    }

    fn get(&self, part: &str) -> Answer {
        get(&site().1, "admin", &self.path(part))
    }

    /// A part, of this type and with its length.
    fn part(&self, part: &str, kind: &str) -> Vec<u8> {
        let answer = self.get(part);
        assert_eq!(answer.status, 200, "{part}: {answer:?}");
        assert_eq!(answer.header("content-type"), kind);
        assert_eq!(answer.header("content-length"), answer.bytes.len().to_string());
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("epinio-version"), "v1.14.0");
        answer.bytes
    }

    fn path(&self, part: &str) -> String {
        format!("/namespaces/{}/applications/sample/part/{part}", self.namespace.name())
    }

    fn target(&self) -> Target {
        self.images.target()
    }
}

/// The files of a tar, each once.
fn files(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(tar).entries().unwrap() {
        let (mut entry, mut bytes) = (entry.unwrap(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        let path = entry.path().unwrap().display().to_string();
        assert_eq!(files.insert(path.clone(), bytes), None, "{path} twice");
    }
    files
}

/// The configuration of the image that a docker archive holds, whose every blob is what `manifest`
/// names and the one of that digest.
fn config(archive: &[u8], manifest: &[u8]) -> Value {
    let (files, manifest) = (files(archive), serde_json::from_slice::<Value>(manifest).unwrap());
    let list: Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list[0]["RepoTags"], Value::Null);
    let named = |name: &Value| digest(&files[name.as_str().unwrap()]);
    assert_eq!(named(&list[0]["Config"]), manifest["config"]["digest"]);
    let layers: Vec<String> = list[0]["Layers"].as_array().unwrap().iter().map(named).collect();
    let wanted = manifest["layers"].as_array().unwrap().iter().map(|of| of["digest"].clone());
    assert_eq!(json!(layers), wanted.collect::<Value>());
    assert_eq!(files.len(), 2 + layers.len());
    serde_json::from_slice(&files[list[0]["Config"].as_str().unwrap()]).unwrap()
}
