use serde_json::json;

use super::*;

/// One of each kind that a drill changes, leaves out or refuses, and neighbours that it does not.
const OBJECTS: &str = include_str!("isolate_tests.yaml");

fn place(namespaced: Option<bool>) -> Place<'static> {
    Place { namespace: "scratch", namespaced, leave_out: &[] }
}

fn object(value: Value) -> Object {
    Object::new(value).unwrap()
}

/// Kinds of the example that are in no namespace.
const CLUSTER_SCOPED: [&str; 4] =
    ["APIService", "ClusterRole", "CustomResourceDefinition", "ValidatingWebhookConfiguration"];

#[test]
fn what_becomes_of_each_kind() {
    let documents: Vec<Value> = serde_saphyr::from_multiple(OBJECTS).unwrap();
    let mut text = String::new();
    for document in documents {
        let object = object(document);
        let title = format!("{} {}", object.kind(), object.name());
        let namespaced =
            (object.kind() != "Unserved").then(|| !CLUSTER_SCOPED.contains(&object.kind()));
        text.push_str(&match isolate(object.clone(), place(namespaced)) {
            Fate::LeftOut(reason) => format!("{title}: left out, {reason}\n"),
            Fate::Refused(reason) => format!("{title}: refused, {reason}\n"),
            Fate::Restored(same, changes) if same == object => {
                assert_eq!(changes, [""; 0], "{title}");
                format!("{title}: restored\n")
            }
            Fate::Restored(other, changes) => {
                let spec = serde_saphyr::to_string(&Value::from(other)).unwrap();
                let spec = spec.trim_end().replace('\n', "\n  ");
                format!("{title}: changed, {changes:?}\n  {spec}\n")
            }
        });
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_isolated_once_stays_as_it_is() {
    let documents: Vec<Value> = serde_saphyr::from_multiple(OBJECTS).unwrap();
    for document in documents {
        if let Fate::Restored(object, _) = isolate(object(document), place(Some(true))) {
            assert_eq!(isolate(object.clone(), place(Some(true))), Fate::Restored(object, vec![]));
        }
    }
}

#[test]
fn an_object_is_left_out_by_kind_group_and_name() {
    let web = object(json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web"}}));
    let is_left_out = |asked: &str| {
        let asked = [asked.to_owned()];
        let place = Place { leave_out: &asked, ..place(Some(true)) };
        matches!(isolate(web.clone(), place), Fate::LeftOut(_))
    };
    for asked in ["deployment", "Deployment.apps", "deployment/web"] {
        assert!(is_left_out(asked), "{asked}");
    }
    for asked in ["", "web", "Deployment/api", "Deployment.batch"] {
        assert!(!is_left_out(asked), "{asked}");
    }
}
