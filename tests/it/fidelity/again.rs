//! An application that came out of a chart is the application that went into it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fixture::{Fixture, Id, namespace};
use super::{Oracle, default_account};
use crate::support::cluster::Cluster;
use crate::support::helm::Helm;
use crate::support::outhaul::Outhaul;

/// The label that names the release: helm has put it on what it installed.
const INSTANCE: &str = "app.kubernetes.io/instance";

impl Oracle {
    /// Installs a chart, and gives what an export of that has and the first one had not, or the
    /// other way round.
    pub(super) fn again(&self, fixture: &Fixture, chart: &[u8]) -> Vec<String> {
        let place = format!("{}-again", fixture.name);
        let target = &self.target;
        target.prepare(&[&namespace(&place)]);
        target.prepare_in(&place, &[&default_account()]);
        let helm = Helm::v4().kubeconfig(target.cluster.kubeconfig("admin"));
        std::fs::write(helm.folder().join("chart.tgz"), chart).unwrap();
        helm.run(&["install", "again", "chart.tgz", "--namespace", &place]).ok();
        let before = objects(&self.source.cluster, &fixture.name, &fixture.name);
        let after = objects(&target.cluster, &fixture.name, &place);
        let ids: std::collections::BTreeSet<&Id> = before.keys().chain(after.keys()).collect();
        let differs = |id: &&&Id| before.get(id) != after.get(id);
        let shown = |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), Value::to_string);
        ids.iter()
            .filter(differs)
            .map(|id| format!("{id} again: {} → {}", shown(before.get(id)), shown(after.get(id))))
            .collect()
    }
}

/// The normalised objects and Secrets of a whole namespace.
fn objects(cluster: &Cluster, name: &str, namespace: &str) -> BTreeMap<Id, Value> {
    let outhaul = Outhaul::new().kubeconfig(cluster.kubeconfig("admin"));
    let args = ["app", "show", name, "-n", namespace, "--all", "-o", "json"];
    let mut app = outhaul.run(&args).ok().json();
    let list = |value: &mut Value| value.as_array_mut().map(std::mem::take).unwrap_or_default();
    let objects = list(&mut app["objects"]).into_iter().map(|object| (Id::of(&object), object));
    let secrets = list(&mut app["secrets"]).into_iter().map(|mut secret| {
        secret.as_object_mut().unwrap().remove("usedBy");
        (Id(format!("Secret {}", secret["name"].as_str().unwrap())), secret)
    });
    let mut all: BTreeMap<Id, Value> = objects.chain(secrets).collect();
    all.values_mut().for_each(neutral);
    all
}

/// Takes out the release's name, and images, which come from another registry the second time.
fn neutral(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get(INSTANCE).is_some_and(|release| release == "again") {
                map.remove(INSTANCE);
            }
            map.retain(|key, value| key != "image" || !value.is_string());
            map.retain(|key, value| key != "labels" || *value != serde_json::json!({}));
            map.values_mut().for_each(neutral);
            map.retain(|key, value| key != "labels" || *value != serde_json::json!({}));
        }
        Value::Array(items) => items.iter_mut().for_each(neutral),
        _ => {}
    }
}
