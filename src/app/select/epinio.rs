//! An Epinio application: its resource, and what Epinio installed for it by Helm.
//!
//! Epinio's own chart labels what it makes; the charts of others only have to label the pods
//! (epinio, `internal/application/workload.go`). So the pods lead to the release, and the release
//! to everything.

use std::collections::BTreeSet;

use super::{FoundBy, Labels, Roots, release};
use crate::app::kinds;
use crate::app::view::{Entry, Index, Place, View};

/// Labels of everything that is an application's: its name, its namespace, and that it is one.
const NAME: &str = "app.kubernetes.io/name";
const PART_OF: &str = "app.kubernetes.io/part-of";
const COMPONENT: (&str, &str) = ("app.kubernetes.io/component", "application");

/// The application of this name.
pub(super) fn app<'a>(view: &View<'a>, name: &str) -> Option<Roots<'a>> {
    view.named(kinds::EPINIO_APP, name).filter(|at| view.entries[*at].place == Place::Here)?;
    let labelled = |entry: &Entry<'a>| app_of(view, entry) == Some(name);
    let releases: BTreeSet<&str> = view
        .all()
        .filter(|(_, entry)| entry.template.is_some() && labelled(entry))
        .filter_map(|(_, entry)| release::of(view, entry))
        .collect();
    let installed =
        |entry: &Entry<'a>| release::of(view, entry).is_some_and(|of| releases.contains(of));
    let is_app = |entry: &Entry<'a>| entry.is(kinds::EPINIO_APP) && entry.id.name == name;
    let of_app = |entry: &Entry<'a>| is_app(entry) || labelled(entry) || installed(entry);
    let objects: Vec<Index> =
        view.all().filter(|(_, entry)| of_app(entry)).map(|(index, _)| index).collect();
    Some(Roots::new(name, FoundBy::EpinioApp, objects))
}

/// The Epinio application that the object is part of, by its own labels or those of its pods.
pub(super) fn app_of<'a>(view: &View<'a>, entry: &Entry<'a>) -> Option<&'a str> {
    let name = labelled([entry.labels(), entry.pod_labels()], &view.snapshot.namespace)?;
    view.named(kinds::EPINIO_APP, name).map(|_| name)
}

/// The Epinio application that labels of an object of `namespace` say, whether there is one or not.
pub(super) fn labelled<'a>(labels: [Option<&'a Labels>; 2], namespace: &str) -> Option<&'a str> {
    labels.into_iter().flatten().find_map(|labels| {
        let text = |key: &str| labels.get(key).and_then(serde_json::Value::as_str);
        let is = text(COMPONENT.0) == Some(COMPONENT.1) && text(PART_OF) == Some(namespace);
        text(NAME).filter(|_| is)
    })
}
