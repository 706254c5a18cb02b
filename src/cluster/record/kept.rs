//! What a store keeps of the records that the cluster has: bounded in number, and of each no more than
//! the server needs. Pure.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use kube::Resource;
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::runtime::watcher::Event;
use serde::de::DeserializeOwned;

/// Longest value of an annotation that is kept, in characters; a mark has some 80.
const MAX_ANNOTATION: usize = 256;

/// Namespace and name.
pub(super) type Key = (String, String);

/// A record as it comes from the API. One that this release does not understand, as a later one has
/// written it, must not keep the others from being read.
pub(super) type Read<R> = DeserializeGuard<R>;

/// A kind of records that a store keeps.
pub trait Record:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Most of them that are kept.
    const MOST: usize;

    /// Keys of labels that are kept.
    const LABELS: &'static [&'static str];

    /// Keys of annotations that are kept.
    const ANNOTATIONS: &'static [&'static str];
}

/// How well a store knows what is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It has not read everything yet.
    #[default]
    Starting,
    /// It is up to date.
    Synced,
    /// The cluster does not know the resource.
    NotServed,
    /// It cannot be read now, for this reason; what was read is still there.
    Away(String),
    /// There are more exports than it keeps; those beyond are not in it.
    Full,
}

/// The records of the cluster, as far as they are known.
#[derive(Debug)]
pub(super) struct Kept<R> {
    pub(super) records: BTreeMap<Key, Arc<R>>,
    watches: Vec<Watch<R>>,
}

/// What one watch of records has seen.
#[derive(Debug)]
struct Watch<R> {
    /// Where it watches; `None` is everywhere.
    namespace: Option<String>,
    /// Those of a list that is not at its end yet.
    listed: BTreeMap<Key, Arc<R>>,
    /// Whether some found no place.
    full: bool,
    /// Whether everything was read once.
    complete: bool,
    health: Health,
}

impl<R: Record> Kept<R> {
    /// Nothing yet, of a watch for each of the namespaces, or of one for all.
    pub(super) fn new(namespaces: &[String]) -> Self {
        let watches = match namespaces {
            [] => vec![Watch::new(None)],
            some => some.iter().cloned().map(Some).map(Watch::new).collect(),
        };
        Self { records: BTreeMap::new(), watches }
    }

    /// Where each watch watches, in order of their numbers.
    pub(super) fn places(&self) -> Vec<Option<String>> {
        self.watches.iter().map(|watch| watch.namespace.clone()).collect()
    }

    /// How well it knows what is there: as the watch that knows it worst.
    pub(super) fn health(&self) -> Health {
        let all = || self.watches.iter().map(|watch| &watch.health);
        let unwell = all().find(|health| !matches!(health, Health::Synced | Health::Full));
        unwell
            .or_else(|| all().find(|health| **health == Health::Full))
            .unwrap_or(&Health::Synced)
            .clone()
    }

    /// Whether every watch has read everything once.
    pub(super) fn is_complete(&self) -> bool {
        self.watches.iter().all(|watch| watch.complete)
    }

