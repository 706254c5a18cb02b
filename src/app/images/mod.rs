//! The images of an application: where each is used, under which key, and what runs.

mod keep;
mod key;
mod operator;
mod places;
pub(super) mod reference;
mod restore;
mod running;

use std::collections::BTreeMap;

use super::helm::Installed;
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
    /// Where it is read, if that is elsewhere. Of several references the least, whatever the order.
    at: Option<String>,
}

/// The images, under the references by which they were known where the application ran first.
struct Found<'a> {
    by_name: BTreeMap<String, Use>,
    installed: Option<&'a Installed<'a>>,
}

impl Found<'_> {
    /// Adds places at which an object names one image.
    fn add(&mut self, image: &str, places: Vec<ContainerRef>, mut said: Vec<Said>) {
        for place in places {
            let source = self.installed.and_then(|of| of.source(image, &place));
            let of = self.by_name.entry(source.unwrap_or(image).to_owned()).or_default();
            if source.is_some() {
                of.at = of.at.take().into_iter().chain([image.to_owned()]).min();
            }
            of.add(place, std::mem::take(&mut said));
        }
    }
}

impl Use {
    fn add(&mut self, place: ContainerRef, said: Vec<Said>) {
        self.places.push(place);
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
    let mut found = Found { by_name: BTreeMap::new(), installed: view.installed.as_ref() };
    for (index, object) in objects {
        let places = places(object);
        if !kinds::is_builtin(object) {
            for (image, places, said) in made.images(view, *index, object, places) {
                found.add(&image, places, said);
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
            found.add(&place.image, vec![place.at], said);
        }
    }
    let keys = key::keys(found.by_name.keys().map(String::as_str));
    let mut images: Vec<ImageUse> = found
        .by_name
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
