//! The images of an application: where each is used, under which key, and what runs.

mod key;
pub(super) mod reference;
mod running;

use std::collections::BTreeMap;

use serde_json::Value;

use super::view::{Index, View};
use super::{ContainerRef, Finding, ImageUse, Object, Running, kinds, path};
use running::Pods;

/// The images of normalised objects, each with the object in the snapshot that it came from.
pub(super) fn images(
    view: &View<'_>,
    objects: &[(Index, Object)],
) -> (Vec<ImageUse>, Vec<Finding>) {
    let pods = Pods::new(view);
    let mut findings = Vec::new();
    let mut found: BTreeMap<String, (Vec<ContainerRef>, BTreeMap<String, usize>)> = BTreeMap::new();
    for (index, object) in objects {
        let containers = containers(object);
        if containers.is_empty() {
            continue;
        }
        let current = pods.current(view, *index);
        findings.extend(current.findings(object, &containers));
        for (image, container) in containers {
            let (uses, running) = found.entry(image.clone()).or_default();
            for id in current.image_ids(&container.container, &image) {
                *running.entry(id).or_default() += 1;
            }
            uses.push(container);
        }
    }
    let keys = key::keys(found.keys().map(String::as_str));
    let mut images: Vec<ImageUse> = found
        .into_iter()
        .zip(keys)
        .map(|((image, (mut uses, running)), key)| {
            uses.sort();
            let running = running.into_iter().map(|(image_id, pods)| Running { image_id, pods });
            ImageUse { key, image, uses, running: running.collect() }
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