    pub(super) fn set(&mut self, watch: usize, health: Health) {
        self.watches[watch].health = health;
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<R>> {
        self.records.get(key).cloned()
    }

    /// Takes in what a watch says, and whether readers see it: of a list, only when it is whole.
    pub(super) fn take(&mut self, number: usize, event: Event<Read<R>>) -> bool {
        let watch = &mut self.watches[number];
        match event {
            Event::Init => {
                watch.listed.clear();
                watch.full = false;
                return false;
            }
            Event::InitApply(record) => {
                let (key, record) = understood(record);
                watch.full |= !put(&mut watch.listed, key, record);
                return false;
            }
            Event::InitDone => self.replace(number),
            Event::Apply(record) => {
                let (key, record) = understood(record);
                watch.full |= !put(&mut self.records, key, record);
                watch.settle();
            }
            Event::Delete(record) => {
                self.records.remove(&key(&record));
            }
        }
        true
    }

    /// Whether records that found no place may find one now: then the cluster is to be asked for
    /// all of them again. A quarter is free then, so that it is not asked for each that goes.
    pub(super) fn has_room_again(&self, watch: usize) -> bool {
        self.watches[watch].full && self.records.len() <= R::MOST / 4 * 3
    }

    /// Puts the list in place of what was there. What has not changed stays the very same.
    fn replace(&mut self, number: usize) {
        let watch = &mut self.watches[number];
        let is_its = |of: &str| watch.namespace.as_ref().is_none_or(|namespace| namespace == of);
        let (old, others): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.records).into_iter().partition(|((of, _), _)| is_its(of));
        self.records = others;
        for (key, record) in std::mem::take(&mut watch.listed) {
            if self.records.len() >= R::MOST {
                watch.full = true;
                break;
            }
            let is_same =
                |of: &&Arc<R>| of.meta().resource_version == record.meta().resource_version;
            let before = old.get(&key).filter(is_same).map(Arc::clone);
            self.records.insert(key, before.unwrap_or(record));
        }
        watch.complete = true;
        watch.settle();
    }
}

impl<R> Watch<R> {
    fn new(namespace: Option<String>) -> Self {
        let (listed, health) = (BTreeMap::new(), Health::default());
        Self { namespace, listed, full: false, complete: false, health }
    }

    fn settle(&mut self) {
        self.health = if self.full { Health::Full } else { Health::Synced };
    }
}

/// Whether there was a place for it. What is not understood has none, nor what it was before.
fn put<R: Record>(records: &mut BTreeMap<Key, Arc<R>>, key: Key, record: Option<R>) -> bool {
    match record {
        None => {
            records.remove(&key);
        }
        Some(_) if records.len() >= R::MOST && !records.contains_key(&key) => return false,
        Some(record) => {
            records.insert(key, Arc::new(record));
        }
    }
    true
}

fn key<R: Record>(read: &Read<R>) -> Key {
    let (meta, text) = (read.meta(), |name: &Option<String>| name.clone().unwrap_or_default());
    (text(&meta.namespace), text(&meta.name))
}

/// Which record it is, and the record itself without what the server does not need.
fn understood<R: Record>(read: Read<R>) -> (Key, Option<R>) {
    let key = key(&read);
    match read.0 {
        Ok(record) => (key, Some(trim(record))),
        // Its words quote what was read, and anybody may have written that.
        Err(_) => {
            let kind = R::kind(&());
            tracing::warn!(%kind, namespace = key.0, name = key.1, "a record is not understood");
            (key, None)
        }
    }
}

