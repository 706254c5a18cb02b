//! What single objects say gives the list that the whole namespace gives.

use std::fs;
use std::path::Path;

use outhaul::app::{Candidate, Glance, Object, Plaintext, Snapshot, glance, list};
use serde_json::{Value, json};

use super::{cluster, yaml};

/// Groups of the kinds that the index watches.
const GROUPS: [&str; 5] = ["", "apps", "batch", "networking.k8s.io", "application.epinio.io"];

/// The applications of objects in a namespace: of all of them together, and of one after the other.
fn both(objects: Vec<Object>, namespace: &str) -> [Vec<Candidate>; 2] {
    let looked_at = objects.iter().filter(|object| GROUPS.contains(&object.group()));
    let glances: Vec<Glance> = looked_at.filter_map(|of| Glance::of(of, namespace)).collect();
    let mut snapshot = Snapshot::new(jiff::Timestamp::UNIX_EPOCH, cluster(), namespace);
    for mut object in objects {
        if object.namespace().is_none() {
            object.fields_mut()["metadata"]["namespace"] = namespace.into();
        }
        snapshot.push(object, Plaintext::Drop).unwrap();
    }
    // Backwards: objects come in no order.
    [list(&snapshot), glance::list(glances.iter().rev(), namespace)]
}

fn fixtures() -> Vec<(String, Vec<Object>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/apps");
    let mut found = Vec::new();
    for folder in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let is_app = |file: &Path| {
            file.extension().is_some_and(|of| of == "yaml")
                && !file.ends_with("expect.yaml")
                && !file.ends_with("cluster.yaml")
        };
        let files = files.filter(|file| is_app(file));
        let objects = files.flat_map(|file| yaml(&fs::read_to_string(file).unwrap())).collect();
        found.push((folder.file_name().unwrap().to_str().unwrap().to_owned(), objects));
    }
    found
}

#[test]
fn of_every_application() {
    let mut count = 0;
    for (name, objects) in fixtures() {
        let [whole, single] = both(objects, &name);
        assert_eq!(whole, single, "{name}");
        count += whole.len();
    }
    assert!(count > 30, "{count}");
}

fn object(kind: (&str, &str), name: &str, metadata: Value, spec: Value) -> Object {
    let mut object = json!({"apiVersion": kind.0, "kind": kind.1});
    object["metadata"] = metadata;
    object["metadata"]["name"] = name.into();
    object["spec"] = spec;
    Object::new(object).unwrap()
}

const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");
const EPINIO: (&str, &str) = ("application.epinio.io/v1", "App");

fn template(labels: Value) -> Value {
    let mut spec = json!({"template": {"metadata": {}}});
    spec["template"]["metadata"]["labels"] = labels;
    spec
}

fn of_epinio(app: &str) -> Value {
    json!({"app.kubernetes.io/name": app, "app.kubernetes.io/part-of": "n",
        "app.kubernetes.io/component": "application"})
}

fn of_release(release: &str) -> Value {
    json!({"annotations": {"meta.helm.sh/release-name": release}})
}

fn owned(api_version: &str, kind: &str) -> Value {
    json!({"ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": "x"}]})
}

fn names(apps: &[Candidate]) -> Vec<&str> {
    apps.iter().map(|app| app.name.as_str()).collect()
}

#[test]
fn of_all_that_names_an_application() {
    let none = || json!({});
    let excluded = json!({"labels": {"outhaul.dev/exclude": "true"}});
    let elsewhere = json!({"annotations": {"meta.helm.sh/release-name": "away",
        "meta.helm.sh/release-namespace": "other"}});
    let [whole, single] = both(
        vec![
            object(EPINIO, "fox", none(), none()),
            object(DEPLOYMENT, "r1", none(), template(of_epinio("fox"))),
            // An application of Epinio's that is not there any more.
            object(DEPLOYMENT, "r2", none(), template(of_epinio("gone"))),
            object(DEPLOYMENT, "web", of_release("shop"), none()),
            object(("v1", "ConfigMap"), "settings", of_release("idle"), none()),
            object(("v1", "ConfigMap"), "others", elsewhere, none()),
            object(("v1", "Secret"), "keys", of_release("hidden"), none()),
            object(DEPLOYMENT, "left-out", excluded, none()),
            object(("batch/v1", "Job"), "once", of_release("hook"), none()),
            object(
                ("batch/v1", "CronJob"),
                "nightly",
                none(),
                json!({"jobTemplate": {
                "spec": template(json!({"app": "reports"}))}}),
            ),
            object(("apps/v1", "ReplicaSet"), "made", owned("apps/v1", "Deployment"), none()),
            object(("v1", "Pod"), "made-too", owned("apps/v1", "ReplicaSet"), none()),
            object(("v1", "Pod"), "by-operator", owned("db.example/v1", "Postgres"), none()),
        ],
        "n",
    );
    assert_eq!(whole, single);
    assert_eq!(names(&single), ["by-operator", "fox", "gone", "idle", "reports", "shop"]);
}

/// The difference that is documented: what an operator's resource says is not known.
#[test]
fn but_of_resources_of_operators() {
    let [whole, single] = both(
        vec![
            object(("db.example/v1", "Postgres"), "x", of_release("shop"), json!({})),
            object(("apps/v1", "StatefulSet"), "x", owned("db.example/v1", "Postgres"), json!({})),
        ],
        "n",
    );
    assert_eq!((names(&whole), names(&single)), (vec!["shop"], vec!["x"]));
}
