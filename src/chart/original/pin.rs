//! Finds the values by which a chart's images are pinned: each is changed, the chart rendered, and
//! the change kept if images went where they should and nothing else moved.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::proof::{self, Objects, full_name, is_pinned};
use super::{SCHEMA, Unusable, Wanted, unusable};
use crate::app::Object;
use crate::app::helm::Record;
use crate::app::path::{Path, Step};
use crate::chart::compare::changes;
use crate::chart::input::Image;
use crate::chart::keys::pod_spec;

/// Most renderings: a chart with more images than that many can find is not looked through.
const MAX_TRIALS: usize = 200;

/// Keys that hold the name of an image.
const NAMES: [&str; 3] = ["repository", "image", "name"];

/// A text in an object: its place among the objects, and a JSON pointer.
type Place = (usize, String);

/// Values with the images pinned.
pub(super) fn pin(
    record: &Record,
    wanted: Wanted<'_>,
    objects: &Objects,
    mut values: Value,
    render: &dyn Fn(&Value) -> Result<Objects, Unusable>,
) -> Result<Value, Unusable> {
    let mut open = places(record, wanted, objects)?;
    let mut current = objects.clone();
    let mut trials = 0;
    for image in wanted.images {
        for (pointer, change) in candidates(&values, image) {
            if trials == MAX_TRIALS || !open.values().any(|of| std::ptr::eq(*of, image)) {
                break;
            }
            trials += 1;
            let mut changed = values.clone();
            apply(&mut changed, &pointer, &change);
            let Ok(rendered) = render(&changed) else { continue };
            if let Some(moved) = moved(&current, &rendered, image, &open) {
                check_schema(record, &change)?;
                open.retain(|place, _| !moved.contains(place));
                (values, current) = (changed, rendered);
            }
        }
    }
    match open.values().next() {
        None => Ok(values),
        Some(image) => Err(unusable(format!("no value of it moves `{}` alone", image.source))),
    }
}

/// Every place that names an image that is exported.
fn places<'a>(
    record: &Record,
    wanted: Wanted<'a>,
    objects: &Objects,
) -> Result<BTreeMap<Place, &'a Image>, Unusable> {
    let mut found = BTreeMap::new();
    for image in wanted.images {
        for of in image.uses.iter().filter(|of| !of.pointer.is_empty()) {
            let at = objects.iter().position(|object| proof::id(record, object) == of.object);
            let pointer = [of.pointer.clone(), format!("{}/image", of.pointer)];
            let named = |at: usize| {
                let mut pointers = pointer.iter();
                pointers.find(|it| objects[at].text(it) == Some(&image.source)).cloned()
            };
            match at.and_then(|at| Some((at, named(at)?))) {
                Some(place) => _ = found.insert(place, image),
                None => {
                    let what = format!("{} runs another image than the release has", of.object);
                    return Err(unusable(what));
                }
            }
        }
    }
    for (at, object) in objects.iter().enumerate() {
        for pointer in containers(object) {
            let text = object.text(&pointer).unwrap_or_default();
            match wanted.images.iter().find(|image| image.source == text) {
                Some(image) => _ = found.entry((at, pointer)).or_insert(image),
                // It runs when someone asks for it, and nothing waits for it.
                None if is_test(object) => {}
                None => {
                    let what = format!("{} runs `{text}`, which is not exported", object.id());
                    return Err(unusable(what));
                }
            }
        }
    }
    Ok(found)
}

/// Pointers to the images of an object's containers.
fn containers(object: &Object) -> Vec<String> {
    let Some(spec) = pod_spec(object) else { return Vec::new() };
    let mut pointers = Vec::new();
    for list in ["containers", "initContainers"] {
        let list = format!("{spec}/{list}");
        let count = object.at(&list).and_then(Value::as_array).map_or(0, Vec::len);
        pointers.extend((0..count).map(|at| format!("{list}/{at}/image")));
    }
    pointers
}

fn is_test(object: &Object) -> bool {
    let events = object.annotation("helm.sh/hook").unwrap_or_default();
    !events.is_empty() && events.split(',').all(|event| event.trim().starts_with("test"))
}

/// The places that a change moved, if they are of the image, open, and all that it moved.
fn moved(
    before: &Objects,
    after: &Objects,
    image: &Image,
    open: &BTreeMap<Place, &Image>,
) -> Option<BTreeSet<Place>> {
    let mut moved = BTreeSet::new();
    if before.len() != after.len() {
        return None;
    }
    for (at, (before, after)) in before.iter().zip(after).enumerate() {
        for change in changes(before.fields(), after.fields()) {
            let place = (at, change.pointer);
            let is_its = open.get(&place).is_some_and(|of| std::ptr::eq(*of, image));
            if !is_its || !is_pinned(change.after?.as_str()?, image) {
                return None;
            }
            moved.insert(place);
        }
    }
    (!moved.is_empty()).then_some(moved)
}

