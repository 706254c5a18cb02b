//! Objects without a namespace that came along with a whole namespace and that nothing in it refers
//! to: nobody can tell whose they are, so that they are named and not exported.

use std::collections::HashSet;

use serde_json::Value;

use super::kinds;
use super::view::{Entry, Place, View};
use super::{Code, Finding, ObjectId, Origin};

/// A finding for each of those that are not `said` already: exported, required or reported.
///
/// Files hold what somebody put there. Of a cluster, roles and bindings are read that others use as
/// well; of those, bindings count that name accounts of the namespace.
pub(super) fn findings(view: &View<'_>, said: &HashSet<&ObjectId>) -> Vec<Finding> {
    let is_from_files = view.snapshot.origin == Origin::Manifests;
    let left = view.all().map(|(_, entry)| entry).filter(|entry| {
        entry.place == Place::Cluster
            && !kinds::is_derived(entry.object)
            && !is_the_namespace(view, entry)
            && (is_from_files || binds_here(view, entry))
            && !said.contains(&entry.id)
    });
    left.map(|entry| finding(entry)).collect()
}

fn finding(entry: &Entry<'_>) -> Finding {
    let id = entry.id.clone();
    if entry.excluded {
        let text = format!("{id} was left out on request");
        return Finding::new(Code::Excluded, text).on(id);
    }
    let text = format!("{id} has no namespace, and nothing of the application refers to it");
    let remedy = "Create it in the target cluster, if the application needs it.";
    Finding::new(Code::NotExported, text).on(id).remedy(remedy)
}

fn is_the_namespace(view: &View<'_>, entry: &Entry<'_>) -> bool {
    entry.is(kinds::NAMESPACE) && entry.id.name == view.snapshot.namespace
}

/// Whether a binding gives rights to accounts of the namespace, one of them or all.
fn binds_here(view: &View<'_>, entry: &Entry<'_>) -> bool {
    let namespace = view.snapshot.namespace.as_str();
    let group = format!("system:serviceaccounts:{namespace}");
    let subjects = entry.object.at("/subjects").and_then(Value::as_array);
    subjects.into_iter().flatten().any(|subject| {
        let is = |key: &str, value: &str| subject.get(key).and_then(Value::as_str) == Some(value);
        is("namespace", namespace) || (is("kind", "Group") && is("name", &group))
    })
}
