//! What the index keeps: bounded in number, and of each object no more than a list needs. Pure.

use std::collections::BTreeMap;

use super::kinds::{EPINIO_APPS, KINDS};
use crate::app::{Candidate, Glance, glance};

/// Most objects that are kept; those that say nothing of applications, as pods of a workload, are
/// not. One has some 500 B, so that all are some 25 MiB.
const MAX_GLANCES: usize = 50_000;

/// What one watch knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has not read everything yet.
    #[default]
    Starting,
    /// It is up to date.
    Synced,
    /// The cluster does not serve the kind.
    NotServed,
    /// Our account may not read the kind.
    Forbidden,
    /// The kind cannot be read now, for this reason; what was read is still there.
    Away(String),
}

/// A watch of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watch {
    /// Place in [`KINDS`].
    pub(super) kind: usize,
    /// Where; `None` is everywhere.
    pub(super) namespace: Option<String>,
}

/// An object that was read: its namespace and name, and what it says.
pub(super) type Read = (String, String, Option<Glance>);

/// What is known of the cluster.
#[derive(Debug)]
pub(super) struct Kept {
    /// By namespace, then by kind and name.
    namespaces: BTreeMap<String, BTreeMap<(usize, String), Glance>>,
    count: usize,
    watches: Vec<(Watch, Standing)>,
    /// Of each kind, whether some found no place.
    full: [bool; KINDS.len()],
}

impl Kept {
    pub(super) fn new(watches: Vec<Watch>) -> Self {
        let watches = watches.into_iter().map(|watch| (watch, Standing::default())).collect();
        Self { namespaces: BTreeMap::new(), count: 0, watches, full: [false; KINDS.len()] }
    }

    /// Puts what a watch has listed in place of what it knew before.
    pub(super) fn replace(&mut self, watch: usize, listed: Vec<Read>) {
        let Watch { kind, namespace } = self.watches[watch].0.clone();
        for (name, known) in &mut self.namespaces {
            if namespace.as_ref().is_none_or(|only| only == name) {
                known.retain(|(of, _), _| *of != kind);
            }
        }
        self.namespaces.retain(|_, known| !known.is_empty());
        self.count = self.namespaces.values().map(BTreeMap::len).sum();
        self.full[kind] = false;
        for read in listed {
            self.put(watch, read);
        }
        self.set(watch, Standing::Synced);
    }

    /// Takes in an object as it is now.
    pub(super) fn put(&mut self, watch: usize, (namespace, name, glance): Read) {
        let kind = self.watches[watch].0.kind;
        let Some(glance) = glance else { return self.remove(watch, &namespace, name) };
        let has_room = self.count < MAX_GLANCES;
        let known = self.namespaces.entry(namespace).or_default();
        if !has_room && !known.contains_key(&(kind, name.clone())) {
            self.full[kind] = true;
        } else if known.insert((kind, name), glance).is_none() {
            self.count += 1;
        }
    }

    pub(super) fn remove(&mut self, watch: usize, namespace: &str, name: String) {
        let kind = self.watches[watch].0.kind;
        let Some(known) = self.namespaces.get_mut(namespace) else { return };
        if known.remove(&(kind, name)).is_some() {
            self.count -= 1;
        }
        if known.is_empty() {
            self.namespaces.remove(namespace);
        }
    }

    pub(super) fn set(&mut self, watch: usize, standing: Standing) {
        self.watches[watch].1 = standing;
    }

    /// Whether every watch has read what it may.
    pub(super) fn is_complete(&self) -> bool {
        self.watches.iter().all(|(_, standing)| *standing != Standing::Starting)
    }

    /// A kind that is not known well now, and why, if there is one.
    pub(super) fn unread(&self) -> Option<String> {
        self.watches.iter().find_map(|(watch, standing)| {
            let kind = KINDS[watch.kind].name;
            match standing {
                Standing::Starting => Some(format!("{kind} are not read yet")),
                Standing::Away(reason) => Some(format!("{kind} cannot be read: {reason}")),
                Standing::Synced | Standing::NotServed | Standing::Forbidden => None,
            }
        })
    }

    /// Kinds of which not every object is known: our account may not read them, or they are too many.
    pub(super) fn unreadable(&self) -> Vec<String> {
        let forbidden = |kind| {
            let of = self.watches.iter().filter(|(watch, _)| watch.kind == kind);
            { of }.any(|(_, standing)| *standing == Standing::Forbidden)
        };
        let incomplete = (0..KINDS.len()).filter(|kind| self.full[*kind] || forbidden(*kind));
        incomplete.map(|kind| KINDS[kind].name.to_owned()).collect()
    }

    /// Names of the namespaces with something in them, in order.
    pub(super) fn namespaces(&self) -> Vec<String> {
        self.namespaces.keys().cloned().collect()
    }

