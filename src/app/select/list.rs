//! The applications of a namespace, each under the strongest name that it has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, FoundBy, Labels, NAMING, counts, epinio, is_workload, release};
use crate::app::view::{Entry, Index, View};
use crate::app::{Options, Snapshot, kinds};

/// How a workload is named, the strongest first: in the order in which a name is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Epinio,
    Release,
    /// The place in [`NAMING`].
    Label(usize),
    /// By its own name.
    Own,
}

/// The applications of a snapshot, in order of name. Each workload stands under the strongest name
/// that it carries, and a Helm release is there without any; Jobs that nothing makes are no
/// application.
pub fn list(snapshot: &Snapshot) -> Vec<Candidate> {
    candidates(&View::new(snapshot, &Options::default()))
}

/// Names of the applications.
pub(super) fn names(view: &View<'_>) -> Vec<String> {
    candidates(view).into_iter().map(|candidate| candidate.name).collect()
}

fn candidates(view: &View<'_>) -> Vec<Candidate> {
    let installed = release::Installed::new(view);
    let workloads =
        view.all().filter(|(_, e)| is_workload(view, e) && !e.excluded && !e.is(kinds::JOB));
    let named: Vec<(Index, Rank, String)> = workloads
        .map(|(index, entry)| {
            let (rank, name) = strongest_name(view, &installed, index, entry);
            (index, rank, name)
        })
        .collect();
    let mut ranks: BTreeMap<&str, Rank> = BTreeMap::new();
    for (_, rank, name) in &named {
        ranks.entry(name.as_str()).and_modify(|of| *of = (*of).min(*rank)).or_insert(*rank);
    }
    let mut found: BTreeMap<(&str, Option<Index>), Vec<Index>> = BTreeMap::new();
    for name in idle_releases(view, &installed) {
        ranks.entry(name).and_modify(|of| *of = (*of).min(Rank::Release)).or_insert(Rank::Release);
        found.entry((name, None)).or_default();
    }
    for (index, rank, name) in &named {
        let own_name = view.entries[*index].id.name.as_str();
        if *rank < Rank::Own && ranks[name.as_str()] == *rank {
            found.entry((name, None)).or_default().push(*index);
        } else if !ranks.contains_key(own_name) || ranks[name.as_str()] == Rank::Own {
            // Its name by label means something else, by a stronger label: its own name is left.
            found.entry((own_name, Some(*index))).or_default().push(*index);
        }
    }
    let candidate = |((name, _), of): ((&str, _), Vec<Index>)| Candidate {
        name: name.to_owned(),
        namespace: view.snapshot.namespace.clone(),
        found_by: match ranks.get(name).copied().unwrap_or(Rank::Own) {
            Rank::Epinio => FoundBy::EpinioApp,
            Rank::Release => FoundBy::HelmRelease,
            Rank::Label(at) => FoundBy::Label(NAMING[at].to_owned()),
            Rank::Own => FoundBy::Workload(view.entries[of[0]].id.clone()),
        },
        workloads: of.iter().map(|index| view.entries[*index].id.clone()).collect(),
    };
    found.into_iter().map(candidate).collect()
}

/// Releases that have something here, and no workload.
fn idle_releases<'a>(view: &View<'a>, installed: &release::Installed<'a>) -> BTreeSet<&'a str> {
    let of = |index: Index| installed.of(view, &view.entries[index]);
    let workloads = view.all().filter(|(_, entry)| is_workload(view, entry));
    let tops = workloads.flat_map(|(index, _)| [Some(index), view.top(index)]).flatten();
    let running: BTreeSet<&str> = tops.filter_map(of).collect();
    let objects = view.all().filter(|(index, entry)| {
        counts(view, *index) && !entry.excluded && !entry.is(kinds::SECRET)
    });
    let named = objects.filter_map(|(index, _)| of(index));
    named.filter(|name| !running.contains(name)).collect()
}

/// The name under which a workload stands, and what says so.
fn strongest_name<'a>(
    view: &View<'a>,
    installed: &release::Installed<'a>,
    index: Index,
    entry: &Entry<'a>,
) -> (Rank, String) {
    if let Some(app) = epinio::app_of(view, entry) {
        return (Rank::Epinio, app.to_owned());
    }
    // What an operator makes is of the release that its resource is of.
    let top = view.top(index).unwrap_or(index);
    let release = [index, top].into_iter().find_map(|at| installed.of(view, &view.entries[at]));
    if let Some(release) = release {
        return (Rank::Release, release.to_owned());
    }
    let of = |labels: Option<&Labels>, key: &str| Some(labels?.get(key)?.as_str()?.to_owned());
    let named = NAMING.iter().enumerate().find_map(|(at, key)| {
        let name = of(entry.labels(), key).or_else(|| of(entry.pod_labels(), key))?;
        (!name.is_empty()).then_some((Rank::Label(at), name))
    });
    named.unwrap_or_else(|| (Rank::Own, entry.id.name.clone()))
}
