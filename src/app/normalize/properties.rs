//! What holds of normalising, whatever the object: objects are made of the tables themselves, so
//! that a new row is covered as soon as it stands there.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::claims::LAST_APPLIED;
use super::{Context, defaults, normalise};
use crate::app::helm::{Choice, Entry, Installed, Lookup};
use crate::app::kinds::{self, Kind};
use crate::app::{Object, path};

/// What servers, controllers and admission write besides defaults.
const FILLED_IN: &[(Kind, &str, &str)] = &[
    (kinds::CLAIM, "spec.storageClassName", r#""standard""#),
    (kinds::CLAIM, "spec.volumeName", r#""pv-1""#),
    (kinds::CUSTOM_RESOURCE_DEFINITION, "spec.names", r#"{"kind":"A","listKind":"AList"}"#),
    (kinds::JOB, "spec.completions", "1"),
    (kinds::JOB, "spec.parallelism", "1"),
    (kinds::JOB, "spec.selector", r#"{"matchLabels":{"controller-uid":"1"}}"#),
    (kinds::NETWORK_POLICY, "spec.policyTypes", r#"["Ingress"]"#),
    (kinds::POD, "spec.nodeName", r#""node-1""#),
    (kinds::POD, "spec.priority", "0"),
    (
        kinds::POD,
        "spec.tolerations",
        r#"[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]"#,
    ),
    (kinds::POD, "spec.containers[].image", r#""web:1""#),
    (kinds::POD, "spec.containers[].imagePullPolicy", r#""IfNotPresent""#),
    (kinds::POD, "spec.serviceAccount", r#""default""#),
    (kinds::ROLE_BINDING, "subjects[].namespace", r#""shop""#),
    (kinds::SERVICE, "spec.clusterIP", r#""10.0.0.1""#),
    (kinds::SERVICE, "spec.clusterIPs", r#"["10.0.0.1"]"#),
    (kinds::SERVICE, "spec.ipFamilies", r#"["IPv4"]"#),
    (kinds::SERVICE, "spec.ports[].nodePort", "30000"),
    (kinds::SERVICE, "spec.ports[].port", "80"),
    (kinds::SERVICE, "spec.ports[].targetPort", "80"),
    (kinds::SERVICE, "spec.type", r#""ClusterIP""#),
    (kinds::STATEFUL_SET, "spec.volumeClaimTemplates[].apiVersion", r#""v1""#),
    (kinds::STATEFUL_SET, "spec.volumeClaimTemplates[].kind", r#""PersistentVolumeClaim""#),
    (kinds::STATEFUL_SET, "spec.volumeClaimTemplates[].status", r#"{"phase":"Pending"}"#),
];

/// How a field of a row is in an object.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Absent,
    Default,
    Other,
}

/// Who says that a person wrote the fields.
#[derive(Clone, Copy, Debug)]
enum Word {
    Nobody,
    LastApplied,
    Applied,
    Created,
}

/// An object of a kind in the making; each choice comes from a list that is gone round.
#[derive(Clone, Debug)]
struct Case {
    kind: Kind,
    states: Vec<State>,
    filled_in: Vec<bool>,
    /// Which of its mappings have a field that nobody knows.
    unknown: Vec<bool>,
    word: Word,
    /// Which fields that word is about.
    written: Vec<bool>,
}

fn case() -> impl Strategy<Value = Case> {
    let kinds: Vec<Kind> = defaults::kinds().into_iter().collect();
    let state = prop_oneof![Just(State::Absent), Just(State::Default), Just(State::Other)];
    let words = vec![Word::Nobody, Word::LastApplied, Word::Applied, Word::Created];
    let flags = || prop::collection::vec(any::<bool>(), 31);
    (
        prop::sample::select(kinds),
        prop::collection::vec(state, 97),
        flags(),
        flags(),
        prop::sample::select(words),
        flags(),
    )
        .prop_map(|(kind, states, filled_in, unknown, word, written)| Case {
            kind,
            states,
            filled_in,
            unknown,
            word,
            written,
        })
}

impl Case {
    /// The object as a person wrote it, with fields that nobody knows.
    fn object(&self) -> Value {
        let mut object = of_kind(self.kind);
        let fields = object.as_object_mut().unwrap();
        for ((at, default), state) in rows(self.kind).iter().zip(self.states.iter().cycle()) {
            let default: Value = serde_json::from_str(default).unwrap();
            match state {
                State::Absent => {}
                State::Default => put(fields, at, &default),
                State::Other => put(fields, at, &other(&default)),
            }
        }
        sow(&mut object, &mut self.unknown.iter().cycle().copied(), &mut 0);
        object
    }

    /// The same as a server has it.
    fn live(&self) -> Value {
        let written = self.object();
        let mut object = written.clone();
        let fields = object.as_object_mut().unwrap();
        let own = FILLED_IN.iter().filter(|(kind, ..)| *kind == self.kind);
        for ((_, at, value), _) in own.zip(self.filled_in.iter().cycle()).filter(|(_, on)| **on) {
            put(fields, at, &serde_json::from_str(value).unwrap());
        }
        fields.insert("status".to_owned(), json!({"phase": "Active"}));
        let metadata = fields["metadata"].as_object_mut().unwrap();
        metadata.extend(marks());
        let mut claimed = json!({});
        claim(&written, &mut self.written.iter().cycle().copied(), &mut claimed);
        let by = |operation: &str| json!([{"manager": "kubectl", "operation": operation, "fieldsV1": claimed}]);
        match self.word {
            Word::Nobody => {}
            Word::LastApplied => put(
                metadata,
                "annotations",
                &json!({LAST_APPLIED: written.to_string(), "mine": "stays"}),
            ),
            Word::Applied => put(metadata, "managedFields", &by("Apply")),
            Word::Created => put(metadata, "managedFields", &by("Update")),
        }
        object
    }
}

fn of_kind((group, kind): Kind) -> Value {
    let api_version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}})
}

fn rows(kind: Kind) -> Vec<(String, &'static str)> {
    let object = Object::new(of_kind(kind)).unwrap();
    defaults::rows(&object).into_iter().map(|(at, default)| (at.into_owned(), default)).collect()
}

/// By which an object is known to come from a server.
fn marks() -> Map<String, Value> {
    json!({"uid": "1", "resourceVersion": "2", "generation": 3, "namespace": "shop",
        "creationTimestamp": "2026-01-01T00:00:00Z", "ownerReferences": []})
    .as_object()
    .unwrap()
    .clone()
}

/// Puts a value where a pattern leads, by all of its alternatives, and makes what is above it.
fn put(fields: &mut Map<String, Value>, pattern: &str, value: &Value) {
    let (step, rest) = pattern.split_once('.').unwrap_or((pattern, ""));
    let (names, each) = step.strip_suffix("[]").map_or((step, false), |names| (names, true));
    for name in names.split('|') {
        if rest.is_empty() {
            fields.insert(name.to_owned(), value.clone());
            continue;
        }
        let mut below = fields.entry(name).or_insert(Value::Null);
        if each {
            if below.as_array().is_none_or(Vec::is_empty) {
                *below = json!([{"name": "one"}, {"name": "two"}]);
            }
            below = &mut below[0];
        }
        if !below.is_object() {
            *below = json!({});
        }
        put(below.as_object_mut().unwrap(), rest, value);
    }
}

/// A value of the same type that is not the default.
fn other(default: &Value) -> Value {
    match default {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_i64().unwrap() + 1),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(_) => json!([{"name": "other"}]),
        _ => json!({"other": 1}),
    }
}

/// Puts a field that nobody knows, with a value that no other has, into some of the mappings.
fn sow(value: &mut Value, which: &mut impl Iterator<Item = bool>, count: &mut usize) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(|value| sow(value, which, count));
            if which.next().unwrap() {
                *count += 1;
                map.insert("nobodyKnows".to_owned(), json!(format!("unknown {count}")));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| sow(item, which, count)),
        _ => {}
    }
}

/// `fieldsV1` of some of the fields.
fn claim(value: &Value, which: &mut impl Iterator<Item = bool>, claimed: &mut Value) {
    for (key, value) in value.as_object().into_iter().flatten() {
        if which.next().unwrap() {
            let below = &mut claimed[format!("f:{key}")];
            *below = json!({});
            claim(value, which, below);
            for item in value.as_array().into_iter().flatten() {
                let keys = format!("k:{}", json!({"name": item["name"]}));
                below[&keys] = json!({});
                claim(item, which, &mut below[&keys]);
            }
        }
    }
}

/// The values of fields that nobody knows.
fn unknown(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Object(map) => map.values().flat_map(unknown).collect(),
        Value::Array(items) => items.iter().flat_map(unknown).collect(),
        Value::String(text) if text.starts_with("unknown ") => [text.as_str()].into(),
        _ => BTreeSet::new(),
    }
}

fn normalised(object: Value) -> Value {
    let context = Context::of("shop");
    normalise(&Object::new(object).unwrap(), context).object.into()
}

/// The same object, read from a server that says nothing of who wrote what.
fn live_again(mut object: Value) -> Value {
    object["metadata"].as_object_mut().unwrap().extend(marks());
    object
}

/// Any JSON, as custom resources hold it.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z{}: \u{e9}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 4, |inner| {
        let key = prop_oneof!["[a-zA-Z.]{1,6}", Just("status".to_owned()), Just("uid".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// An export that was installed and wrote this, of which it has no image.
fn installed(written: &Value) -> Lookup {
    let lock = json!({"name": "images.lock", "data": STANDARD.encode("images: []")});
    let record = json!({"name": "x", "namespace": "shop", "manifest": written.to_string(),
        "chart": {"files": [lock]}});
    let choice = Choice { taken: Entry::new("x", None, None), newer: Vec::new() };
    Lookup::decoded(&choice, Ok(STANDARD.encode(record.to_string()).into_bytes()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn normalising_twice_is_normalising_once(case in case()) {
        let once = normalised(case.live());
        prop_assert_eq!(normalised(once.clone()), once);
    }

    #[test]
    fn what_came_from_a_server_twice_is_what_came_once(case in case()) {
        let once = normalised(Case { word: Word::Nobody, ..case }.live());
        prop_assert_eq!(normalised(live_again(once.clone())), once);
    }

    #[test]
    fn what_an_export_wrote_stays_like_what_a_person_applied(case in case()) {
        let lookup = installed(&case.object());
        let installed = Installed::new(&lookup);
        prop_assert!(installed.is_some());
        let context = Context { installed: installed.as_ref(), ..Context::of("shop") };
        let of = |word| Object::new(Case { word, ..case.clone() }.live()).unwrap();
        let by_chart = normalise(&of(Word::Nobody), context).object;
        let mut by_person = normalise(&of(Word::LastApplied), Context::of("shop")).object;
        path::remove(by_person.fields_mut(), "metadata.annotations");
        prop_assert_eq!(by_chart, by_person);
    }

    #[test]
    fn a_field_that_nobody_knows_is_never_lost(case in case()) {
        let file = case.object();
        let (of_live, of_file) = (normalised(case.live()), normalised(file.clone()));
        prop_assert_eq!(unknown(&of_live), unknown(&file));
        prop_assert_eq!(unknown(&of_file), unknown(&file));
    }

    #[test]
    fn a_default_that_is_written_out_changes_nothing(mut case in case()) {
        for state in case.states.iter_mut().filter(|state| **state == State::Default) {
            *state = State::Absent; // one default at a time: together they may be a whole one
        }
        case.word = Word::Nobody;
        for (at, default) in rows(case.kind) {
            let default: Value = serde_json::from_str(default).unwrap();
            let mut with = case.live();
            put(with.as_object_mut().unwrap(), &at, &default);
            let mut without = with.clone();
            let fields = without.as_object_mut().unwrap();
            path::remove_if(fields, &at, |_, _, value| *value == default);
            prop_assert_eq!(normalised(with), normalised(without), "{}", at);
        }
    }

    #[test]
    fn a_custom_resource_loses_nothing_but_what_every_object_has_of_a_server(spec in any_json()) {
        let mut object = of_kind(("example.com", "Thing"));
        object["spec"] = spec;
        let mut live = live_again(object.clone());
        live["status"] = json!({"ready": true});
        prop_assert_eq!(normalised(live), object);
    }
}