    /// The applications of a namespace.
    pub(super) fn apps(&self, namespace: &str) -> Vec<Candidate> {
        let known = self.namespaces.get(namespace).into_iter().flat_map(BTreeMap::values);
        glance::list(known, namespace)
    }

    /// Names of Epinio's applications of a namespace; `None` while they are not all known.
    pub(super) fn epinio_apps(&self, namespace: &str) -> Option<Vec<String>> {
        let watches = self.watches.iter().filter(|(watch, _)| {
            watch.kind == EPINIO_APPS && watch.namespace.as_deref().is_none_or(|at| at == namespace)
        });
        let mut standings = watches.map(|(_, standing)| standing).peekable();
        standings.peek()?;
        let is_known = |of: &Standing| matches!(of, Standing::Synced | Standing::NotServed);
        if self.full[EPINIO_APPS] || !standings.all(is_known) {
            return None;
        }
        let known = self.namespaces.get(namespace).into_iter().flatten();
        let apps = known.filter(|((kind, _), _)| *kind == EPINIO_APPS);
        Some(apps.map(|((_, name), _)| name.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Object;
    use serde_json::json;

    fn read(api_version: &str, kind: &str, namespace: &str, name: &str) -> Read {
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
        let glance = Glance::of(&Object::new(object).unwrap(), namespace);
        (namespace.to_owned(), name.to_owned(), glance)
    }

    fn deployment(namespace: &str, name: &str) -> Read {
        read("apps/v1", "Deployment", namespace, name)
    }

    fn watch(kind: usize, namespace: Option<&str>) -> Watch {
        Watch { kind, namespace: namespace.map(str::to_owned) }
    }

    fn names(kept: &Kept, namespace: &str) -> Vec<String> {
        kept.apps(namespace).into_iter().map(|app| app.name).collect()
    }

    #[test]
    fn a_list_takes_the_place_of_what_its_watch_knew_and_of_nothing_else() {
        let mut kept = Kept::new(vec![watch(0, Some("a")), watch(0, Some("b")), watch(1, None)]);
        kept.replace(0, vec![deployment("a", "x"), deployment("a", "y")]);
        kept.replace(1, vec![deployment("b", "z")]);
        assert!(!kept.is_complete());
        kept.replace(2, vec![read("apps/v1", "StatefulSet", "a", "db")]);
        assert!(kept.is_complete());
        kept.replace(0, vec![deployment("a", "y")]);
        assert_eq!(
            (names(&kept, "a"), names(&kept, "b")),
            (vec!["db".into(), "y".into()], vec!["z".to_owned()])
        );
        kept.remove(1, "b", "z".to_owned());
        assert_eq!((kept.namespaces(), kept.count), (vec!["a".to_owned()], 2));
    }

    #[test]
    fn what_says_nothing_any_more_is_let_go() {
        let mut kept = Kept::new(vec![watch(9, None)]);
        let mut map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c",
            "annotations": {"meta.helm.sh/release-name": "shop"}}});
        let glance = |map: &serde_json::Value| Glance::of(&Object::new(map.clone()).unwrap(), "a");
        kept.put(0, ("a".into(), "c".into(), glance(&map)));
        assert_eq!(names(&kept, "a"), ["shop"]);
        map["metadata"]["annotations"] = json!({});
        kept.put(0, ("a".into(), "c".into(), glance(&map)));
        assert_eq!((kept.namespaces(), kept.count), (Vec::new(), 0));
    }

    #[test]
    fn no_more_are_kept_than_the_limit_and_it_is_said() {
        let mut kept = Kept::new(vec![watch(0, None)]);
        let some = (0..=MAX_GLANCES).map(|number| deployment("a", &format!("d{number}")));
        kept.replace(0, some.collect());
        assert_eq!((kept.count, kept.unreadable()), (MAX_GLANCES, vec!["deployments.apps".into()]));
        kept.put(0, deployment("a", "d0"));
        assert_eq!(kept.count, MAX_GLANCES);
        kept.replace(0, vec![deployment("a", "d0")]);
        assert_eq!((kept.count, kept.unreadable()), (1, Vec::new()));
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut kept = Kept::new(vec![watch(0, None), watch(EPINIO_APPS, Some("a"))]);
        assert_eq!(kept.unread().as_deref(), Some("deployments.apps are not read yet"));
        kept.set(0, Standing::Forbidden);
        assert_eq!(kept.epinio_apps("a"), None);
        kept.set(1, Standing::Away("refused".to_owned()));
        let away = "apps.application.epinio.io cannot be read: refused";
        assert_eq!(kept.unread().as_deref(), Some(away));
        assert_eq!((kept.is_complete(), kept.epinio_apps("a")), (true, None));
        kept.set(1, Standing::NotServed);
        assert_eq!((kept.unread(), kept.unreadable()), (None, vec!["deployments.apps".into()]));
        assert_eq!((kept.epinio_apps("a"), kept.epinio_apps("b")), (Some(Vec::new()), None));
    }
}
