//! A Helm release as an application: what carries its annotations, and what its record names.

use std::collections::HashMap;

use super::{FoundBy, Roots, counts};
use crate::app::Object;
use crate::app::helm::{Lookup, RELEASE_NAME, RELEASE_NAMESPACE, Release};
use crate::app::view::{Entry, Index, Place, View};

/// Objects of a manifest by kind and name: group, and namespace if it is not the release's.
type Named<'a> = HashMap<(&'a str, &'a str), Vec<(&'a str, Option<&'a str>)>>;

/// Group that Deployments, Ingresses and others moved out of; a record may still name it.
const MOVED_FROM: &str = "extensions";

/// The release of this name, if anything of it is there.
pub(super) fn release<'a>(view: &View<'a>, name: &str) -> Option<Roots<'a>> {
    let record = record(view, name);
    let named = record.map(named).unwrap_or_default();
    let is_of = |entry: &Entry<'_>| of(view, entry) == Some(name) || is_named(&named, entry);
    let objects: Vec<Index> =
        view.all().filter(|(_, entry)| is_of(entry)).map(|(index, _)| index).collect();
    if !objects.iter().any(|index| counts(view, *index)) {
        return None;
    }
    Some(Roots { release: record, ..Roots::new(name, FoundBy::HelmRelease, objects) })
}

/// The release of this namespace that installed the object, as its annotations say.
pub(super) fn of<'a>(view: &View<'a>, entry: &Entry<'a>) -> Option<&'a str> {
    annotated(entry.object, &view.snapshot.namespace)
}

/// The release of `namespace` that the annotations of an object name.
pub(super) fn annotated<'a>(object: &'a Object, namespace: &str) -> Option<&'a str> {
    let here = object.annotation(RELEASE_NAMESPACE).is_none_or(|of| of == namespace);
    object.annotation(RELEASE_NAME).filter(|name| here && !name.is_empty())
}

fn record<'a>(view: &View<'a>, name: &str) -> Option<&'a Release> {
    installed(view, view.snapshot.release_of(name)).filter(|release| release.name == name)
}

/// The release that was found, if it is of this namespace.
fn installed<'a>(view: &View<'a>, lookup: &'a Lookup) -> Option<&'a Release> {
    let Lookup::Found(release) = lookup else { return None };
    let here = release.namespace.is_empty() || release.namespace == view.snapshot.namespace;
    here.then_some(&**release)
}

/// The releases of the namespace: by annotation, and by every record that was read.
pub(super) struct Installed<'a> {
    recorded: Vec<(&'a str, Named<'a>)>,
}

impl<'a> Installed<'a> {
    pub(super) fn new(view: &View<'a>) -> Self {
        let snapshot = view.snapshot;
        let lookups = snapshot.releases.all().chain(std::iter::once(&snapshot.release));
        let found = lookups.filter_map(|lookup| installed(view, lookup));
        Self { recorded: found.map(|of| (of.name.as_str(), named(of))).collect() }
    }

    /// The release that an object is of. An annotation is newer than any record.
    pub(super) fn of(&self, view: &View<'a>, entry: &Entry<'a>) -> Option<&'a str> {
        let by_record = || self.recorded.iter().find(|(_, named)| is_named(named, entry));
        of(view, entry).or_else(|| by_record().map(|(name, _)| *name))
    }
}

fn named(release: &Release) -> Named<'_> {
    let mut named = Named::new();
    // Hooks of an export are Jobs of the application.
    let hooks = release.hooks.iter().filter(|_| release.exported.is_some());
    let objects = release.objects.iter().map(|rendered| &rendered.object);
    for object in objects.chain(hooks.map(|hook| &hook.object)) {
        let at = named.entry((&object.kind, &object.name)).or_default();
        at.push((&object.group, object.namespace.as_deref()));
    }
    named
}

fn is_named(named: &Named<'_>, entry: &Entry<'_>) -> bool {
    let found = named.get(&(entry.id.kind.as_str(), entry.id.name.as_str()));
    found.into_iter().flatten().any(|(group, namespace)| {
        (*group == entry.id.group || *group == MOVED_FROM)
            && match entry.place {
                Place::Here | Place::Cluster => namespace.is_none(),
                Place::Elsewhere => *namespace == entry.id.namespace.as_deref(),
            }
    })
}
