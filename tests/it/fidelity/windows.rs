//! Windows of defaults: whichever part of its fields an object has, what normalising takes away
//! the server fills in again. Nothing is stored: the server only says what it would.

use std::collections::BTreeMap;

use fastrand::Rng;
use outhaul::app::{Object, Options, Origin, Plaintext, Selection, Snapshot, assemble};
use serde_json::Value;

use super::compare::{Facts, object};
use super::fixture::{Fixture, Id};
use super::server::Way;
use super::{EMPTY, oracle};

/// Variants of each object of the fixtures.
const VARIANTS: usize = 2;

/// Part of the fields that a variant goes without. Much more, and the server refuses most of them.
const GONE: f64 = 0.12;

#[test]
fn the_server_fills_in_what_normalising_takes_away() {
    let oracle = oracle();
    let server = &oracle.target;
    let mut random = Rng::with_seed(4);
    let own = oracle.fixtures.iter();
    let written: Vec<Value> = own
        .flat_map(|fixture: &Fixture| &fixture.objects)
        .flat_map(|object| (0..VARIANTS).map(|_| thinned(object, &mut random)).collect::<Vec<_>>())
        .collect();
    for way in [Way::Create, Way::Apply] {
        let texts: Vec<String> = written.iter().map(Value::to_string).collect();
        let stored = server.dry_run(&texts, EMPTY, way);
        let pairs = written.iter().zip(stored);
        // Variants that the server refuses are no objects; kinds that are not exported have none.
        let live: Vec<(&Value, Value, Value)> = pairs
            .filter_map(|(written, (_, answer))| Some((written, answer.ok()?)))
            .filter_map(|(written, live)| {
                let normalised = normalised(&live, EMPTY)?;
                Some((written, live, normalised))
            })
            .collect();
        assert!(live.len() > written.len() / 3, "{} of {}", live.len(), written.len());
        let texts: Vec<String> = live.iter().map(|(_, _, of)| of.to_string()).collect();
        let answers = server.dry_run(&texts, EMPTY, way);
        let mut found = Vec::new();
        for ((written, live, _), (_, answer)) in live.iter().zip(answers) {
            let images = &BTreeMap::new();
            let facts = Facts { written, namespace: EMPTY, images, scaled: false };
            let differences = match answer {
                Ok(answer) => object(&facts, live, &answer),
                Err(message) => vec![format!("is refused: {message}")],
            };
            let named =
                differences.iter().map(|of| format!("{} {of}\n  of {written}\n", Id::of(live)));
            found.extend(named);
        }
        assert!(found.is_empty(), "{}", found.concat());
    }
}

/// What an export has of an object, if it has it.
fn normalised(live: &Value, namespace: &str) -> Option<Value> {
    let origin = Origin::Cluster { uid: "1".to_owned(), version: "v1.35.0".to_owned() };
    let mut snapshot = Snapshot::new(jiff::Timestamp::UNIX_EPOCH, origin, namespace);
    snapshot.push(Object::new(live.clone()).unwrap(), Plaintext::Drop).unwrap();
    let all = Selection::All { name: "windows".to_owned() };
    let app = assemble(&snapshot, &all, &Options::default()).unwrap();
    app.objects.into_iter().next().map(Value::from)
}

/// The object without some of its fields.
fn thinned(object: &Value, random: &mut Rng) -> Value {
    let mut object = object.clone();
    for field in ["metadata", "spec", "rules", "subjects", "data", "webhooks"] {
        if let Some(value) = object.get_mut(field) {
            thin(value, random);
        }
    }
    object
}

fn thin(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| key == "name" || random.f64() > GONE);
            map.values_mut().for_each(|value| thin(value, random));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| thin(item, random)),
        _ => {}
    }
}
