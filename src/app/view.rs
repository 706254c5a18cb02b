//! A snapshot made ready for questions: objects in an order of their own, by name, by owner.
//! Nothing after this knows in which order they were read.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::exclude::Exclusions;
use super::helm::Installed;
use super::kinds::{self, Kind};
use super::{JobsPolicy, Object, ObjectId, Options, Origin, Snapshot};

/// Label of an object that its owner does not want exported.
pub(super) const EXCLUDE: &str = "outhaul.dev/exclude";

/// Number of an object in a [`View`].
pub(super) type Index = usize;

/// The objects of a snapshot.
pub(super) struct View<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) entries: Vec<Entry<'a>>,
    by_name: HashMap<(&'a str, &'a str, &'a str), Index>,
    /// Here and in no namespace, in order.
    by_kind: HashMap<(&'a str, &'a str), Vec<Index>>,
    /// Whether Secrets were read, so that an absent one is missing.
    pub(super) secrets_read: bool,
    /// What is to be left out by kind and name.
    pub(super) exclusions: Exclusions,
    /// What becomes of Jobs that nothing owns.
    pub(super) jobs: JobsPolicy,
    /// The export that the application was installed from, once it is known which one is meant.
    pub(super) installed: Option<Installed<'a>>,
}

/// One object.
pub(super) struct Entry<'a> {
    pub(super) object: &'a Object,
    /// As it stands in an [`super::App`]: without the application's namespace.
    pub(super) id: ObjectId,
    pub(super) place: Place,
    /// The object that makes this one, if it is there; else whether it is known to be made.
    pub(super) owner: Owner,
    /// Where its pod template is, if it runs pods.
    pub(super) template: Option<&'static str>,
    /// Left out on request.
    pub(super) excluded: bool,
}

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the namespace of the snapshot.
    Here,
    /// In no namespace.
    Cluster,
    /// In another namespace.
    Elsewhere,
}

/// Who makes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nobody but a person.
    None,
    /// This object.
    There(Index),
    /// A controller of Kubernetes, from an object that was not read.
    Gone,
}

impl<'a> View<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, options: &Options) -> Self {
        let exclusions = Exclusions::new(options);
        let mut entries: Vec<Entry<'a>> =
            snapshot.objects.iter().map(|object| entry(snapshot, &exclusions, object)).collect();
        entries.sort_by(|a, b| (&a.id, a.object.uid()).cmp(&(&b.id, b.object.uid())));
        let mut view = Self {
            snapshot,
            by_name: HashMap::with_capacity(entries.len()),
            by_kind: HashMap::new(),
            secrets_read: entries
                .iter()
                .any(|e| kinds::is(e.object, kinds::SECRET) && e.place == Place::Here),
            exclusions,
            jobs: options.jobs,
            installed: None,
            entries,
        };
        for (index, entry) in view.entries.iter().enumerate() {
            if entry.place != Place::Elsewhere {
                let object = entry.object;
                view.by_name.insert((object.group(), object.kind(), object.name()), index);
                view.by_kind.entry((object.group(), object.kind())).or_default().push(index);
            }
        }
        let owners: Vec<Owner> = view.entries.iter().map(|entry| view.owner_of(entry)).collect();
        for (entry, owner) in view.entries.iter_mut().zip(owners) {
            entry.owner = owner;
        }
        view
    }

    /// The object of this kind and name, here or in no namespace.
    pub(super) fn named(&self, kind: Kind, name: &str) -> Option<Index> {
        self.by_name.get(&(kind.0, kind.1, name)).copied()
    }

    /// The same, of a kind known only by the objects.
    pub(super) fn named_as(&self, group: &str, kind: &str, name: &str) -> Option<Index> {
        self.by_name.get(&(group, kind, name)).copied()
    }

    /// Every object of a kind, here and in no namespace.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (Index, &Entry<'a>)> {
        let of_kind = self.by_kind.get(&kind).map_or(&[][..], Vec::as_slice);
        of_kind.iter().map(|index| (*index, &self.entries[*index]))
    }

    /// Every object.
    pub(super) fn all(&self) -> impl Iterator<Item = (Index, &Entry<'a>)> {
        self.entries.iter().enumerate()
    }

    /// The object that makes this one, up to the last; `None` if the last was not read.
    pub(super) fn top(&self, index: Index) -> Option<Index> {
        let mut at = index;
        // Owners form no circle in a cluster, but files can say anything.
        for _ in 0..MAX_OWNERS {
            match self.entries[at].owner {
                Owner::None => return Some(at),
                Owner::There(owner) => at = owner,
                Owner::Gone => return None,
            }
        }
        Some(index)
    }

    /// Whether a right to read the kind was missing.
    pub(super) fn is_unreadable(&self, kind: Kind) -> bool {
        self.is_unreadable_kind(kind.0, kind.1)
    }

    /// The same, of a kind by name. Names of other kinds' resources are not known: the group
    /// decides.
    pub(super) fn is_unreadable_kind(&self, group: &str, kind: &str) -> bool {
        let resource = kinds::resource_of(group, kind);
        let of_group = format!(".{group}");
        self.snapshot.unreadable.iter().any(|unreadable| match &resource {
            Some(resource) => unreadable.resource == *resource,
            None if group.is_empty() => !unreadable.resource.contains('.'),
            None => unreadable.resource.ends_with(&of_group),
        })
    }

    fn owner_of(&self, entry: &Entry<'a>) -> Owner {
        let owners = entry.object.at("/metadata/ownerReferences").and_then(Value::as_array);
        let mut found = Owner::None;
        for owner in owners.into_iter().flatten() {
            let text = |key: &str| owner.get(key).and_then(Value::as_str).unwrap_or_default();
            let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
            let there = self.named_as(group, text("kind"), text("name"));
            let there = there.filter(|owner| self.may_own(*owner, entry));
            match (remakes(group, text("kind"), entry.object), there) {
                (Some(false), _) | (None, None) => {}
                (Some(true), None) => found = Owner::Gone,
                (_, Some(owner)) => return Owner::There(owner),
            }
        }
        found
    }

    /// An owner without a namespace (a tenant, a namespace's template) is not part of the
    /// application, so that what it makes here has to be exported itself.
    fn may_own(&self, owner: Index, owned: &Entry<'a>) -> bool {
        let owner = &self.entries[owner];
        // Epinio makes things for an application, but none of them again.
        owner.place == Place::Here
            && owned.place == Place::Here
            && owner.id != owned.id
            && !owner.is(kinds::EPINIO_APP)
    }
}

