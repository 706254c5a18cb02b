//! Field by field: the live object, and what the server would make of the chart's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::allowed::{self, ALLOWED, When, is_address, is_token};
use super::fixture::{Fixture, Id};
use super::server::Server;

/// Values in messages are cut to this many characters.
const SHOWN: usize = 120;

/// What is known of an object beside the two values.
pub(super) struct Facts<'a> {
    /// The object as the application's files have it.
    pub(super) written: &'a Value,
    /// The application's namespace.
    pub(super) namespace: &'a str,
    /// Digests of the images by reference, without the host.
    pub(super) images: &'a BTreeMap<String, String>,
    /// Whether an autoscaler of the application sets its replicas.
    pub(super) scaled: bool,
}

struct Case<'a> {
    facts: &'a Facts<'a>,
    kind: &'a str,
    found: Vec<String>,
}

/// What differs, by object.
pub(super) fn all(
    fixture: &Fixture,
    source: &Server,
    images: &BTreeMap<String, String>,
    answers: &[(Value, Result<Value, String>)],
) -> Vec<(Id, String)> {
    let mut missing: BTreeSet<Id> = fixture.expected().collect();
    let mut found = Vec::new();
    for (rendered, answer) in answers {
        let id = Id::of(rendered);
        if !missing.remove(&id) {
            found.push((id, "is in the chart and should not be".to_owned()));
            continue;
        }
        let differences = match answer {
            Err(message) => vec![format!("is refused: {message}")],
            Ok(answer) => one(fixture, source, images, rendered, answer),
        };
        found.extend(differences.into_iter().map(|difference| (id.clone(), difference)));
    }
    found.extend(missing.into_iter().map(|id| (id, "is not in the chart".to_owned())));
    found
}

fn one(
    fixture: &Fixture,
    source: &Server,
    images: &BTreeMap<String, String>,
    rendered: &Value,
    answer: &Value,
) -> Vec<String> {
    let Some(live) = source.live(rendered, &fixture.name) else {
        return vec!["is not in the cluster any more".to_owned()];
    };
    let id = Id::of(rendered);
    let written = fixture.objects.iter().find(|object| Id::of(object) == id).unwrap();
    let scaled = fixture.scales(written);
    object(&Facts { written, namespace: &fixture.name, images, scaled }, &live, answer)
}

/// What differs between an object as it is live and as it came back.
pub(super) fn object(facts: &Facts<'_>, live: &Value, back: &Value) -> Vec<String> {
    let kind = facts.written["kind"].as_str().unwrap();
    let mut case = Case { facts, kind, found: Vec::new() };
    case.compare(&mut Vec::new(), Some(live), Some(back));
    case.found
}

impl Case<'_> {
    fn compare(&mut self, path: &mut Vec<String>, live: Option<&Value>, back: Option<&Value>) {
        if live == back || self.is_allowed(path, live, back) {
            return;
        }
        match (live, back) {
            (Some(Value::Object(a)), Some(Value::Object(b))) => self.maps(path, a, b),
            // A mapping that only one side has may hold nothing but what is allowed.
            (Some(Value::Object(a)), None) if is_metadata(path) => self.maps(path, a, &none()),
            (None, Some(Value::Object(b))) if is_metadata(path) => self.maps(path, &none(), b),
            (Some(Value::Array(a)), Some(Value::Array(b))) => {
                let a = last_of_each(path, a);
                if a.len() != b.len() {
                    return self.differs(path, live, back);
                }
                for (at, (a, b)) in a.iter().zip(b).enumerate() {
                    path.push(at.to_string());
                    self.compare(path, Some(a), Some(b));
                    path.pop();
                }
            }
            _ => self.differs(path, live, back),
        }
    }

    fn maps(
        &mut self,
        path: &mut Vec<String>,
        a: &serde_json::Map<String, Value>,
        b: &serde_json::Map<String, Value>,
    ) {
        let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
        for key in keys {
            path.push(key.clone());
            self.compare(path, a.get(key), b.get(key));
            path.pop();
        }
    }

    fn differs(&mut self, path: &[String], live: Option<&Value>, back: Option<&Value>) {
        let shown = |value: Option<&Value>| {
            let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            let mut cut: String = text.chars().take(SHOWN).collect();
            if cut.len() < text.len() {
                cut.push('…');
            }
            cut
        };
        self.found.push(format!(
            "{}: {} came back as {}",
            path.join("."),
            shown(live),
            shown(back)
        ));
    }

    fn is_allowed(&self, path: &[String], live: Option<&Value>, back: Option<&Value>) -> bool {
        let mut rows = ALLOWED.iter().filter(|row| allowed::matches(row, self.kind, path));
        rows.any(|row| match row.2 {
            When::Always => true,
            When::Added => live.is_none(),
            When::Dropped => back.is_none(),
            When::NobodyAsked => self.facts.written.pointer(&pointer(path)).is_none(),
            When::GivenOut => is_address(live) && is_address(back),
            When::SameImage => self.is_same_image(live, back),
            When::Moved => {
                live.is_some_and(|name| name == self.facts.namespace)
                    && back.is_some_and(|name| name == super::EMPTY)
            }
            When::Aggregated => self.facts.written.get("aggregationRule").is_some(),
            When::Scaled => self.facts.scaled,
            When::Token => is_token(live) && is_token(back),
        })
    }

    fn is_same_image(&self, live: Option<&Value>, back: Option<&Value>) -> bool {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let (Some(live), Some(back)) = (text(live), text(back)) else { return false };
        let Some((_, reference)) = live.split_once('/') else { return false };
        let digest = self.facts.images.get(reference);
        digest.is_some_and(|digest| back.ends_with(&format!("@{digest}")))
    }
}

/// Of variables and ports that stand twice the last one counts, for kubelets as for exports.
fn last_of_each(path: &[String], items: &[Value]) -> Vec<Value> {
    let key: fn(&Value) -> Value = match path.last().map(String::as_str) {
        Some("env") => |item| item["name"].clone(),
        Some("ports") => |item| serde_json::json!([item["containerPort"], item["protocol"]]),
        _ => return items.to_vec(),
    };
    if path.iter().all(|step| !step.ends_with("ontainers")) {
        return items.to_vec();
    }
    let is_last =
        |(at, item): &(usize, &Value)| items[at + 1..].iter().all(|later| key(later) != key(item));
    items.iter().enumerate().filter(is_last).map(|(_, item)| item.clone()).collect()
}

fn is_metadata(path: &[String]) -> bool {
    matches!(path, [first, second] if first == "metadata" && (second == "labels" || second == "annotations"))
}

fn none() -> serde_json::Map<String, Value> {
    serde_json::Map::new()
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}
