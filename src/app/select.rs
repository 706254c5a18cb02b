//! Which objects a name means (design: an Epinio app, a Helm release, the labels, a workload).

mod epinio;
pub mod glance;
mod list;
mod release;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::helm::Release;
use super::selector::Selector;
use super::view::{Entry, Index, Owner, Place, View};
use super::{ObjectId, kinds};

pub use glance::Glance;
pub use list::{NamingLabels, Workload, candidates, list};

/// Labels that name an application, the strongest first.
const NAMING: [&str; 3] = ["app.kubernetes.io/instance", "app.kubernetes.io/name", "app"];

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Selection {
    /// The application of this name.
    Name(String),
    /// Everything that these labels select (`key=value`, `key!=value`, `key`, `!key`,
    /// `key in (a,b)`, `key notin (a,b)`, separated by commas), under this name.
    Labels {
        /// Name of the application.
        name: String,
        /// The selector as written.
        selector: String,
    },
    /// The whole namespace, under this name.
    All {
        /// Name of the application.
        name: String,
    },
}

impl Selection {
    /// The release of Helm that may be meant.
    pub fn release(&self) -> Option<&str> {
        match self {
            Self::Name(name) | Self::All { name } => Some(name),
            Self::Labels { .. } => None,
        }
    }
}

/// How a name was resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FoundBy {
    /// By the Epinio application of this name.
    EpinioApp,
    /// By the Helm release of this name.
    HelmRelease,
    /// By this label key.
    Label(String),
    /// By the name of this workload.
    Workload(ObjectId),
    /// By the user's selector.
    Selector(String),
    /// The whole namespace.
    Namespace,
}

/// An application that could be exported, as `app list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// How it is found.
    pub found_by: FoundBy,
    /// Its workloads.
    pub workloads: Vec<ObjectId>,
}

/// A name that does not mean exactly one application.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SelectError {
    /// Nothing matches.
    #[error("application `{name}` was not found in namespace `{namespace}`")]
    Unknown {
        /// The name.
        name: String,
        /// Where it was sought.
        namespace: String,
        /// Names that exist there.
        known: Vec<String>,
    },
    /// Several things match equally well.
    #[error("application `{name}` is ambiguous in namespace `{namespace}`: {}", .matches.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Where it was sought.
        namespace: String,
        /// What matches.
        matches: Vec<String>,
    },
    /// The selector does not parse.
    #[error("`{selector}` is not a label selector: {reason}")]
    Selector {
        /// As written.
        selector: String,
        /// Why not.
        reason: String,
    },
    /// Something that is to be left out is not there. Mistyped as a rule, and then too much would
    /// be exported.
    #[error("there is nothing to leave out in namespace `{namespace}` by {}", quoted(.exclusions))]
    NothingExcluded {
        /// Those that match nothing, as `KIND/NAME`.
        exclusions: Vec<String>,
        /// Where they were sought.
        namespace: String,
    },
}

fn quoted(all: &[String]) -> String {
    all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")
}

/// What a selection means: the objects that the application starts from.
#[derive(Debug)]
pub(super) struct Roots<'a> {
    pub(super) name: String,
    pub(super) found_by: FoundBy,
    /// The objects themselves, in order.
    pub(super) objects: Vec<Index>,
    /// What helm noted down of them, if they are a release and its record was read.
    pub(super) release: Option<&'a Release>,
}

impl Roots<'_> {
    fn new(name: &str, found_by: FoundBy, objects: Vec<Index>) -> Self {
        Self { name: name.to_owned(), found_by, objects, release: None }
    }
}

/// Finds what `selection` means.
pub(super) fn resolve<'a>(
    view: &View<'a>,
    selection: &Selection,
) -> Result<Roots<'a>, SelectError> {
    match selection {
        Selection::Name(name) => by_name(view, name),
        Selection::Labels { name, selector } => by_selector(view, name, selector),
        Selection::All { name } => {
            // Cluster-scoped objects belong to nobody in particular; references bring them in.
            let here = view.all().filter(|(_, entry)| entry.place == Place::Here);
            let objects = here.map(|(index, _)| index).collect();
            Ok(Roots::new(name, FoundBy::Namespace, objects))
        }
    }
}

/// The steps by which a name is looked up; the first that matches wins.
fn by_name<'a>(view: &View<'a>, name: &str) -> Result<Roots<'a>, SelectError> {
    if let Some(found) = epinio::app(view, name).or_else(|| release::release(view, name)) {
        return Ok(found);
    }
    let roots = |found_by, objects| Roots::new(name, found_by, objects);
    for key in NAMING {
        let objects = carrying(view, |labels| labels.get(key).is_some_and(|value| value == name));
        if objects.iter().any(|index| counts(view, *index)) {
            return Ok(roots(FoundBy::Label(key.to_owned()), objects));
        }
    }
    let workloads: Vec<Index> =
        view.all().filter(|(_, e)| is_named(view, e, name)).map(|(i, _)| i).collect();
    match workloads.as_slice() {
        [] => Err(SelectError::Unknown {
            name: name.to_owned(),
            namespace: view.snapshot.namespace.clone(),
            known: list::names(view),
        }),
        [one] => Ok(roots(FoundBy::Workload(view.entries[*one].id.clone()), vec![*one])),
        several => Err(SelectError::Ambiguous {
            name: name.to_owned(),
            namespace: view.snapshot.namespace.clone(),
            matches: several.iter().map(|index| view.entries[*index].id.to_string()).collect(),
        }),
    }
}

fn by_selector<'a>(view: &View<'a>, name: &str, text: &str) -> Result<Roots<'a>, SelectError> {
    let selector: Selector = text.parse().map_err(|reason| SelectError::Selector {
        selector: text.to_owned(),
        reason: format!("{reason}"),
    })?;
    let objects = carrying(view, |labels| selector.matches(labels));
    if !objects.iter().any(|index| counts(view, *index)) {
        return Err(SelectError::Unknown {
            name: name.to_owned(),
            namespace: view.snapshot.namespace.clone(),
            known: list::names(view),
        });
    }
    Ok(Roots::new(name, FoundBy::Selector(text.to_owned()), objects))
}

type Labels = serde_json::Map<String, serde_json::Value>;

/// Objects with such labels on themselves or on their pods.
fn carrying(view: &View<'_>, which: impl Fn(&Labels) -> bool) -> Vec<Index> {
    let none = Labels::new();
    let carries = |entry: &Entry<'_>| {
        which(entry.labels().unwrap_or(&none))
            || (entry.template.is_some() && which(entry.pod_labels().unwrap_or(&none)))
    };
    view.all().filter(|(_, entry)| carries(entry)).map(|(index, _)| index).collect()
}

/// Whether the object is a reason to say that there is such an application: EndpointSlices and
/// pods of what was deleted carry labels, too.
fn counts(view: &View<'_>, index: Index) -> bool {
    let entry = &view.entries[index];
    entry.place == Place::Here && !kinds::is_derived(entry.object) && view.top(index).is_some()
}

/// Whether it is a workload of this name that no other workload makes.
fn is_named(view: &View<'_>, entry: &Entry<'_>, name: &str) -> bool {
    entry.object.name() == name && is_workload(view, entry)
}

fn is_workload(view: &View<'_>, entry: &Entry<'_>) -> bool {
    let made_by_workload = match entry.owner {
        Owner::None => false,
        Owner::There(owner) => view.entries[owner].template.is_some(),
        Owner::Gone => true,
    };
    entry.place == Place::Here && entry.template.is_some() && !made_by_workload
}
