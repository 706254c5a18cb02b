//! Setting any value changes exactly what the value says: a case for every leaf of the values, made
//! from the values themselves.
//!
//! All cases of an application are rendered by one run of helm, as aliases of the chart under one
//! parent.

mod cases;
mod null;
mod rarer;
mod sections;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use outhaul::app::{App, Object};
use outhaul::chart::{Chart, archive};
use serde_json::{Map, Value, json};

use self::cases::{Case, Cases};
use self::rarer::rarer;
use super::oracle::{NAMESPACE, Objects, differences, packed};
use super::shop;
use crate::support::helm::Helm;
use crate::support::output::Output;

/// Renders the chart with each of these values, as aliases `v0`, `v1`… under one parent.
fn run(helm: &Helm, chart: &Chart, overrides: &[Value]) -> Output {
    let parent = helm.folder().join("parent");
    let _ = std::fs::remove_dir_all(&parent);
    std::fs::create_dir_all(parent.join("charts")).unwrap();
    std::fs::write(parent.join("charts/chart.tgz"), archive(chart).tgz).unwrap();
    let mut about = "apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n".to_owned();
    let mut values = Map::new();
    for (at, value) in overrides.iter().enumerate() {
        let (name, version) = (&chart.name, &chart.version);
        writeln!(about, "  - {{name: {name}, version: {version}, alias: v{at}}}").unwrap();
        values.insert(format!("v{at}"), value.clone());
    }
    std::fs::write(parent.join("Chart.yaml"), about).unwrap();
    std::fs::write(parent.join("set.json"), Value::Object(values).to_string()).unwrap();
    helm.run(&["template", "shop", "parent", "-n", NAMESPACE, "-f", "parent/set.json"])
}

/// The objects that the chart renders with each of these values, by one run of helm.
fn rendered_each(helm: &Helm, chart: &Chart, overrides: &[Value]) -> Vec<Objects> {
    let text = run(helm, chart, overrides).ok().stdout;
    let mut all: BTreeMap<usize, Objects> = BTreeMap::new();
    for document in text.split("---\n# Source: parent/charts/v").skip(1) {
        let at = document.split('/').next().unwrap().parse().unwrap();
        let body = document.split_once('\n').unwrap().1;
        let mut object: Value = serde_saphyr::from_str(body).unwrap();
        // It names the chart, and so the alias.
        object["metadata"]["labels"].as_object_mut().unwrap().remove("helm.sh/chart");
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap();
        let id = format!("{} {}", text("/kind"), text("/metadata/name"));
        all.entry(at).or_default().insert(id, object);
    }
    all.into_values().collect()
}

/// The values of a chart.
fn values(chart: &Chart) -> Value {
    let text = std::str::from_utf8(&chart.files["values.yaml"]).unwrap();
    serde_saphyr::from_str(text).unwrap()
}

fn each_value_changes_what_it_says(helm: &Helm, app: &App) {
    let chart = shop::plain_chart_of(app);
    let values = values(&chart);
    let cases = Cases::of(app, &values);
    let overrides: Vec<Value> =
        std::iter::once(json!({})).chain(cases.iter().map(Case::overrides)).collect();
    let rendered = rendered_each(helm, &chart, &overrides);
    assert_eq!(rendered.len(), overrides.len());
    let judged = cases.iter().zip(&rendered[1..]);
    let wrong: BTreeSet<String> =
        judged.filter_map(|(case, after)| case.judge(&differences(&rendered[0], after))).collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}

/// Some 160 cases: too many to render twice. What the helms could do differently, the smaller
/// application and `overrides` show.
#[test]
fn of_the_shop() {
    each_value_changes_what_it_says(&Helm::v4(), &shop::app());
}

#[test]
fn of_an_application_with_rarer_fields() {
    for helm in Helm::both() {
        let file = packed(&helm, &shop::plain_chart_of(&rarer()));
        helm.run(&["lint", "--strict", &file]).ok();
        each_value_changes_what_it_says(&helm, &rarer());
    }
}

#[test]
fn keys_stay_when_the_application_changes() {
    let before = shop::app();
    let mut after = shop::app();
    after.objects.retain(|object| object.kind() != "NetworkPolicy");
    let mut added: Vec<Object> = rarer().objects;
    after.objects.append(&mut added);
    for image in &mut after.images {
        image.image.push_str("-changed");
    }
    let [before, after] = [before, after].map(|app| {
        let chart = shop::plain_chart_of(&app);
        let schema: Value = serde_json::from_slice(&chart.files["values.schema.json"]).unwrap();
        let mut found = Vec::new();
        null::paths(&schema, &[], &schema, &mut found);
        found.into_iter().map(|(path, _)| path).collect::<BTreeSet<_>>()
    });
    let gone: Vec<_> = before.difference(&after).collect();
    assert!(gone.is_empty(), "{gone:?}");
}
