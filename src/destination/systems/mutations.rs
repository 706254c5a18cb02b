//! Every example with something wrong in it, at every place: nothing panics, and no secret is told.

use serde_json::{Value, json};

use super::fixtures::{documents, text};
use super::round_trips::EXAMPLES;
use super::{Document, System, WriteOptions, convert, resolve};
use crate::app::Finding;

/// Fields that hold addresses.
const ADDRESSES: [&str; 7] = [
    "url",
    "remoteURL",
    "mirror",
    "mirrorUrl",
    "address",
    "override-address",
    "default-remote-registry",
];

/// Pointers to every value within.
fn pointers(value: &Value, at: String, found: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter()
                .for_each(|(key, value)| pointers(value, format!("{at}/{}", escaped(key)), found));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(key, value)| pointers(value, format!("{at}/{key}"), found));
        }
        _ => {}
    }
    found.push(at);
}

/// The documents with one value exchanged, and with one key renamed, at every place.
fn mutations(documents: &[Value]) -> Vec<Vec<Value>> {
    let whole = Value::from(documents.to_vec());
    let mut places = Vec::new();
    pointers(&whole, String::new(), &mut places);
    let mut all = Vec::new();
    for place in places.iter().filter(|place| !place.is_empty()) {
        let last = place.rsplit('/').next().unwrap_or_default();
        // An address is where people leave a password; other texts are shown as they are.
        let text = if ADDRESSES.contains(&last) { "https://bob:canary@r.example/x" } else { "a b" };
        let other =
            [json!(null), json!(true), json!(-5), json!(text), json!([]), json!({"x|y": 1})];
        for value in other {
            let mut mutated = whole.clone();
            *mutated.pointer_mut(place).unwrap() = value;
            all.push(mutated);
        }
        let (parent, key) = place.rsplit_once('/').unwrap();
        let mut mutated = whole.clone();
        if let Some(map) = mutated.pointer_mut(parent).unwrap().as_object_mut() {
            let key = key.replace("~1", "/").replace("~0", "~");
            let value = map.shift_remove(&key).unwrap();
            map.insert("other".to_owned(), value);
            all.push(mutated);
        }
    }
    all.into_iter().map(|all| all.as_array().unwrap().clone()).collect()
}

fn assert_silent(documents: &[Document], findings: &[Finding], case: &[Value]) {
    let told = format!("{}{findings:?}", text(documents));
    for secret in ["canary", "MBWUIX"] {
        assert!(!told.contains(secret), "{case:?}\n{told}");
    }
}

#[test]
fn no_fault_makes_a_reader_panic_or_tell_a_secret() {
    let mut cases = 0;
    for (from, name) in EXAMPLES {
        for case in mutations(&documents(name)) {
            for to in System::ALL {
                cases += 1;
                match convert(from, to, case.clone(), &WriteOptions::default()) {
                    Ok(converted) => {
                        assert_silent(&converted.documents, &converted.findings, &case);
                    }
                    Err(error) => assert!(!error.to_string().contains("canary")),
                }
            }
            if let Ok(read) = super::read(from, case) {
                for image in ["nginx", "registry.example.com:6000/a/b:1", "gcr.io/a", "/", ":", "@"]
                {
                    let _ = resolve(from, &read.registries, image, Some("3"));
                }
            }
        }
    }
    assert!(cases > 5000, "{cases}");
}
