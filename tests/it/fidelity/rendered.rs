//! Our renderer beside helm's: the self-check stands on it, so both must give the same objects.

use std::collections::BTreeMap;

use outhaul::chart::ChartArchive;
use outhaul::chart::render::{Release, render};
use outhaul::chart::unpack::unpack;
use serde_json::{Value, json};

use super::{EMPTY, Made};
use crate::chart::oracle::{self, Objects};
use crate::support::helm::Helm;

/// What helm and we make of the same charts must not differ. Helm reads all of its own documents at
/// once.
pub(super) fn alike(all: &BTreeMap<&str, &Made>) {
    for (at, helm) in Helm::both().iter().enumerate() {
        let documents = all.values().flat_map(|made| &made.rendered[at]);
        let documents: Vec<&str> = documents.map(String::as_str).collect();
        let mut theirs = oracle::read(helm, &documents).into_iter();
        for (name, made) in all {
            let theirs = oracle::named(theirs.by_ref().take(made.rendered[at].len()));
            let found = oracle::differences(&theirs, &ours(&made.chart));
            assert_eq!(found, Vec::<String>::new(), "{name}");
        }
    }
}

fn ours(archive: &ChartArchive) -> Objects {
    let release = Release { name: "back", namespace: EMPTY };
    let manifests = render(&unpack(archive).unwrap(), release, &json!({})).unwrap();
    // Without being asked helm prints no definitions.
    let manifests = manifests.into_iter().filter(|of| !of.path.starts_with("crds/"));
    oracle::named(manifests.map(|manifest| as_read(manifest.object.into())))
}

/// The same as helm's own `fromYaml`, by which the documents are read, would read it: it makes every
/// number a float.
fn as_read(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(as_read).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, it)| (key, as_read(it))).collect(),
        Value::Number(number) => {
            number.as_i64().map_or(Value::Number(number), |exact| json!((exact as f64) as i64))
        }
        other => other,
    }
}
