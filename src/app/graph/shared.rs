//! The workloads of the namespace: which are the application's, and what the others use.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::refs::references;
use crate::app::kinds::{self, Kind};
use crate::app::selector::Selector;
use crate::app::view::{Entry, Index, Owner, Place, View};

/// Every workload that matters: no Jobs that nothing makes and that are not exported, no pods that have finished.
#[derive(Default)]
pub(super) struct Workloads<'a> {
    pub(super) all: Vec<Workload<'a>>,
    /// By kind and name of the target: other workloads that refer to it.
    used_by_others: HashMap<(Kind, String), Vec<Index>>,
    /// What makes workloads that are not the application's.
    makers_of_others: HashSet<Index>,
    /// Places in `all` by label of the pods, so that not every selector is matched against all.
    by_label: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// What selectors were found to reach: many objects have the same one.
    reached: RefCell<HashMap<Selector, Reach>>,
}

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Workload<'a> {
    pub(super) index: Index,
    pub(super) ours: bool,
    /// Of its pods. Every selector of the namespace is matched against them.
    labels: Option<&'a Map<String, Value>>,
}

/// Whose pods a selector selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nobody's.
    Nothing,
    /// Only the application's.
    Ours,
    /// The application's and those of these workloads.
    Shared(Rc<[Index]>),
    /// Only those of these workloads.
    Others(Rc<[Index]>),
}

impl<'a> Workloads<'a> {
    pub(super) fn new(view: &View<'a>, ours: impl Fn(Index) -> bool) -> Self {
        let runs = |index: Index, entry: &Entry<'_>| {
            let made = match entry.owner {
                Owner::None => false,
                Owner::There(owner) => view.entries[owner].template.is_some(),
                Owner::Gone => true,
            };
            // One that is exported counts: it has an account and pods as others do.
            let job = entry.is(kinds::JOB) && !(entry.owner == Owner::None && ours(index));
            entry.place == Place::Here && entry.template.is_some() && !made && !job
        };
        let all: Vec<Workload<'a>> = view
            .all()
            .filter(|(index, entry)| runs(*index, entry) && !is_idle_pod(entry) && !entry.excluded)
            .map(|(index, entry)| Workload { index, ours: ours(index), labels: entry.pod_labels() })
            .collect();
        let mut used_by_others: HashMap<_, Vec<Index>> = HashMap::new();
        for workload in all.iter().filter(|workload| !workload.ours) {
            let object = view.entries[workload.index].object;
            for reference in references(object, &view.snapshot.namespace) {
                let users = used_by_others.entry((reference.kind, reference.name)).or_default();
                if users.last() != Some(&workload.index) {
                    users.push(workload.index);
                }
            }
        }
        let others = all.iter().filter(|workload| !workload.ours);
        let makers_of_others = others.filter_map(|workload| view.top(workload.index)).collect();
        let mut by_label: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, workload) in all.iter().enumerate() {
            for (key, value) in workload.labels.into_iter().flatten() {
                let Some(value) = value.as_str() else { continue };
                by_label.entry((key.as_str(), value)).or_default().push(place);
            }
        }
        Self { all, used_by_others, makers_of_others, by_label, reached: RefCell::default() }
    }

    /// Other workloads that refer to this object.
    pub(super) fn others_using(&self, kind: Kind, name: &str) -> &[Index] {
        self.used_by_others.get(&(kind, name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Whose pods the selector selects.
    pub(super) fn reach(&self, selector: Selector) -> Reach {
        if let Some(reach) = self.reached.borrow().get(&selector) {
            return reach.clone();
        }
        let reach = self.reach_of(&selector);
        self.reached.borrow_mut().insert(selector, reach.clone());
        reach
    }

    fn reach_of(&self, selector: &Selector) -> Reach {
        let none = Map::new();
        let (mut ours, mut others) = (false, Vec::new());
        for workload in self.eligible(selector) {
            if !selector.matches(workload.labels.unwrap_or(&none)) {
                continue;
            }
            if workload.ours {
                ours = true;
            } else {
                others.push(workload.index);
            }
        }
        match (ours, others.is_empty()) {
            (false, true) => Reach::Nothing,
            (true, true) => Reach::Ours,
            (true, false) => Reach::Shared(others.into()),
            (false, false) => Reach::Others(others.into()),
        }
    }

    /// The workloads that the selector can select, in order: those with the rarest of the labels
    /// that it requires.
    fn eligible<'s>(&'s self, selector: &'s Selector) -> Vec<&'s Workload<'a>> {
        let lists = selector.required().map(|(key, values)| self.labelled(key, values));
        let rarest = lists.min_by_key(|lists| lists.iter().map(|of| of.len()).sum::<usize>());
        let Some(lists) = rarest else { return self.all.iter().collect() };
        let mut places: Vec<usize> = lists.into_iter().flatten().copied().collect();
        places.sort_unstable();
        // `in (a, a)` names the same list twice.
        places.dedup();
        places.into_iter().map(|place| &self.all[place]).collect()
    }

    /// Places of the workloads with the label, for each of its values.
    fn labelled<'s>(&'s self, key: &'s str, values: &'s [String]) -> Vec<&'s [usize]> {
        let of = |value: &'s String| self.by_label.get(&(key, value.as_str()));
        values.iter().filter_map(of).map(Vec::as_slice).collect()
    }

    /// Whether `owner` makes a workload that is not the application's.
    pub(super) fn makes_others(&self, owner: Index) -> bool {
        self.makers_of_others.contains(&owner)
    }
}

/// Whether it is a pod that has finished, that is going, or that the kubelet made from a file.
pub(in crate::app) fn is_idle_pod(entry: &Entry<'_>) -> bool {
    let phase = entry.object.text("/status/phase");
    entry.is(kinds::POD)
        && (matches!(phase, Some("Succeeded" | "Failed"))
            || entry.object.annotation("kubernetes.io/config.mirror").is_some()
            || entry.object.at("/metadata/deletionTimestamp").is_some())
}
