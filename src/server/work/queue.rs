//! Exports that wait for a worker: one namespace after the other has its turn, whatever each has
//! asked for.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::cluster::record::{Export, Phase};

/// A record of an export.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An export that waits or runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its record.
    pub key: Key,
    /// Namespace of the application.
    pub namespace: String,
    /// The application.
    pub app: String,
    /// Where it goes.
    pub destination: String,
}

/// How much at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Exports that run.
    pub workers: usize,
    /// Of them to one destination.
    pub per_destination: usize,
    /// Exports that wait.
    pub waiting: usize,
}

/// What waits and what runs.
#[derive(Clone, Debug)]
pub struct Queue {
    limits: Limits,
    /// Whose turn it is, first to last; each namespace once, never with nothing.
    turns: VecDeque<(String, VecDeque<Job>)>,
    /// The keys of all of these: everything that waits is offered again with every look.
    waiting: HashSet<Key>,
    running: BTreeMap<Key, Job>,
}

/// Which place has each export that waits, from 1: one namespace after the other has its turn, and
/// in each the one that has waited longest. Every replica can say it, by the records alone. What
/// holds an export up besides, as another of its application, is not looked at.
pub fn places(exports: &[Arc<Export>]) -> BTreeMap<Key, usize> {
    let since = |export: &Export| {
        let status = export.status.as_ref().filter(|it| it.phase == Some(Phase::Pending));
        status.and_then(|status| status.queued_at)
    };
    let waits = exports.iter().filter_map(|export| Some((since(export)?, export)));
    let mut waiting: Vec<_> = waits.collect();
    waiting.sort_by_key(|(since, _)| *since);
    let mut rounds = HashMap::<&str, usize>::new();
    let mut turns: Vec<(usize, &Arc<Export>)> = Vec::new();
    for (_, export) in waiting {
        let round = rounds.entry(export.target()).or_default();
        turns.push((*round, export));
        *round += 1;
    }
    turns.sort_by_key(|(round, _)| *round);
    turns.iter().zip(1..).map(|((_, export), place)| (Key::of(export), place)).collect()
}

impl Key {
    /// The record of this export.
    pub fn of(export: &Export) -> Self {
        Self { namespace: export.namespace().to_owned(), name: export.name().to_owned() }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Export {}/{}", self.namespace, self.name)
    }
}

