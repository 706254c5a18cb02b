//! What a real API server made of an application, against what the person wrote.

use outhaul::app::{App, Object, Origin};
use serde_json::Value;

use super::{cluster, json_objects, named, objects, snapshot};

fn live(how: &str) -> App {
    named(&snapshot(cluster(), json_objects(&format!("live/{how}.json"))), "shop")
}

fn written() -> App {
    named(&snapshot(Origin::Manifests, objects("written.yaml")), "shop")
}

/// The order of fields is the server's: it means nothing, and Values compare without it.
fn differences(live: &App, written: &App) -> Vec<String> {
    let mut differences = Vec::new();
    let find = |object: &Object| live.objects.iter().find(|of| of.id() == object.id());
    for object in &written.objects {
        let Some(found) = find(object) else {
            differences.push(format!("{} is missing", object.id()));
            continue;
        };
        compare(&object.id().to_string(), &value(found), &value(object), &mut differences);
    }
    let known: Vec<_> = written.objects.iter().map(Object::id).collect();
    let more = live.objects.iter().map(Object::id).filter(|id| !known.contains(id));
    differences.extend(more.map(|id| format!("{id} is too much")));
    differences
}

fn value(object: &Object) -> Value {
    Value::Object(object.fields().clone())
}

fn compare(at: &str, live: &Value, written: &Value, differences: &mut Vec<String>) {
    match (live, written) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let null = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                compare(&format!("{at} {key}"), a, b, differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{at} {place}"), a, b, differences);
            }
        }
        (a, b) if a == b => {}
        (a, b) => differences.push(format!("{at}: {a} was {b}")),
    }
}

/// Differences that are meant: an image without a tag is pulled always, which with a digest would
/// not be the default any more; one replica is a value that people change; and the class that
/// admission gave an Ingress becomes a value.
const MEANT: [&str; 3] = [
    r#"Deployment web spec template spec containers 1 imagePullPolicy: "Always" was null"#,
    "StatefulSet db spec replicas: 1 was null",
    r#"Ingress web spec ingressClassName: "nginx" was null"#,
];

#[test]
fn kubectl_apply_gives_back_what_was_written() {
    assert_eq!(differences(&live("apply"), &written()), MEANT);
}

#[test]
fn server_side_apply_gives_back_what_was_written() {
    assert_eq!(differences(&live("ssa"), &written()), MEANT);
}

/// Nothing tells whether a person wrote a default that the server would have filled in.
#[test]
fn kubectl_create_gives_back_what_was_written_but_for_defaults() {
    let differences = differences(&live("create"), &written());
    let (meant, defaults): (Vec<_>, Vec<_>) =
        differences.into_iter().partition(|difference| MEANT.contains(&difference.as_str()));
    assert_eq!(meant, MEANT);
    let expected = [
        r#"PersistentVolumeClaim chosen spec volumeMode: null was "Filesystem""#,
        r#"Service web spec ports 1 protocol: null was "TCP""#,
        r#"Deployment web spec template spec containers 0 readinessProbe httpGet path: null was "/""#,
        r#"Deployment web spec template spec containers 0 readinessProbe httpGet scheme: null was "HTTP""#,
        "Deployment web spec template spec containers 0 readinessProbe periodSeconds: null was 10",
        r#"Deployment web spec template spec containers 0 imagePullPolicy: null was "IfNotPresent""#,
        "Deployment web spec template spec containers 1 resources: null was {}",
        r#"Deployment web spec template spec restartPolicy: null was "Always""#,
        "StatefulSet db spec template spec terminationGracePeriodSeconds: null was 30",
        r#"StatefulSet db spec podManagementPolicy: null was "OrderedReady""#,
        "CronJob report spec successfulJobsHistoryLimit: null was 3",
    ];
    assert_eq!(defaults, expected);
}
