//! The images of an application: where each is used, under which key, and what runs.

mod keep;
mod key;
mod operator;
mod places;
pub(super) mod reference;
mod restore;
mod running;

use std::collections::BTreeMap;

use super::view::{Index, View};
use super::{ContainerRef, Finding, ImageUse, Object, Options, Running, kinds};
use operator::Made;
use places::places;
use running::{Pods, Said};

pub use keep::ImagePattern;
pub(super) use keep::{Keep, needed};
pub(super) use restore::restore;

/// Where one image is used and what runs of it.
#[derive(Default)]
struct Use {
    places: Vec<ContainerRef>,
    /// By `imageID`.
    running: BTreeMap<String, Running>,
    /// Where it is read, if that is elsewhere.
    at: Option<String>,
}

impl Use {
    fn add(&mut self, places: impl IntoIterator<Item = ContainerRef>, said: Vec<Said>) {
        self.places.extend(places);
        for Said { image_id, created } in said {
            let none = || Running { image_id: image_id.clone(), pods: 0, newest: None };
            let running = self.running.entry(image_id.clone()).or_insert_with(none);
            running.pods += 1;
            running.newest = running.newest.take().max(Some(created).filter(|at| !at.is_empty()));
        }
    }
}

/// The images of normalised objects, each with the object in the snapshot that it came from.
pub(super) fn images(
    view: &View<'_>,
    objects: &[(Index, Object)],
    options: &Options,
) -> (Vec<ImageUse>, Vec<Finding>) {
    let (pods, made) = (Pods::new(view), Made::new(view));
    let mut findings = Vec::new();
    let mut found: BTreeMap<String, Use> = BTreeMap::new();
    for (index, object) in objects {
        let places = places(object);
        if !kinds::is_builtin(object) {
            for (image, places, said) in made.images(view, *index, object, places) {
                found.entry(image).or_default().add(places, said);
            }
            continue;
        }
        if places.is_empty() {
            continue;
        }
        let current = pods.current(view, *index);
        findings.extend(current.findings(object, &places));
        for place in places {
            let said = current.said(&place);
            found.entry(place.image).or_default().add([place.at], said);
        }
    }
    let exported = view.snapshot.release.exported().map(|(_, exported)| exported);
    let found = restore::renamed(found, exported);
    let keys = key::keys(found.keys().map(String::as_str));
    let mut images: Vec<ImageUse> = found
        .into_iter()
        .zip(keys)
        .map(|((image, Use { places: mut uses, running, at }), key)| {
            uses.sort();
            let kept = options.keeps(&image);
            ImageUse { key, image, at, uses, running: running.into_values().collect(), kept }
        })
        .collect();
    images.sort_by(|a, b| a.key.cmp(&b.key));
    (images, findings)
}
