//! From what a selection matches to the first members, with a word on everything left out.

use std::collections::HashSet;

use serde_json::Value;

use super::Walk;
use super::shared::is_idle_pod;
use crate::app::select::Roots;
use crate::app::view::{Entry, Index, Owner, Place, View};
use crate::app::{Code, Finding, JobsPolicy, ObjectId, kinds};

/// Roots that are decided on later.
#[derive(Default)]
pub(super) struct Labelled {
    /// Cluster-scoped objects.
    pub(super) cluster: Vec<Index>,
    /// Secrets.
    pub(super) secrets: Vec<Index>,
}

impl Walk<'_, '_> {
    /// Makes members of the roots.
    pub(super) fn roots(&mut self, roots: &Roots<'_>) -> Labelled {
        let mut later = Labelled::default();
        let stems = claim_stems(self.view);
        for index in roots.objects.iter().copied() {
            let entry = &self.view.entries[index];
            match entry.place {
                Place::Elsewhere => self.elsewhere(index),
                Place::Cluster => later.cluster.push(index),
                Place::Here if entry.is(kinds::SECRET) => later.secrets.push(index),
                Place::Here => self.root(index, &stems),
            }
        }
        later
    }

    fn root(&mut self, index: Index, stems: &HashSet<String>) {
        let Some(top) = self.view.top(index) else { return };
        let entry = &self.view.entries[top];
        if !entry.excluded && kinds::is_derived(entry.object) {
            return;
        }
        if let Some(finding) = skipped(self.view, entry) {
            if top == index {
                self.findings.push(finding);
            }
        } else if !is_made_from_template(stems, entry) {
            self.take(index);
        }
    }

    fn elsewhere(&mut self, index: Index) {
        let entry = &self.view.entries[index];
        let owned = entry.object.at("/metadata/ownerReferences").is_some();
        if owned || kinds::is_derived(entry.object) {
            return;
        }
        let text = format!("{} carries the application's label in another namespace", entry.id);
        let remedy = "Export it from its own namespace, or move it.";
        self.findings.push(Finding::new(Code::NotExported, text).on(self.id(index)).remedy(remedy));
    }
}

/// What to say of a root that is not exported because of what it is.
fn skipped(view: &View<'_>, entry: &Entry<'_>) -> Option<Finding> {
    let id = entry.id.clone();
    let say = |code, text: String| Some(Finding::new(code, text).on(id.clone()));
    if entry.excluded {
        return None;
    }
    if entry.is(kinds::JOB) && entry.owner == Owner::None && view.jobs == JobsPolicy::Skip {
        let text = format!("{id} has run, or runs, once: it is not exported");
        let remedy = "Export with `--jobs hook` if it has to run after each install.";
        return Some(Finding::new(Code::JobSkipped, text).on(id).remedy(remedy));
    }
    if is_idle_pod(entry) {
        return say(
            Code::PodSkipped,
            format!("{id} has finished, or the node made it: it is not exported"),
        );
    }
    if entry.is(kinds::EPINIO_APP) {
        return Some(epinio_skipped(&id));
    }
    if kinds::is_of_the_place(entry.object) {
        let namespace = &view.snapshot.namespace;
        return say(
            Code::KindSkipped,
            format!("{id} rules the namespace `{namespace}`, not the application"),
        );
    }
    None
}

/// What to say of what Epinio keeps for itself.
pub(super) fn epinio_skipped(id: &ObjectId) -> Finding {
    let text = format!("{id} is Epinio's own record of the application: the chart needs no Epinio");
    Finding::new(Code::EpinioSkipped, text).on(id.clone())
}

/// What StatefulSets here call the claims that they make, without the number at the end:
/// `<template>-<set>`.
pub(in crate::app) fn claim_stems(view: &View<'_>) -> HashSet<String> {
    let sets = view.of_kind(kinds::STATEFUL_SET).flat_map(|(_, set)| {
        let templates = set.object.at("/spec/volumeClaimTemplates").and_then(Value::as_array);
        templates.into_iter().flatten().filter_map(|template| {
            let name = template.pointer("/metadata/name")?.as_str()?;
            Some(format!("{name}-{}", set.id.name))
        })
    });
    sets.collect()
}

/// Whether a StatefulSet made the claim from its template: `<template>-<set>-<number>`.
pub(in crate::app) fn is_made_from_template(stems: &HashSet<String>, entry: &Entry<'_>) -> bool {
    let parts = entry.id.name.rsplit_once('-').filter(|_| entry.is(kinds::CLAIM));
    parts.is_some_and(|(stem, number)| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && stems.contains(stem)
    })
}
