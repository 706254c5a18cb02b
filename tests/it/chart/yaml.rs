//! Nasty texts, read by Helm's own YAML reader: in templates, in values, and printed by `toYaml`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul::chart::Chart;
use outhaul::chart::yaml::{Node, document, template};
use serde_json::{Map, Value, json};

use super::oracle::{differences, rendered};
use super::shop;
use crate::support::helm::Helm;

/// Texts made of these are shown to Helm, too.
const GENERATED: usize = 3000;

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
