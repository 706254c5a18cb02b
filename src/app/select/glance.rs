//! What single objects say of the applications of a namespace: enough for a list, without reading the
//! namespace. [`list`](super::list()) knows more: Helm's records, and resources of operators.

use std::collections::BTreeSet;

use serde_json::Value;

use super::list::{NamingLabels, Workload, candidates, naming_labels};
use super::{Candidate, Labels, epinio, release};
use crate::app::view::EXCLUDE;
use crate::app::{Object, ObjectId, kinds};

/// What one object says, without a look at any other. Small, as there are many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Which object; without its namespace.
    id: ObjectId,
    /// The Helm release that its annotations name.
    release: Option<Box<str>>,
    /// Whether its owner does not want it exported.
    excluded: bool,
    /// What names it, if it runs pods.
    names: Option<Box<Names>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Names {
    /// The Epinio application that labels say, whether there is one or not.
    epinio_app: Option<String>,
    labels: NamingLabels,
    pod_labels: NamingLabels,
}

impl Glance {
    /// What an object of `namespace` says; `None` where that is nothing. Of the object, metadata and
    /// the labels of its pods' template are looked at, and may be all of it that there is.
    pub fn of(object: &Object, namespace: &str) -> Option<Self> {
        let id = ObjectId { namespace: None, ..object.id() };
        if kinds::is_derived(object) || kinds::is(object, kinds::SECRET) || is_remade(object, &id) {
            return None;
        }
        let release = release::annotated(object, namespace).map(Box::from);
        let excluded = object.label(EXCLUDE) == Some("true");
        let names = kinds::pod_template(object).map(|template| {
            let labels = labels(object.at("/metadata/labels"));
            let at = kinds::below(template, "metadata.labels").replace('.', "/");
            let pod_labels = self::labels(object.at(&format!("/{at}")));
            let app = epinio::labelled([labels, pod_labels], namespace);
            let epinio_app = app.map(str::to_owned);
            let (labels, pod_labels) = (naming_labels(labels), naming_labels(pod_labels));
            Box::new(Names { epinio_app, labels, pod_labels })
        });
        let glance = Self { id, release, excluded, names };
        let says = glance.names.is_some() || glance.release.is_some() || glance.is_epinio_app();
        says.then_some(glance)
    }

    /// Name of the object.
    pub fn name(&self) -> &str {
        &self.id.name
    }

    /// Whether it is an application of Epinio's.
    pub fn is_epinio_app(&self) -> bool {
        (self.id.group.as_str(), self.id.kind.as_str()) == kinds::EPINIO_APP
    }

    fn workload(&self, apps: &BTreeSet<&str>) -> Option<Workload> {
        let names = self.names.as_ref()?;
        Some(Workload {
            id: self.id.clone(),
            epinio_app: names.epinio_app.clone().filter(|app| apps.contains(app.as_str())),
            release: self.release.as_deref().map(str::to_owned),
            labels: names.labels.clone(),
            pod_labels: names.pod_labels.clone(),
            excluded: self.excluded,
        })
    }
}

/// The applications of a namespace by all that its objects say, in any order.
pub fn list<'g>(glances: impl Iterator<Item = &'g Glance>, namespace: &str) -> Vec<Candidate> {
    let mut glances: Vec<&Glance> = glances.collect();
    glances.sort_by(|a, b| a.id.cmp(&b.id));
    let apps = glances.iter().filter(|glance| glance.is_epinio_app());
    let apps: BTreeSet<&str> = apps.map(|glance| glance.name()).collect();
    let workloads: Vec<Workload> = glances.iter().filter_map(|of| of.workload(&apps)).collect();
    let running: BTreeSet<&str> =
        workloads.iter().filter_map(|workload| workload.release.as_deref()).collect();
    let present = glances.iter().filter(|glance| !glance.excluded);
    let releases = present.filter_map(|glance| glance.release.as_deref());
    let idle = releases.filter(|release| !running.contains(release)).collect();
    candidates(&workloads, &idle, namespace)
}

fn labels(value: Option<&Value>) -> Option<&Labels> {
    value?.as_object()
}

/// Whether a controller of Kubernetes makes it from another object, be that there or not.
fn is_remade(object: &Object, id: &ObjectId) -> bool {
    let owners = object.at("/metadata/ownerReferences").and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| {
        let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
        let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
        let of = (id.group.as_str(), id.kind.as_str());
        kinds::REMADE.contains(&((group, text("kind")), of))
    })
}