impl Queue {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        let (turns, waiting) = (VecDeque::new(), HashSet::new());
        Self { limits, turns, waiting, running: BTreeMap::new() }
    }

    /// Whether the export waits or runs.
    pub fn holds(&self, key: &Key) -> bool {
        self.running.contains_key(key) || self.waiting.contains(key)
    }

    /// Lets an export wait behind those of its namespace, unless it is here already. `false`: there
    /// is no room; it is offered again later, as its record stays.
    pub fn push(&mut self, job: Job) -> bool {
        if self.holds(&job.key) {
            return true;
        }
        if self.waiting.len() >= self.limits.waiting {
            return false;
        }
        self.waiting.insert(job.key.clone());
        match self.turns.iter_mut().find(|(namespace, _)| *namespace == job.namespace) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.turns.push_back((job.namespace.clone(), VecDeque::from([job]))),
        }
        true
    }

    /// The next export that may run, which counts as running then: of the first namespace in turn
    /// that has one. Its turn comes again after all others'.
    pub fn pop(&mut self) -> Option<Key> {
        if self.running.len() >= self.limits.workers {
            return None;
        }
        let may_run = |job: &Job| self.may_run(job);
        let (turn, place) = self.turns.iter().enumerate().find_map(|(turn, (_, jobs))| {
            jobs.iter().position(may_run).map(|place| (turn, place))
        })?;
        let (namespace, mut jobs) = self.turns.remove(turn)?;
        let job = jobs.remove(place)?;
        if !jobs.is_empty() {
            self.turns.push_back((namespace, jobs));
        }
        let key = job.key.clone();
        self.waiting.remove(&key);
        self.running.insert(key.clone(), job);
        Some(key)
    }

    /// The export runs or waits no more.
    pub fn remove(&mut self, key: &Key) {
        self.running.remove(key);
        if !self.waiting.remove(key) {
            return;
        }
        for (_, jobs) in &mut self.turns {
            jobs.retain(|job| job.key != *key);
        }
        self.turns.retain(|(_, jobs)| !jobs.is_empty());
    }

    /// One at a time of an application to a destination, as versions come from one repository.
    fn may_run(&self, job: &Job) -> bool {
        let is_same = |other: &&Job| (&other.namespace, &other.app) == (&job.namespace, &job.app);
        let there: Vec<&Job> =
            self.running.values().filter(|other| other.destination == job.destination).collect();
        there.len() < self.limits.per_destination && !there.iter().any(is_same)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::cluster::record::{ExportSpec, ExportStatus};

    const LIMITS: Limits = Limits { workers: 2, per_destination: 2, waiting: 100 };

    fn job(namespace: &str, app: &str, destination: &str, number: usize) -> Job {
        Job {
            key: Key { namespace: namespace.into(), name: format!("{app}-{number}") },
            namespace: namespace.into(),
            app: app.into(),
            destination: destination.into(),
        }
    }

    fn pushed(queue: &mut Queue, jobs: impl IntoIterator<Item = Job>) {
        for job in jobs {
            assert!(queue.push(job));
        }
    }

    #[test]
    fn each_that_waits_has_its_place_by_turns() {
        let waits = |namespace: &str, name: &str, second: i64| {
            let mut export = Export::draft(namespace, name, ExportSpec::new("shop", "team"));
            export.status = Some(ExportStatus {
                phase: Some(Phase::Pending),
                queued_at: Timestamp::from_second(second).ok(),
                ..ExportStatus::default()
            });
            Arc::new(export)
        };
        let mut running = Export::clone(&waits("a", "runs", 0));
        running.status.as_mut().unwrap().phase = Some(Phase::Running);
        let new = Arc::new(Export::draft("a", "new", ExportSpec::new("shop", "team")));
        let all = [
            waits("a", "third", 5),
            waits("a", "first", 1),
            waits("b", "second", 4),
            waits("a", "last", 7),
            waits("b", "fourth", 6),
            Arc::new(running),
            new,
        ];
        let mut places: Vec<_> = places(&all).into_iter().collect();
        places.sort_by_key(|(_, place)| *place);
        let names: Vec<_> = places.iter().map(|(key, place)| (key.name.as_str(), *place)).collect();
        assert_eq!(names, [("first", 1), ("second", 2), ("third", 3), ("fourth", 4), ("last", 5)]);
    }

    #[test]
    fn who_asks_for_much_does_not_keep_others_waiting() {
        let mut queue = Queue::new(Limits { workers: 1, ..LIMITS });
        pushed(&mut queue, (0..50).map(|n| job("loud", &format!("app{n}"), "team", n)));
        pushed(&mut queue, [job("quiet", "shop", "team", 0)]);
        let first = queue.pop().unwrap();
        assert_eq!((first.namespace.as_str(), queue.pop()), ("loud", None));
        queue.remove(&first);
        assert_eq!(queue.pop().unwrap().namespace, "quiet");
    }

    #[test]
    fn one_application_goes_to_one_destination_once_at_a_time_and_to_two_at_once() {
        let mut queue = Queue::new(LIMITS);
        let jobs = [job("a", "shop", "x", 0), job("a", "shop", "x", 1), job("a", "shop", "y", 2)];
        pushed(&mut queue, jobs);
        assert_eq!(queue.pop().unwrap().name, "shop-0");
        assert_eq!(queue.pop().unwrap().name, "shop-2");
        assert_eq!(queue.pop(), None);
        queue.remove(&Key { namespace: "a".into(), name: "shop-0".into() });
        assert_eq!(queue.pop().unwrap().name, "shop-1");
    }

    #[test]
    fn a_full_queue_takes_none_but_those_that_it_has() {
        let mut queue = Queue::new(Limits { waiting: 1, ..LIMITS });
        assert!(queue.push(job("a", "one", "x", 0)));
        assert!(!queue.push(job("a", "two", "x", 0)));
        assert!(queue.push(job("a", "one", "x", 0)));
        queue.remove(&Key { namespace: "a".into(), name: "one-0".into() });
        assert!(queue.push(job("a", "two", "x", 0)));
    }

    proptest! {
        /// Whatever is pushed and whenever something ends: limits hold, nothing runs twice, nothing
        /// is lost, and what waits alone in its namespace waits at most one turn of each other.
        #[test]
        fn limits_hold_and_all_have_their_turn(
            jobs in prop::collection::vec((0u8..4, 0u8..3, 0u8..3), 1..60),
            ends in prop::collection::vec(any::<prop::sample::Index>(), 1..200),
        ) {
            let mut queue = Queue::new(LIMITS);
            let all: Vec<Job> = jobs.iter().enumerate().map(|(number, (namespace, app, to))| {
                job(&format!("n{namespace}"), &format!("app{app}"), &format!("to{to}"), number)
            }).collect();
            pushed(&mut queue, all.clone());
            let (mut running, mut done): (Vec<Key>, Vec<Key>) = (Vec::new(), Vec::new());
            let mut ends = ends.iter().cycle();
            while done.len() < all.len() {
                while let Some(key) = queue.pop() {
                    prop_assert!(!done.contains(&key) && !running.contains(&key));
                    running.push(key);
                }
                prop_assert!(!running.is_empty() && running.len() <= LIMITS.workers);
                let pairs: Vec<_> = running.iter().map(|key| {
                    let job = all.iter().find(|job| job.key == *key).unwrap();
                    (&job.namespace, &job.app, &job.destination)
                }).collect();
                prop_assert!(pairs.len() < 2 || pairs[0] != pairs[1]);
                let ended = running.remove(ends.next().unwrap().index(running.len()));
                queue.remove(&ended);
                done.push(ended);
            }
            prop_assert_eq!(queue.pop(), None);
        }
    }
}
