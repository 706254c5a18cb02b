//! The images of an application: where each is used, under which key, and what runs.

mod key;
pub(super) mod reference;
mod running;

use std::collections::BTreeMap;

use serde_json::Value;

use super::view::{Index, View};
use super::{ContainerRef, Finding, ImageUse, Object, Running, kinds, path};
use running::{Pods, Said};

/// Where one image is used and what runs of it.
#[derive(Default)]
struct Use {
    places: Vec<ContainerRef>,
    /// By `imageID`.
    running: BTreeMap<String, Running>,
}

impl Use {
    fn runs(&mut self, Said { image_id, created }: Said) {
        let none = || Running { image_id: image_id.clone(), pods: 0, newest: None };
        let running = self.running.entry(image_id.clone()).or_insert_with(none);
        running.pods += 1;
        running.newest = running.newest.take().max(Some(created).filter(|at| !at.is_empty()));
    }
}

/// The images of normalised objects, each with the object in the snapshot that it came from.
pub(super) fn images(
    view: &View<'_>,
    objects: &[(Index, Object)],
) -> (Vec<ImageUse>, Vec<Finding>) {
    let pods = Pods::new(view);
    let mut findings = Vec::new();
    let mut found: BTreeMap<String, Use> = BTreeMap::new();
    for (index, object) in objects {
        let containers = containers(object);
        if containers.is_empty() {
            continue;
        }
        let current = pods.current(view, *index);
        findings.extend(current.findings(object, &containers));
        for (image, container) in containers {
            let said = current.image_ids(&container.container, &image);
            let image = found.entry(image).or_default();
            said.into_iter().for_each(|said| image.runs(said));
            image.places.push(container);
        }
    }
    let keys = key::keys(found.keys().map(String::as_str));
    let mut images: Vec<ImageUse> = found
        .into_iter()
        .zip(keys)
        .map(|((image, Use { places: mut uses, running }), key)| {
            uses.sort();
            ImageUse { key, image, uses, running: running.into_values().collect() }
        })
        .collect();
    images.sort_by(|a, b| a.key.cmp(&b.key));
    (images, findings)
}

/// Containers of the object's pods with the images that they ask for.
fn containers(object: &Object) -> Vec<(String, ContainerRef)> {
    let Some(template) = kinds::pod_template(object) else { return Vec::new() };
    let at = kinds::below(template, "spec.containers|initContainers[]");
    let found = path::find(object.fields(), &at).into_iter().filter_map(|(place, container)| {
        let text = |key: &str| container.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let container = ContainerRef {
            object: object.id(),
            pointer: place.pointer(),
            container: text("name").unwrap_or_default().to_owned(),
        };
        Some((text("image")?.to_owned(), container))
    });
    found.collect()
}