type Change = Vec<(String, String)>;

/// Changes to try, each to a mapping of the values, the most exact first.
fn candidates(values: &Value, image: &Image) -> Vec<(String, Change)> {
    let mut found = Vec::new();
    walk(&mut Path::default(), values, &mut |at, fields| {
        let forms = forms(fields, image);
        found.extend(forms.into_iter().map(|change| (at.pointer(), change)));
    });
    found
}

fn walk(at: &mut Path, value: &Value, visit: &mut dyn FnMut(&Path, &Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            visit(at, fields);
            for (key, value) in fields {
                at.0.push(Step::Key(key.clone()));
                walk(at, value, visit);
                at.0.pop();
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                at.0.push(Step::Item(place));
                walk(at, item, visit);
                at.0.pop();
            }
        }
        _ => {}
    }
}

/// How a mapping may say where the image is: split over keys, or whole under one.
fn forms(fields: &Map<String, Value>, image: &Image) -> Vec<Change> {
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let set = |pairs: &[(&str, &str)]| -> Change {
        let there = pairs.iter().filter(|(key, _)| fields.contains_key(*key));
        there.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let (full, digest) = (full_name(image), image.digest.as_str());
    let tag = if image.tag.is_empty() { "pinned" } else { &image.tag };
    let tagged = format!("{tag}@{digest}");
    let mut forms = Vec::new();
    for (key, value) in fields {
        if value.as_str() == Some(&image.source) {
            forms.push(vec![(key.clone(), format!("{full}:{tagged}"))]);
            forms.push(vec![(key.clone(), format!("{full}@{digest}"))]);
        }
    }
    let is_name = |name: &str| !name.is_empty() && source_name(&image.source).ends_with(name);
    for name in NAMES.into_iter().filter(|key| text(key).is_some_and(is_name)) {
        let split = [("registry", image.registry.as_str()), (name, image.repository.as_str())];
        let whole = [("registry", ""), (name, full.as_str())];
        let has_registry = text("registry").is_some_and(|it| !it.is_empty());
        let places = if has_registry { vec![split, whole] } else { vec![whole, split] };
        for place in &places {
            if fields.contains_key("digest") {
                forms.push(set(&[&place[..], &[("digest", digest)]].concat()));
            }
            if fields.contains_key("tag") {
                forms.push(set(&[&place[..], &[("tag", tagged.as_str())]].concat()));
            }
        }
        // `repository@sha256` and the rest of the digest for a tag.
        if let Some((algorithm, hex)) = digest.split_once(':') {
            let name_and_algorithm = format!("{full}@{algorithm}");
            forms.push(set(&[("registry", ""), (name, &name_and_algorithm), ("tag", hex)]));
        }
    }
    forms
}

/// A reference without tag and digest.
fn source_name(reference: &str) -> &str {
    let name = reference.split('@').next().unwrap_or_default();
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => name,
    }
}

fn apply(values: &mut Value, pointer: &str, change: &Change) {
    let Some(Value::Object(fields)) = values.pointer_mut(pointer) else { return };
    for (key, value) in change {
        fields.insert(key.clone(), value.as_str().into());
    }
}

/// A schema that says more of a changed value than that it is text might refuse it.
fn check_schema(record: &Record, change: &Change) -> Result<(), Unusable> {
    const HARMLESS: [&str; 6] = ["$comment", "default", "description", "examples", "title", "type"];
    if record.chart.schema.is_empty() {
        return Ok(());
    }
    let schema: Value = serde_json::from_slice(&record.chart.schema)
        .map_err(|_| unusable(format!("its {SCHEMA} is no JSON")))?;
    let mut strict = None;
    walk(&mut Path::default(), &schema, &mut |at, fields| {
        let key = match at.0.last() {
            Some(Step::Key(key)) => key,
            _ => return,
        };
        let is_changed = change.iter().any(|(changed, _)| changed == key);
        let is_property = at.0.len() > 1 && at.0[at.0.len() - 2] == Step::Key("properties".into());
        let is_mapping = fields.contains_key("properties");
        if is_changed
            && is_property
            && !is_mapping
            && fields.keys().any(|of| !HARMLESS.contains(&&**of))
        {
            strict = Some(key.clone());
        }
    });
    match strict {
        None => Ok(()),
        Some(key) => Err(unusable(format!("its {SCHEMA} may refuse another `{key}`"))),
    }
}
