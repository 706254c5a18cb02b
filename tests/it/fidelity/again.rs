//! An application that came out of a chart is the application that went into it: exported from where
//! helm installed it, on a cluster that never saw it, its content is the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::export::{self, Export};
use super::fixture::{Fixture, Id, namespace};
use super::{Oracle, default_account};
use crate::support::cluster::Cluster;
use crate::support::helm::Helm;
use crate::support::outhaul::Outhaul;

impl Oracle {
    /// Installs a chart and exports that, with each helm; says what differs if the content is
    /// another.
    pub(super) fn again(&self, fixture: &Fixture, first: &Export) -> Vec<String> {
        self.target.prepare(&[&namespace(&fixture.name)]);
        self.target.prepare_in(&fixture.name, &[&default_account()]); // no controller makes it
        let helms = [("helm 3", Helm::v3()), ("helm 4", Helm::v4())];
        let all = helms.into_iter().flat_map(|(version, helm)| {
            let lines = self.installed(fixture, first, helm);
            lines.into_iter().map(move |line| format!("again with {version}: {line}"))
        });
        all.collect()
    }

    fn installed(&self, fixture: &Fixture, first: &Export, helm: Helm) -> Vec<String> {
        let helm = helm.kubeconfig(self.target.cluster.kubeconfig("admin"));
        std::fs::write(helm.folder().join("chart.tgz"), &first.chart.tgz).unwrap();
        let name = fixture.name.as_str();
        let install = helm.run(&["install", name, "chart.tgz", "--namespace", name]);
        if install.code != 0 {
            return vec![format!("it does not install it: {}", install.stderr)];
        }
        let second = match export::run(fixture, &self.target.cluster, &self.images, &["--adopt"]) {
            Ok(second) => second,
            Err(message) => return vec![message],
        };
        let mut lines = Vec::new();
        if second.report["chart"]["content"] != first.report["chart"]["content"] {
            lines.push("the content is another".to_owned());
            lines.extend(self.differences(fixture));
        }
        helm.run(&["uninstall", name, "--namespace", name]).ok();
        lines
    }

    /// What an export of the installed application has and the first one had not, or the other way
    /// round.
    fn differences(&self, fixture: &Fixture) -> Vec<String> {
        let before = parts(&self.source.cluster, fixture);
        let after = parts(&self.target.cluster, fixture);
        let ids: BTreeSet<&Id> = before.keys().chain(after.keys()).collect();
        let differs = |id: &&&Id| before.get(id) != after.get(id);
        let shown = |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), Value::to_string);
        ids.iter()
            .filter(differs)
            .map(|id| format!("{id}: {} → {}", shown(before.get(id)), shown(after.get(id))))
            .collect()
    }
}

/// What decides the content of an export of a whole namespace, by name.
fn parts(cluster: &Cluster, fixture: &Fixture) -> BTreeMap<Id, Value> {
    let outhaul = Outhaul::new().kubeconfig(cluster.kubeconfig("admin"));
    let name = fixture.name.as_str();
    let args = ["app", "show", name, "-n", name, "--all", "-o", "json"];
    let mut app = outhaul.run(&args).ok().json();
    let list = |value: &mut Value| value.as_array_mut().map(std::mem::take).unwrap_or_default();
    let objects = list(&mut app["objects"]).into_iter().map(|object| (Id::of(&object), object));
    let mut all: BTreeMap<Id, Value> = objects.collect();
    for (field, name) in [("secrets", "/name"), ("images", "/key"), ("requirements", "/object")] {
        for mut part in list(&mut app[field]) {
            part.as_object_mut().unwrap().remove("at");
            let id = part.pointer(name).map(Value::to_string).unwrap_or_default();
            all.insert(Id(format!("{field} {id}")), part);
        }
    }
    all
}