/// Longest chain of owners; real ones have four (resource, Deployment, ReplicaSet, Pod).
const MAX_OWNERS: usize = 16;

/// Whether the owner makes the object again: known for Kubernetes' own kinds, `None` for others.
fn remakes(group: &str, kind: &str, owned: &Object) -> Option<bool> {
    let known = |(owner, of): &(Kind, Kind)| *owner == (group, kind) && kinds::is(owned, *of);
    if kinds::REMADE.iter().any(known) {
        return Some(true);
    }
    kinds::is_builtin_group(group).then_some(false)
}

fn entry<'a>(snapshot: &Snapshot, exclusions: &Exclusions, object: &'a Object) -> Entry<'a> {
    let place = place(snapshot, object);
    let mut id = object.id();
    if place != Place::Elsewhere {
        id.namespace = None;
    }
    let excluded = object.label(EXCLUDE) == Some("true") || exclusions.holds(object);
    let template = kinds::pod_template(object);
    Entry { object, id, place, owner: Owner::None, template, excluded }
}

fn place(snapshot: &Snapshot, object: &Object) -> Place {
    match object.namespace() {
        // Files sometimes give cluster-scoped objects a namespace; the API server ignores it.
        _ if kinds::is_cluster_scoped(object) => Place::Cluster,
        Some(namespace) if namespace == snapshot.namespace => Place::Here,
        Some(_) => Place::Elsewhere,
        None if kinds::is_builtin(object) || snapshot.origin == Origin::Manifests => Place::Here,
        None => Place::Cluster,
    }
}

impl<'a> Entry<'a> {
    /// Labels of the object itself.
    pub(super) fn labels(&self) -> Option<&'a Map<String, Value>> {
        self.object.at("/metadata/labels")?.as_object()
    }

    /// Labels of the pods that it runs, as its template has them.
    pub(super) fn pod_labels(&self) -> Option<&'a Map<String, Value>> {
        self.template_at("metadata/labels")?.as_object()
    }

    /// Something in its pod template, by a pointer without the first slash.
    pub(super) fn template_at(&self, rest: &str) -> Option<&'a Value> {
        let template = self.template?;
        let template = if template.is_empty() {
            String::new()
        } else {
            format!("/{}", template.replace('.', "/"))
        };
        self.object.at(&format!("{template}/{rest}"))
    }

    /// Whether it is of the kind.
    pub(super) fn is(&self, kind: Kind) -> bool {
        kinds::is(self.object, kind)
    }
}
