//! Applications as files: `tests/fixtures/apps/NAME/*.yaml` are its objects, as a person applies
//! them to the namespace NAME. Beside them, each optional:
//!
//! | file | holds |
//! |---|---|
//! | `crds/*.yaml`, `cluster.yaml` | what a cluster has before the application comes |
//! | `expect.yaml` | how it is applied and exported, and what stays behind, by which finding |
//!
//! Images are of the host `registry.example.com`, which becomes a real registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::images::Image;
use crate::support::registry::Registry;

const HOST: &str = "registry.example.com";

/// Files of a folder that hold no objects of the application.
const BESIDE: [&str; 2] = ["cluster.yaml", "expect.yaml"];

/// One application.
pub(super) struct Fixture {
    pub(super) name: String,
    /// Its objects, in the order of its files.
    pub(super) objects: Vec<Value>,
    /// What both clusters have before.
    pub(super) around: Vec<Value>,
    pub(super) expect: Expect,
}

/// How an application is applied and exported.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Expect {
    /// Another application whose objects these are: the same, applied in another way.
    of: Option<String>,
    pub(super) apply: Apply,
    /// Further arguments of the export.
    pub(super) args: Vec<String>,
    /// What is not in the chart, as `Kind name`, and the finding that says so; null where nothing
    /// needs to be said, as the object is made again by a controller.
    left_out: BTreeMap<String, Option<String>>,
    /// ConfigMaps that are made for the test, by name: bytes of text that does not compress.
    large: BTreeMap<String, usize>,
    /// References that have the content of another, both without the host.
    same: BTreeMap<String, String>,
    /// Why the chart is not installed and exported once more, which has to give it unchanged.
    pub(super) not_again: Option<String>,
    /// Merged into objects after they were applied, by `Kind name`, as a person edits them.
    pub(super) edits: BTreeMap<String, Value>,
}

/// How a person brings objects into the cluster.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Apply {
    /// `kubectl apply --server-side`.
    #[default]
    ServerSide,
    /// `kubectl apply`.
    ClientSide,
    /// `kubectl create`.
    Create,
}

/// Kind and name of an object, as people write them. In one application no two are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(pub(super) String);

impl Id {
    pub(super) fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
        Self(format!("{} {}", text("/kind"), text("/metadata/name")))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Every application, or the one that `FIDELITY_APP` names.
pub(super) fn all() -> Vec<Fixture> {
    let only = std::env::var("FIDELITY_APP").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/apps");
    let folders = files(&root).into_iter().filter(|path| path.is_dir());
    let fixtures: Vec<Fixture> = folders
        .filter(|folder| only.is_empty() || folder.ends_with(&only))
        .map(|folder| Fixture::read(&folder))
        .collect();
    assert!(!fixtures.is_empty(), "there is no application {only:?} in {}", root.display());
    fixtures
}

/// A namespace, as an object.
pub(super) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

impl Fixture {
    fn read(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let mut expect: Expect = match fs::read_to_string(folder.join("expect.yaml")) {
            Ok(text) => serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}")),
            Err(_) => Expect::default(),
        };
        if let Ok(way) = std::env::var("FIDELITY_APPLY") {
            expect.apply = serde_json::from_value(json!(way)).unwrap();
        }
        let of = expect.of.as_ref().map(|of| folder.with_file_name(of));
        let home = of.as_deref().unwrap_or(folder);
        let own = files(home)
            .into_iter()
            .filter(|path| path.is_file() && !BESIDE.iter().any(|file| path.ends_with(file)));
        let mut objects: Vec<Value> = own.flat_map(|path| documents(&path)).collect();
        objects.extend(expect.large.iter().map(|(name, bytes)| large(name, *bytes)));
        let crds = files(&home.join("crds")).into_iter();
        let around =
            crds.chain([home.join("cluster.yaml")]).flat_map(|path| documents(&path)).collect();
        Self { name, objects, around, expect }
    }

