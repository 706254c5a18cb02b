//! What null does: it takes out what can be missing, and is refused elsewhere.

use outhaul::app::App;
use outhaul::chart::Chart;
use serde_json::{Value, json};

use super::cases::Case;
use super::rarer::rarer;
use super::{rendered_each, run, shop};
use crate::support::helm::Helm;

/// The paths of all values: sections, entries and settings, but not what users put into them.
pub(super) fn paths(
    schema: &Value,
    at: &[String],
    all: &Value,
    found: &mut Vec<(Vec<String>, bool)>,
) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => all.pointer(&reference[1..]).unwrap(),
        None => schema,
    };
    let required = schema["required"].as_array();
    for (key, below) in schema["properties"].as_object().into_iter().flatten() {
        let path = [at, std::slice::from_ref(key)].concat();
        let is_required = required.is_some_and(|keys| keys.contains(&json!(key)));
        found.push((path.clone(), is_required));
        paths(below, &path, all, found);
    }
}

/// A case for each value: null, which takes it out. What the templates need is refused.
fn nulls(chart: &Chart) -> (Vec<Case>, Vec<Case>) {
    let schema: Value = serde_json::from_slice(&chart.files["values.schema.json"]).unwrap();
    let mut found = Vec::new();
    paths(&schema, &[], &schema, &mut found);
    // What is in requests, limits and affinity is Kubernetes'.
    let known = |path: &[String]| {
        path.split_last().is_some_and(|(_, above)| {
            !above.iter().any(|key| key == "resources" || key == "affinity")
        })
    };
    let case = |path: &[String]| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        Case::new(&path, Value::Null, [])
    };
    let (refused, mut taken): (Vec<_>, Vec<_>) =
        found.into_iter().filter(|(path, _)| known(path)).partition(|(_, required)| *required);
    taken.retain(|(path, _)| path.len() > 1); // such as `enabled`, which is the parent's
    let cases =
        |paths: Vec<(Vec<String>, bool)>| paths.iter().map(|(path, _)| case(path)).collect();
    (cases(refused), cases(taken))
}

/// What is set to null is as if it had never been a value, or is refused by name.
fn null_is_understood(helm: &Helm, app: &App) {
    let chart = shop::plain_chart_of(app);
    let (refused, taken) = nulls(&chart);
    let overrides: Vec<Value> = refused.iter().map(Case::overrides).collect();
    let output = run(helm, &chart, &overrides);
    assert_ne!(output.code, 0);
    for (at, case) in refused.iter().enumerate() {
        let after = output.stderr.split(&format!("v{at}:\n")).nth(1).unwrap_or_default();
        let missing = format!("missing property '{}'", case.path.last().unwrap());
        let said = after.lines().take(2).any(|line| line.contains(&missing));
        assert!(said, "{}: {}", case.path.join("/"), output.stderr);
    }
    let overrides: Vec<Value> = taken.iter().map(Case::overrides).collect();
    assert_eq!(rendered_each(helm, &chart, &overrides).len(), taken.len());
}

#[test]
fn null_takes_out_what_can_be_missing_and_is_refused_elsewhere() {
    null_is_understood(&Helm::v3(), &shop::app());
    null_is_understood(&Helm::v4(), &rarer());
}
