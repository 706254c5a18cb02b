//! Images of custom resources: an operator makes pods of them, and the pods say which images.

use std::collections::HashMap;

use serde_json::Value;

use super::places::{CONTAINERS, Place, fields};
use super::reference;
use super::running::{Said, said};
use crate::app::graph::is_idle_pod;
use crate::app::kinds;
use crate::app::normalize::is_injected;
use crate::app::path;
use crate::app::view::{Entry, Index, Owner, View};
use crate::app::{ContainerRef, Object};

/// Workloads whose template says what runs as long as they are there. Old ReplicaSets and Jobs
/// that have run stay behind with images that nothing runs any more.
const LASTING: [kinds::Kind; 4] =
    [kinds::CRON_JOB, kinds::DAEMON_SET, kinds::DEPLOYMENT, kinds::STATEFUL_SET];

/// What every custom resource makes, by way of others or not.
pub(super) struct Made {
    by: HashMap<Index, Vec<Index>>,
}

/// An image that an operator runs for a custom resource.
struct Run {
    container: String,
    image: String,
    said: Option<Said>,
}

impl Made {
    pub(super) fn new(view: &View<'_>) -> Self {
        let mut by: HashMap<Index, Vec<Index>> = HashMap::new();
        for (index, entry) in view.all().filter(|(_, entry)| entry.template.is_some()) {
            let top = view.top(index).filter(|top| *top != index);
            if let Some(top) = top.filter(|top| !kinds::is_builtin(view.entries[*top].object))
                && !is_idle_pod(entry)
            {
                by.entry(top).or_default().push(index);
            }
        }
        Self { by }
    }

    /// Every image of a custom resource: those in `places`, with what runs of them, those that one
    /// of its fields names, and those that only the operator knows, which stand nowhere.
    pub(super) fn images(
        &self,
        view: &View<'_>,
        index: Index,
        object: &Object,
        places: Vec<Place>,
    ) -> Vec<(String, Vec<ContainerRef>, Vec<Said>)> {
        let mut images: Vec<(String, Vec<ContainerRef>, Vec<Said>)> =
            places.into_iter().map(|place| (place.image, vec![place.at], Vec::new())).collect();
        for run in self.runs(view, index) {
            let pinned = |image: &str| reference::pinned(&run.image, image);
            let asks =
                |(image, ..): &&mut (String, _, _)| *image == run.image || pinned(image).is_some();
            if let Some((image, places, said)) = images.iter_mut().find(asks) {
                let at = nowhere(object, &run.container);
                if places.iter().any(|at| at.pointer.is_empty()) && !places.contains(&at) {
                    places.push(at);
                }
                // Knative puts the digest into the pod, which then is what runs.
                said.extend(run.said.map(|Said { image_id, created }| Said {
                    image_id: pinned(image).unwrap_or(image_id),
                    created,
                }));
                continue;
            }
            let mut places = fields(object, &run.image);
            if places.is_empty() {
                places.push(nowhere(object, &run.container));
            }
            images.push((run.image, places, run.said.into_iter().collect()));
        }
        images
    }

    fn runs(&self, view: &View<'_>, index: Index) -> Vec<Run> {
        let mut runs = Vec::new();
        for made in self.by.get(&index).into_iter().flatten() {
            let entry = &view.entries[*made];
            if entry.is(kinds::POD) {
                runs.extend(of_pod(view, entry));
            } else if LASTING.iter().any(|kind| entry.is(*kind)) {
                let run = |(container, image)| Run { container, image, said: None };
                runs.extend(containers(entry).into_iter().map(run));
            }
        }
        runs
    }
}

/// What a pod runs, without what was injected into it.
fn of_pod(view: &View<'_>, pod: &Entry<'_>) -> Vec<Run> {
    let maker = match pod.owner {
        Owner::There(owner) => Some(&view.entries[owner]).filter(|by| by.template.is_some()),
        _ => None,
    };
    let of_template: Option<Vec<String>> =
        maker.map(|maker| containers(maker).into_iter().map(|(name, _)| name).collect());
    let is_own = |name: &String| match &of_template {
        Some(names) => names.contains(name),
        None => !is_injected(pod.object, name),
    };
    let own = containers(pod).into_iter().filter(|(name, _)| is_own(name));
    own.map(|(container, image)| {
        let said = said(pod, &container, &image);
        Run { container, image, said }
    })
    .collect()
}

/// Name and image of every container in the pod template.
fn containers(entry: &Entry<'_>) -> Vec<(String, String)> {
    let Some(template) = entry.template else { return Vec::new() };
    let at = kinds::below(template, &format!("spec.{CONTAINERS}[]"));
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let found = path::find(entry.object.fields(), &at);
    found.into_iter().filter_map(|(_, of)| Some((text(of, "name")?, text(of, "image")?))).collect()
}

/// A container whose image no field of an exported object names.
fn nowhere(object: &Object, container: &str) -> ContainerRef {
    ContainerRef { object: object.id(), pointer: String::new(), container: container.to_owned() }
}
