//! A case for every leaf of the values: what is set, and which fields of which objects that changes.
//! The rules know the application and the layout of the values, and nothing of templates. A leaf that
//! no rule knows is an error.

use outhaul::app::{App, Object};
use serde_json::{Map, Value, json};

/// A value set, and what that does.
pub(super) struct Case {
    /// Where it stands.
    pub(super) path: Vec<String>,
    /// What is set.
    value: Value,
    /// Fields that change, as `Kind name/pointer`.
    must: Vec<String>,
    /// Fields that may change with them.
    may: Vec<String>,
}

impl Case {
    pub(super) fn new(path: &[&str], value: Value, must: impl IntoIterator<Item = String>) -> Self {
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        Self { path, value, must: must.into_iter().collect(), may: Vec::new() }
    }

    pub(super) fn may(mut self, fields: impl IntoIterator<Item = String>) -> Self {
        self.may.extend(fields);
        self
    }

    /// The values of a user who sets this one.
    pub(super) fn overrides(&self) -> Value {
        let nest = |value, step: &String| json!({ step.as_str(): value });
        self.path.iter().rev().fold(self.value.clone(), nest)
    }

    /// What is wrong with the changes that it made.
    pub(super) fn judge(&self, changes: &[String]) -> Option<String> {
        let of = |field: &String, change: &String| change.starts_with(field.as_str());
        let known = self.must.iter().chain(&self.may);
        let stray = changes.iter().find(|change| !known.clone().any(|field| of(field, change)));
        let missing =
            self.must.iter().find(|field| !changes.iter().any(|change| of(field, change)));
        if stray.is_none() && missing.is_none() {
            return None;
        }
        let (path, value) = (self.path.join("/"), &self.value);
        Some(format!("{path} = {value}: stray {stray:?}, missing {missing:?} in {changes:#?}"))
    }
}

/// The cases of an application.
pub(super) struct Cases<'a> {
    pub(super) app: &'a App,
    values: &'a Value,
    pub(super) cases: Vec<Case>,
}

/// Where a kind has its pod.
fn pod(object: &Object) -> Option<&'static str> {
    match object.kind() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            Some("/spec/template/spec")
        }
        "CronJob" => Some("/spec/jobTemplate/spec/template/spec"),
        "Pod" => Some("/spec"),
        _ => None,
    }
}

pub(super) fn field(object: &Object, pointer: &str) -> String {
    format!("{} {}{pointer}", object.kind(), object.name())
}

impl<'a> Cases<'a> {
    pub(super) fn of(app: &'a App, values: &'a Value) -> Vec<Case> {
        let mut cases = Self { app, values, cases: Vec::new() };
        for section in values.as_object().unwrap().keys() {
            match section.as_str() {
                "global" => cases.global(),
                "imagePullSecrets" => cases.pull_secrets(&["imagePullSecrets"]),
                "images" => cases.images(),
                "workloads" => cases.workloads(),
                "cronJobs" => cases.cron_jobs(),
                "services" => cases.services(),
                "ingresses" => cases.ingresses(),
                "configs" => cases.configs(),
                "storage" => cases.storage(),
                "serviceAccounts" => cases.annotations("serviceAccounts", &["ServiceAccount"]),
                "secrets" => cases.secrets(),
                "clusterScoped" => cases.cluster_scoped(),
                other => panic!("no rule for section {other}"),
            }
        }
        cases.cases
    }

    pub(super) fn add(
        &mut self,
        path: &[&str],
        value: Value,
        must: impl IntoIterator<Item = String>,
    ) {
        self.cases.push(Case::new(path, value, must));
    }

    /// The entries of a section.
    pub(super) fn entries(&self, section: &str) -> Vec<(&'a str, &'a Map<String, Value>)> {
        let entries = self.values[section].as_object().unwrap().iter();
        entries.map(|(key, entry)| (key.as_str(), entry.as_object().unwrap())).collect()
    }

