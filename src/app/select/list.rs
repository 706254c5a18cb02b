//! The applications of a namespace, each under the strongest name that it has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, FoundBy, Labels, NAMING, counts, epinio, is_workload, release};
use crate::app::view::{Entry, Index, View};
use crate::app::{ObjectId, Options, Snapshot, kinds};

/// What a list knows of something that runs pods, and that no other workload makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Which one; without the namespace of the list.
    pub id: ObjectId,
    /// The Epinio application that it is part of.
    pub epinio_app: Option<String>,
    /// The Helm release that it, or what makes it, is of.
    pub release: Option<String>,
    /// Values of the labels that name applications, such as `app.kubernetes.io/instance`, on itself.
    pub labels: NamingLabels,
    /// The same of its pods.
    pub pod_labels: NamingLabels,
    /// Whether its owner does not want it exported.
    pub excluded: bool,
}

/// A value for each label that names applications, the strongest first.
pub type NamingLabels = [Option<String>; NAMING.len()];

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
    of_view(&View::new(snapshot, &Options::default()))
}

/// Names of the applications.
pub(super) fn names(view: &View<'_>) -> Vec<String> {
    of_view(view).into_iter().map(|candidate| candidate.name).collect()
}

fn of_view(view: &View<'_>) -> Vec<Candidate> {
    let installed = release::Installed::new(view);
    let workloads = view.all().filter(|(_, entry)| is_workload(view, entry));
    let workloads = workloads.map(|(index, entry)| workload(view, &installed, index, entry));
    let workloads: Vec<Workload> = workloads.collect();
    candidates(&workloads, &idle_releases(view, &installed), &view.snapshot.namespace)
}

/// The applications that the workloads of a namespace make, in order of name. `idle` are the Helm
/// releases that have something there, and no workload.
pub fn candidates(
    workloads: &[Workload],
    idle: &BTreeSet<&str>,
    namespace: &str,
) -> Vec<Candidate> {
    let listed = workloads.iter().filter(|workload| workload.is_listed());
    let named: Vec<(&Workload, Rank, &str)> = listed
        .map(|workload| {
            let (rank, name) = workload.strongest_name();
            (workload, rank, name)
        })
        .collect();
    let mut ranks: BTreeMap<&str, Rank> = BTreeMap::new();
    for (_, rank, name) in &named {
        ranks.entry(name).and_modify(|of| *of = (*of).min(*rank)).or_insert(*rank);
    }
    let mut found: BTreeMap<(&str, Option<&ObjectId>), Vec<&ObjectId>> = BTreeMap::new();
    for name in idle.iter().copied() {
        ranks.entry(name).and_modify(|of| *of = (*of).min(Rank::Release)).or_insert(Rank::Release);
        found.entry((name, None)).or_default();
    }
    for (workload, rank, name) in &named {
        let id = &workload.id;
        if *rank < Rank::Own && ranks[name] == *rank {
            found.entry((name, None)).or_default().push(id);
        } else if !ranks.contains_key(id.name.as_str()) || ranks[name] == Rank::Own {
            // Its name by label means something else, by a stronger label: its own name is left.
            found.entry((&id.name, Some(id))).or_default().push(id);
        }
    }
    let candidate = |((name, _), of): ((&str, _), Vec<&ObjectId>)| Candidate {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        found_by: match ranks.get(name).copied().unwrap_or(Rank::Own) {
            Rank::Epinio => FoundBy::EpinioApp,
            Rank::Release => FoundBy::HelmRelease,
            Rank::Label(at) => FoundBy::Label(NAMING[at].to_owned()),
            Rank::Own => FoundBy::Workload(of[0].clone()),
        },
        workloads: of.into_iter().cloned().collect(),
    };
    found.into_iter().map(candidate).collect()
}

impl Workload {
    /// Whether it is an application or part of one.
    fn is_listed(&self) -> bool {
        !self.excluded && (self.id.group.as_str(), self.id.kind.as_str()) != kinds::JOB
    }

    /// The name under which it stands, and what says so.
    fn strongest_name(&self) -> (Rank, &str) {
        if let Some(app) = &self.epinio_app {
            return (Rank::Epinio, app);
        }
        if let Some(release) = &self.release {
            return (Rank::Release, release);
        }
        let mut labels = self.labels.iter().zip(&self.pod_labels).enumerate();
        let named = labels.find_map(|(at, (own, of_pods))| {
            let name = own.as_ref().or(of_pods.as_ref())?;
            (!name.is_empty()).then_some((Rank::Label(at), name.as_str()))
        });
        named.unwrap_or((Rank::Own, &self.id.name))
    }
}

fn workload<'a>(
    view: &View<'a>,
    installed: &release::Installed<'a>,
    index: Index,
    entry: &Entry<'a>,
) -> Workload {
    // What an operator makes is of the release that its resource is of.
    let top = view.top(index).unwrap_or(index);
    let release = [index, top].into_iter().find_map(|at| installed.of(view, &view.entries[at]));
    Workload {
        id: entry.id.clone(),
        epinio_app: epinio::app_of(view, entry).map(str::to_owned),
        release: release.map(str::to_owned),
        labels: naming_labels(entry.labels()),
        pod_labels: naming_labels(entry.pod_labels()),
        excluded: entry.excluded,
    }
}

/// Those of the labels that name an application.
pub(super) fn naming_labels(labels: Option<&Labels>) -> NamingLabels {
    NAMING.map(|key| Some(labels?.get(key)?.as_str()?.to_owned()))
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
