//! From a snapshot to an application: select, follow references, normalise.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::definitions::{self, Definitions};
use super::graph::{self, Members};
use super::helm::Installed;
use super::normalize::{self, Context};
use super::select::{self, SelectError};
use super::view::{Index, Place, View};
use super::{
    App, Finding, FoundBy, Object, ObjectId, Options, Requirement, Selection, Snapshot, images,
    kinds, leaving, portability, scan, unreferenced,
};

/// Makes an application of what `selection` means in `snapshot`. The order of the snapshot's
/// objects does not matter.
///
/// What could not be read, or kept changing, is in the snapshot and not said here again; neither is
/// what depends on the policy for Secrets.
///
/// # Errors
/// When the selection means nothing or several things, or an exclusion means nothing.
pub fn assemble(
    snapshot: &Snapshot,
    selection: &Selection,
    options: &Options,
) -> Result<App, SelectError> {
    let mut view = View::new(snapshot, options);
    let roots = select::resolve(&view, selection)?;
    view.installed = Installed::new(snapshot.release_of(&roots.name));
    let members = graph::members(&view, &roots);
    let exclusions = unmatched(&view, &members);
    if !exclusions.is_empty() {
        let namespace = snapshot.namespace.clone();
        return Err(SelectError::NothingExcluded { exclusions, namespace });
    }
    let keep = images::Keep::new(&view, &members.objects, options);
    let Normalised { mut objects, mut pull_secrets, mut findings } =
        normalise(&view, &members, &keep);
    let (images, of_images) = images::images(&view, &objects, options);
    images::restore(&mut objects, &images);
    let objects: Vec<Object> = objects.into_iter().map(|(_, object)| object).collect();
    let leaving = leaving::findings(&view, &members);
    let portability = portability::check(&view, &objects, options);
    let Members { secrets, pull_secrets: left, requirements, findings: of_graph, .. } = members;
    pull_secrets.extend(left);
    let kept =
        objects.iter().flat_map(images::needed).chain(keep.of_accounts(&view, &members.objects));
    findings.extend(of_graph.into_iter().chain(of_images).chain(portability.findings));
    findings.extend(leaving);
    findings.extend(scan::scan(&objects));
    let mut requirements =
        merge(requirements.into_iter().chain(portability.requirements).chain(kept));
    let mut definitions = Definitions::default();
    if options.include_crds {
        definitions = definitions::definitions(&view, &objects);
        let brought = |id: &ObjectId| definitions.include(id);
        requirements.retain(|of| !brought(&of.object));
        findings.retain(|of| !of.object.as_ref().is_some_and(brought));
        findings.append(&mut definitions.findings);
    }
    if roots.found_by == FoundBy::Namespace {
        let exported = objects.iter().chain(&definitions.objects).map(Object::id);
        let exported: Vec<ObjectId> = exported.collect();
        let required = requirements.iter().map(|of| &of.object);
        let reported = findings.iter().filter_map(|finding| finding.object.as_ref());
        let said: HashSet<&ObjectId> = exported.iter().chain(required).chain(reported).collect();
        let unreferenced = unreferenced::findings(&view, &said);
        findings.extend(unreferenced);
    }
    let findings: BTreeSet<Finding> = findings.into_iter().collect();
    Ok(App {
        name: roots.name,
        namespace: snapshot.namespace.clone(),
        found_by: roots.found_by,
        objects,
        definitions: definitions.objects,
        images,
        secrets,
        pull_secrets: pull_secrets.into_iter().collect(),
        requirements,
        findings: findings.into_iter().collect(),
        rewrites: portability.rewrites,
    })
}

struct Normalised {
    objects: Vec<(Index, Object)>,
    pull_secrets: BTreeSet<String>,
    findings: Vec<Finding>,
}

/// Normalises the members and puts them into the order in which Helm installs.
fn normalise(view: &View<'_>, members: &Members, keep: &images::Keep<'_>) -> Normalised {
    let scaled: BTreeSet<Index> = members
        .objects
        .iter()
        .filter_map(|index| {
            let (group, kind, name) = graph::scales_replicas(view.entries[*index].object)?;
            view.named_as(group, kind, name)
        })
        .collect();
    let mut all =
        Normalised { objects: Vec::new(), pull_secrets: BTreeSet::new(), findings: Vec::new() };
    for index in members.objects.iter().copied() {
        let entry = &view.entries[index];
        let context = Context {
            namespace: &view.snapshot.namespace,
            here: entry.place != Place::Elsewhere,
            scaled: scaled.contains(&index),
            keeps_pull_secrets: keep.pull_secrets(view, index),
            installed: view.installed.as_ref(),
        };
        let done = normalize::normalise(entry.object, context);
        all.pull_secrets.extend(done.pull_secrets);
        all.findings.extend(done.findings);
        all.objects.push((index, done.object));
    }
    all.objects.sort_by_cached_key(|(_, object)| order(object));
    all
}

/// Kinds as Helm installs them, those that it does not know by name; then objects by name.
fn order(object: &Object) -> (usize, String, String, String) {
    let ObjectId { group, kind, name, .. } = object.id();
    (kinds::install_rank(&kind), kind, name, group)
}

/// One requirement for each object, with every reason.
fn merge(requirements: impl Iterator<Item = Requirement>) -> Vec<Requirement> {
    let mut reasons: BTreeMap<ObjectId, BTreeSet<String>> = BTreeMap::new();
    for Requirement { object, reason } in requirements {
        reasons.entry(object).or_default().insert(reason);
    }
    let join = |of: BTreeSet<String>| of.into_iter().collect::<Vec<_>>().join("; ");
    reasons.into_iter().map(|(object, of)| Requirement { object, reason: join(of) }).collect()
}

/// Exclusions that exclude nothing. What could not be read may be there, and a Secret that was not
/// read is there if something refers to it.
fn unmatched(view: &View<'_>, members: &Members) -> Vec<String> {
    view.exclusions.unmatched(|kind, is| {
        kind.is_some_and(|kind| kind != kinds::SECRET && view.is_unreadable(kind))
            || view.all().any(|(_, entry)| is(&entry.id.group, &entry.id.kind, &entry.id.name))
            || members.excluded_secrets.iter().any(|name| is("", "Secret", name))
    })
}