    /// The object of a key: its name, with the kind where two have one name.
    pub(super) fn object(&self, key: &str, kinds: &[&str]) -> &'a Object {
        let mut fits = self.app.objects.iter().filter(|object| kinds.contains(&object.kind()));
        let named = |object: &&Object| {
            object.name() == key
                || format!("{}-{}", object.kind().to_lowercase(), object.name()) == key
        };
        fits.find(named).unwrap_or_else(|| panic!("no object for {key}"))
    }

    fn uses(&self, key: Option<&str>) -> Vec<String> {
        let images = self.app.images.iter().filter(|image| key.is_none_or(|key| image.key == key));
        let uses = images.flat_map(|image| &image.uses);
        uses.map(|place| {
            format!("{} {}{}/image", place.object.kind, place.object.name, place.pointer)
        })
        .collect()
    }

    fn pods(&self, below: &str) -> Vec<String> {
        let objects = self.app.objects.iter();
        objects
            .filter_map(|object| Some(field(object, &format!("{}/{below}", pod(object)?))))
            .collect()
    }

    fn global(&mut self) {
        for key in self.values["global"].as_object().unwrap().keys() {
            match key.as_str() {
                "imageRegistry" => {
                    let uses = self.uses(None);
                    self.add(&["global", key], json!("mirror.test:5000/a/"), uses);
                }
                "imagePullSecrets" => self.pull_secrets(&["global", "imagePullSecrets"]),
                other => panic!("no rule for global.{other}"),
            }
        }
    }

    fn pull_secrets(&mut self, path: &[&str]) {
        let pods = self.pods("imagePullSecrets");
        self.add(path, json!(["one", {"name": "two"}]), pods);
        self.add(path, Value::Null, []);
    }

    fn images(&mut self) {
        for (key, entry) in self.entries("images") {
            for part in entry.keys() {
                let path = ["images", key, part.as_str()];
                let uses = self.uses(Some(key));
                match part.as_str() {
                    "registry" => {
                        self.add(&path, json!("other.test/x"), uses.clone());
                        self.add(&path, json!(""), uses);
                    }
                    "repository" => self.add(&path, json!("other/name"), uses),
                    "tag" => self.add(&path, json!("other"), []), // the digest decides
                    "digest" => {
                        self.add(&path, json!(format!("sha256:{}", "9".repeat(64))), uses.clone());
                        self.add(&path, json!(""), uses);
                    }
                    other => panic!("no rule for images.*.{other}"),
                }
            }
        }
    }

    fn workloads(&mut self) {
        for (key, entry) in self.entries("workloads") {
            let object = self.object(
                key,
                &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"],
            );
            let at = pod(object).unwrap();
            for (part, live) in entry {
                let path = ["workloads", key, part.as_str()];
                let below = [field(object, &format!("{at}/{part}"))];
                match part.as_str() {
                    "replicas" => {
                        for other in [json!(7), json!(0), Value::Null] {
                            self.add(&path, other, [field(object, "/spec/replicas")]);
                        }
                    }
                    "containers" => self.containers(key, object, live.as_object().unwrap()),
                    "nodeSelector" => self.add(&path, json!({"disk": "ssd"}), below),
                    "tolerations" => self.add(&path, json!([{"operator": "Exists"}]), below),
                    "affinity" => self.add(&path, json!({"nodeAffinity": {}}), below),
                    "topologySpreadConstraints" => self.add(&path, json!([]), below),
                    "priorityClassName" | "runtimeClassName" => {
                        self.add(&path, json!("other"), below.clone());
                        self.add(&path, json!(""), below);
                    }
                    other => panic!("no rule for workloads.*.{other}"),
                }
            }
        }
    }

    fn containers(&mut self, key: &str, object: &Object, containers: &Map<String, Value>) {
        for (name, entry) in containers {
            let at = container(object, name);
            for (part, live) in entry.as_object().unwrap() {
                let path = ["workloads", key, "containers", name, part.as_str()];
                let below = [field(object, &format!("{at}/{part}"))];
                match part.as_str() {
                    "image" => {
                        let images = self.values["images"].as_object().unwrap().keys();
                        let mut others = images.filter(|key| **key != *live);
                        if let Some(other) = others.next() {
                            self.add(&path, json!(other), below);
                        }
                    }
                    "env" => {
                        for variable in live.as_object().unwrap().keys() {
                            let path = [&path[..], &[variable.as_str()]].concat();
                            self.add(&path, json!("{{ other }} \"y\""), below.clone());
                            self.add(&path, json!(8), below.clone());
                            self.add(&path, Value::Null, below.clone());
                        }
                        self.add(&path, json!({"ADDED": "true"}), below);
                    }
                    "resources" => {
                        self.add(&path, json!({"limits": {"memory": "7Gi"}}), below);
                    }
                    other => panic!("no rule for workloads.*.containers.*.{other}"),
                }
            }
        }
    }
}

/// Pointer to a container of a workload.
fn container(object: &Object, name: &str) -> String {
    let at = pod(object).unwrap();
    let lists = ["initContainers", "containers"].map(|list| format!("{at}/{list}"));
    let mut found = lists.iter().filter_map(|list| {
        let items = object.at(list)?.as_array()?;
        Some(format!("{list}/{}", items.iter().position(|it| it["name"] == *name)?))
    });
    found.next().unwrap_or_else(|| panic!("no container {name}"))
}