/// Anybody can write a megabyte of metadata.
fn trim<R: Record>(mut record: R) -> R {
    let metadata = record.meta_mut();
    metadata.owner_references = None;
    metadata.finalizers = None;
    metadata.managed_fields = None;
    if let Some(labels) = &mut metadata.labels {
        labels.retain(|key, _| R::LABELS.contains(&key.as_str()));
    }
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|key, _| R::ANNOTATIONS.contains(&key.as_str()));
        for value in annotations.values_mut() {
            if let Some((end, _)) = value.char_indices().nth(MAX_ANNOTATION) {
                value.truncate(end);
            }
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use kube::core::DeserializeGuard;
    use serde_json::json;

    use super::*;
    use crate::cluster::record::{APP, CANCEL, DESTINATION, Export, ExportSpec, REQUEST};

    fn export(name: &str, version: &str) -> Export {
        let mut export = Export::draft("team", name, ExportSpec::new("shop", "backup"));
        export.metadata.resource_version = Some(version.to_owned());
        export
    }

    fn read(name: &str, version: &str) -> Read<Export> {
        DeserializeGuard(Ok(export(name, version)))
    }

    fn key(name: &str) -> Key {
        ("team".to_owned(), name.to_owned())
    }

    fn list(kept: &mut Kept<Export>, exports: impl IntoIterator<Item = Read<Export>>) {
        kept.take(0, Event::Init);
        for export in exports {
            kept.take(0, Event::InitApply(export));
        }
        kept.take(0, Event::InitDone);
    }

    #[test]
    fn a_list_is_seen_when_it_is_whole_and_what_has_not_changed_stays_the_same() {
        let mut kept = Kept::<Export>::new(&[]);
        list(&mut kept, [read("a", "1"), read("b", "2")]);
        let (a, b) = (kept.get(&key("a")).unwrap(), kept.get(&key("b")).unwrap());
        kept.take(0, Event::Init);
        kept.take(0, Event::InitApply(read("a", "1")));
        assert_eq!(kept.records.len(), 2);
        kept.take(0, Event::InitApply(read("b", "3")));
        kept.take(0, Event::InitDone);
        assert!(Arc::ptr_eq(&a, &kept.get(&key("a")).unwrap()));
        assert!(!Arc::ptr_eq(&b, &kept.get(&key("b")).unwrap()));
        list(&mut kept, [read("b", "3")]);
        assert_eq!((kept.get(&key("a")), kept.health()), (None, Health::Synced));
    }

    #[test]
    fn no_more_are_kept_than_the_limit_and_it_is_said() {
        let names: Vec<String> = (0..=Export::MOST).map(|number| format!("e{number:05}")).collect();
        let mut kept = Kept::<Export>::new(&[]);
        list(&mut kept, names.iter().map(|name| read(name, "1")));
        assert_eq!((kept.records.len(), kept.health()), (Export::MOST, Health::Full));
        kept.take(0, Event::Apply(read("new", "2")));
        kept.take(0, Event::Apply(read(&names[0], "3")));
        assert_eq!(kept.records.len(), Export::MOST);
        assert_eq!(kept.get(&key(&names[0])).unwrap().version(), "3");
        let quarter = Export::MOST / 4;
        for name in &names[..quarter] {
            assert!(!kept.has_room_again(0));
            kept.take(0, Event::Delete(read(name, "4")));
        }
        assert!(kept.has_room_again(0));
        list(&mut kept, names[quarter..].iter().map(|name| read(name, "1")));
        assert_eq!((kept.has_room_again(0), kept.health()), (false, Health::Synced));
    }

    #[test]
    fn an_export_that_is_not_understood_is_left_out_and_the_others_are_read() {
        let later = json!({"metadata": {"namespace": "team", "name": "b", "resourceVersion": "5"},
            "spec": {"app": "shop", "destination": "backup", "secrets": "entrust"}});
        let later: Read<Export> = serde_json::from_value(later).unwrap();
        let mut kept = Kept::<Export>::new(&[]);
        list(&mut kept, [read("a", "1"), later.clone(), read("c", "1")]);
        let names: Vec<_> = kept.records.keys().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
        list(&mut kept, [read("b", "4")]);
        kept.take(0, Event::Apply(later));
        assert_eq!(kept.get(&key("b")), None);
    }

    #[test]
    fn of_metadata_no_more_is_kept_than_is_used() {
        let long = "ü".repeat(100_000);
        let mut kept = Kept::<Export>::new(&[]);
        let export = export("a", "1")
            .with_label("team", "x")
            .with_label(REQUEST, "0123456789abcdef")
            .with_annotation("kubectl.kubernetes.io/last-applied-configuration", &long)
            .with_annotation(CANCEL, &long);
        list(&mut kept, [DeserializeGuard(Ok(export))]);
        let export = kept.get(&key("a")).unwrap();
        let labels: Vec<_> = export.metadata.labels.iter().flatten().map(|(key, _)| key).collect();
        assert_eq!(labels, [APP, DESTINATION, REQUEST]);
        assert!(export.is_cancelled());
        assert!(serde_json::to_string(&*export).unwrap().len() < 2048);
    }
}
