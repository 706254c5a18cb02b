//! Whether a rebuilt chart renders what helm installed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Unusable, unusable};
use crate::app::helm::Record;
use crate::app::{App, Object, ObjectId};
use crate::chart::check::{Difference, Fidelity, IntendedDifference, What};
use crate::chart::compare::{Change, changes};
use crate::chart::input::Image;
use crate::chart::render::{self, Manifest};

/// Intended: an image that is pinned.
pub const IMAGE: &str = "image";

/// Intended: the chart's version, in labels.
pub const VERSION: &str = "chart-version";

/// What a chart renders, in order, but for its `crds/`.
pub(super) type Objects = Vec<Object>;

pub(super) fn objects(rendered: Vec<Manifest>) -> Objects {
    let own = rendered.into_iter().filter(|of| !of.path.starts_with("crds/"));
    let mut objects: Objects = own.map(|manifest| manifest.object).collect();
    objects.sort_by_key(key);
    objects
}

/// What tells objects apart: two versions of one kind are two.
fn key(object: &Object) -> (ObjectId, String) {
    (object.id(), object.api_version().to_owned())
}

/// Whether the objects are those that helm's record has, hooks included.
pub(super) fn check(record: &Record, rendered: &Objects) -> Result<(), Unusable> {
    let mut recorded: Objects = Vec::new();
    for text in std::iter::once(&record.manifest).chain(record.hooks.iter().map(|of| &of.manifest))
    {
        let read = render::objects(text);
        recorded.extend(read.map_err(|_| unusable("helm's record holds what is no manifest"))?);
    }
    recorded.sort_by_key(key);
    let first = compare(&recorded, rendered, &<(String, String)>::default(), &[])
        .differences
        .into_iter()
        .next();
    match first {
        None => Ok(()),
        Some(difference) => Err(unusable(format!(
            "rendered again, {}: a template depends on the cluster, on chance or on the revision, or \
             the manifest was changed behind it",
            difference.sentence()
        ))),
    }
}

/// Whether the application is within the release.
pub(super) fn check_app(record: &Record, rendered: &Objects, app: &App) -> Result<(), Unusable> {
    let known: Vec<ObjectId> = rendered.iter().map(|of| id(record, of)).collect();
    match app.objects.iter().map(Object::id).find(|id| !known.contains(id)) {
        None => Ok(()),
        Some(id) => Err(unusable(format!("{id} is the application's and not in the release"))),
    }
}

/// The object as the application names it: without the release's own namespace.
pub(super) fn id(record: &Record, object: &Object) -> ObjectId {
    let mut id = object.id();
    id.namespace = id.namespace.filter(|namespace| *namespace != record.namespace);
    id
}

/// What of `before` comes back in `after`; `versions` of the chart, old and new, may differ, and
/// images may be pinned.
pub(super) fn compare(
    before: &Objects,
    after: &Objects,
    versions: &(String, String),
    images: &[Image],
) -> Fidelity {
    let mut intended: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    let differ = |object: &Object, field, what| Difference { object: object.id(), field, what };
    let mut left: BTreeMap<_, Vec<&Object>> = BTreeMap::new();
    after.iter().rev().for_each(|object| left.entry(key(object)).or_default().push(object));
    let mut identical = 0;
    for object in before {
        let Some(rendered) = left.get_mut(&key(object)).and_then(Vec::pop) else {
            differences.push(differ(object, None, What::Missing));
            continue;
        };
        let count = differences.len();
        for change in changes(object.fields(), rendered.fields()) {
            match rule(&change, versions, images) {
                Some(rule) => *intended.entry(rule).or_default() += 1,
                None => differences.push(differ(object, Some(change.field), What::Changed)),
            }
        }
        identical += usize::from(differences.len() == count);
    }
    let added = left.into_values().flatten();
    differences.extend(added.map(|object| differ(object, None, What::Added)));
    let intended = intended.into_iter().map(|(rule, count)| {
        let reason = if rule == IMAGE {
            "Images are pinned by digest, where they are now."
        } else {
            "The chart has a version of its own."
        };
        IntendedDifference { rule: rule.into(), reason: reason.into(), count }
    });
    Fidelity { objects: before.len(), identical, intended: intended.collect(), differences }
}

fn rule(
    change: &Change<'_>,
    (old, new): &(String, String),
    images: &[Image],
) -> Option<&'static str> {
    let (before, after) = (change.before?.as_str()?, change.after?.as_str()?);
    if images.iter().any(|image| image.source == before && is_pinned(after, image)) {
        return Some(IMAGE);
    }
    // As labels write versions (helm, `helm create`).
    let label = |version: &str| version.replace('+', "_");
    let moved = |old: &str, new: &str| !old.is_empty() && before.replace(old, new) == after;
    // Pinning has shown that under the old version digests are what they were.
    let is_version = !old.is_empty() && is_checksum(change);
    (is_version || moved(old, new) || moved(&label(old), &label(new))).then_some(VERSION)
}

/// Whether the field is a digest of what is rendered beside it, labels with the version included.
pub(super) fn is_checksum(change: &Change<'_>) -> bool {
    let is_digest = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    change.pointer.contains("/annotations/") && is_digest(change.before) && is_digest(change.after)
}

/// Whether the reference is `registry/repository[:tag]@digest` of the image.
pub(super) fn is_pinned(reference: &str, image: &Image) -> bool {
    let rest = reference.strip_prefix(&*full_name(image));
    let tag = rest.and_then(|rest| rest.strip_suffix(&format!("@{}", image.digest)));
    tag.is_some_and(|tag| {
        tag.is_empty() || (tag.len() > 1 && tag.starts_with(':') && !tag.contains(['/', '@']))
    })
}

pub(super) fn full_name(image: &Image) -> String {
    format!("{}/{}", image.registry, image.repository)
}
