//! Nasty texts, read by Helm's own YAML reader: in templates, in values, and printed by `toYaml`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul::chart::Chart;
use outhaul::chart::yaml::{Node, document, template};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use super::oracle::{differences, rendered};
use super::shop;
use crate::support::helm::Helm;

/// Texts made of these are shown to Helm, too.
const GENERATED: usize = 3000;

/// Generated objects that are shown to Helm.
const OBJECTS: usize = 300;

/// Values are printed in base64: their JSON holds characters that YAML does not take.
const PRINT_VALUES: &str =
    "kind: Values\nmetadata: {name: x}\nvalues: {{ .Values | toJson | b64enc }}\n";

fn traps() -> Vec<String> {
    serde_json::from_str(include_str!("../../../src/chart/yaml/traps.json")).unwrap()
}

/// Every trap, and traps behind each other, the same each time.
fn nasty() -> Vec<String> {
    let (traps, mut random) = (traps(), fastrand::Rng::with_seed(1));
    let generated = (0..GENERATED).map(|_| {
        let parts = random.usize(2..5);
        (0..parts).map(|_| &*traps[random.usize(..traps.len())]).collect::<String>()
    });
    traps.iter().cloned().chain(generated).collect()
}

fn object(kind: &str, fields: &[(&str, Value)]) -> Value {
    let mut object = json!({"kind": kind, "metadata": {"name": "x"}});
    object.as_object_mut().unwrap().extend(fields.iter().map(|(k, v)| ((*k).into(), v.clone())));
    object
}

fn chart(files: &[(&str, String)]) -> Chart {
    let meta = ("Chart.yaml", "apiVersion: v2\nname: traps\nversion: 1.0.0\n".to_owned());
    let files = files.iter().chain([&meta]);
    let files: BTreeMap<_, _> =
        files.map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes())).collect();
    Chart { name: "traps".to_owned(), files, ..shop::chart() }
}

#[test]
fn helm_reads_what_was_meant_in_templates_and_in_values() {
    let nasty = nasty();
    let by_number: Map<String, Value> =
        nasty.iter().enumerate().map(|(at, text)| (format!("k{at}"), json!(text))).collect();
    let as_keys: Map<String, Value> = nasty.iter().map(|text| (text.clone(), json!("v"))).collect();
    let fields = [
        ("values", Value::from(by_number)),
        ("list", json!(nasty)),
        ("nested", json!([{"a": nasty, "b": {"c": nasty}}])),
    ];
    let keys = [("keys", Value::from(as_keys))];
    let literal = object("Literal", &[&fields[..], &keys[..]].concat());
    let chart = chart(&[
        ("templates/literal.yaml", template(&Node::from(&literal))),
        ("values.yaml", document(&Node::from(&object("Values", &fields)))),
        ("templates/values.yaml", PRINT_VALUES.to_owned()),
    ]);
    let expected = BTreeMap::from([
        ("Literal x".to_owned(), literal),
        ("Values x".to_owned(), object("Values", &fields)),
    ]);
    for helm in Helm::both() {
        let mut rendered = rendered(&helm, &chart, &[]);
        let values = rendered["Values x"]["values"].as_str().unwrap();
        let values = STANDARD.decode(values).unwrap();
        rendered.insert("Values x".to_owned(), serde_json::from_slice(&values).unwrap());
        assert_eq!(differences(&expected, &rendered), Vec::<String>::new());
    }
}

#[test]
fn config_maps_of_one_nasty_text_come_back() {
    let object = |(at, text): (usize, &String)| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("c{at}"),
            "annotations": {"text": text}}, "data": {"text": text}})
    };
    let app = shop::app_of(traps().iter().enumerate().map(object).collect());
    let chart = shop::plain_chart_of(&app);
    for helm in Helm::both() {
        let rendered = rendered(&helm, &chart, &[]);
        for (at, text) in traps().iter().enumerate() {
            let object = &rendered[&format!("ConfigMap c{at}")];
            assert_eq!(object["data"]["text"], **text);
            assert_eq!(object["metadata"]["annotations"]["text"], **text);
        }
    }
}

/// Values as custom resources may hold them. Integers are those that Helm's `toJson`, which the
/// reader prints by, keeps: it counts in floats.
fn json_value() -> impl Strategy<Value = Value> {
    let text = || prop_oneof![any::<String>(), prop::sample::select(traps())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53)..1 << 53).prop_map(Value::from),
        (prop::num::f64::NORMAL | prop::num::f64::ZERO).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// All objects in one chart: each helm runs twice, not once for each.
#[test]
fn any_object_survives_emitter_and_helm() {
    let mut runner = TestRunner::deterministic();
    let objects: Vec<(String, Value)> = (0..OBJECTS)
        .map(|at| {
            let spec = json_value().new_tree(&mut runner).unwrap().current();
            let name = format!("o-{at}");
            let object = json!({"kind": "Any", "metadata": {"name": name}, "spec": spec});
            (format!("Any {name}"), object)
        })
        .collect();
    let files: Vec<(String, String)> = objects
        .iter()
        .enumerate()
        .map(|(at, (_, object))| (format!("templates/{at}.yaml"), template(&Node::from(object))))
        .collect();
    let files: Vec<(&str, String)> =
        files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let chart = chart(&files);
    for helm in Helm::both() {
        let rendered = rendered(&helm, &chart, &[]);
        for (id, object) in &objects {
            assert!(same(object, &rendered[id]), "{object}\n{}", rendered[id]);
        }
    }
}

/// Equal, but for how a number is written and its last bit, which reading JSON may lose.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || ((a - b) / a).abs() <= f64::EPSILON
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (one, other) => one == other,
    }
}