    /// What has to come back.
    pub(super) fn expected(&self) -> impl Iterator<Item = Id> {
        let all = self.objects.iter().map(Id::of);
        all.filter(|id| !self.expect.left_out.contains_key(&id.0))
    }

    /// Whether an autoscaler sets the replicas of an object.
    pub(super) fn scales(&self, object: &Value) -> bool {
        self.objects.iter().any(|scaler| {
            let target = &scaler["spec"]["scaleTargetRef"];
            scaler["kind"] == "HorizontalPodAutoscaler"
                && target["kind"] == object["kind"]
                && target["name"] == object["metadata"]["name"]
        })
    }

    /// What stays behind without the finding that says so.
    pub(super) fn unexplained(&self, report: &Value) -> Vec<String> {
        let findings = report["findings"].as_array().unwrap();
        let silent = self.expect.left_out.iter().filter_map(|(id, code)| {
            let code = code.as_deref()?;
            let said = findings.iter().any(|finding| {
                let object = &finding["object"];
                let text = |key: &str| object[key].as_str().unwrap_or_default();
                finding["code"] == code && *id == format!("{} {}", text("kind"), text("name"))
            });
            (!said).then(|| format!("{id} is left out without a finding {code}"))
        });
        silent.collect()
    }

    /// Pushes an image for each reference, one content for those that are the same; gives the digests
    /// by what follows the host.
    pub(super) fn push_images(&self, registry: &Registry) -> BTreeMap<String, String> {
        let mut references = BTreeSet::new();
        for object in &self.objects {
            collect(object, &mut references);
        }
        let tagged = |reference: &str| match reference.contains(':') {
            true => reference.to_owned(),
            false => format!("{reference}:latest"),
        };
        let by_digest = |of: &&String| of.contains('@');
        let distinct: BTreeSet<String> =
            references.iter().filter(|of| !by_digest(of)).map(|of| tagged(of)).collect();
        let seed = |reference: &String| {
            let content = self.expect.same.get(reference).unwrap_or(reference);
            distinct.iter().position(|of| of == content).unwrap() as u64 + 1
        };
        let push = |reference: &String| {
            let (repository, tag) = reference.split_once(':').unwrap();
            let image = Image::new(seed(reference), 1, 64);
            (reference.clone(), image.push(&registry.target(), repository, tag))
        };
        let digests: BTreeMap<String, String> = distinct.iter().map(push).collect();
        let digest = |of: &String| match of.split_once('@') {
            Some((_, digest)) => digest.to_owned(),
            None => digests[&tagged(of)].clone(),
        };
        references.into_iter().map(|of| (of.clone(), digest(&of))).collect()
    }
}

/// What follows the host in every image reference of a value.
fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let rest = text.strip_prefix(HOST).and_then(|rest| rest.strip_prefix('/'));
            found.extend(rest.map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => map.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// The same value, with its images at a registry.
pub(super) fn with_images_at(value: &Value, registry: &str) -> Value {
    match value {
        Value::String(text) if text.starts_with(HOST) => text.replacen(HOST, registry, 1).into(),
        Value::Array(items) => items.iter().map(|item| with_images_at(item, registry)).collect(),
        Value::Object(map) => Value::Object(
            map.iter().map(|(k, item)| (k.clone(), with_images_at(item, registry))).collect(),
        ),
        other => other.clone(),
    }
}

/// A ConfigMap of this many bytes, the same each time.
fn large(name: &str, bytes: usize) -> Value {
    let mut random = fastrand::Rng::with_seed(bytes as u64);
    let text: String = std::iter::repeat_with(|| random.alphanumeric()).take(bytes).collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
        "data": {"text": text}})
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn documents(path: &Path) -> Vec<Value> {
    let Ok(text) = fs::read_to_string(path) else { return Vec::new() };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    documents.into_iter().filter(|document| !document.is_null()).collect()
}
