//! All applications of a namespace at once, and what is in none of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::graph::{claim_stems, is_made_from_template};
use super::view::{Owner, Place, View};
use super::{
    App, Code, ObjectId, Options, SelectError, Selection, Snapshot, assemble, kinds, list,
};

/// The applications of a namespace.
#[derive(Debug)]
pub struct All {
    /// Each of them, by name.
    pub apps: BTreeMap<String, Result<App, SelectError>>,
    /// What is in no chart because it is not one application's alone, or cannot be taken along.
    pub shared: Vec<Shared>,
    /// The other objects of the namespace that are in no chart, without those that a controller or
    /// the cluster makes again. Secrets are among them only if they were read.
    pub left_over: Vec<ObjectId>,
}

/// An object that applications need and none takes along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shared {
    /// The object.
    pub object: ObjectId,
    /// The applications.
    pub apps: Vec<String>,
    /// Why it is not taken, in sentences.
    pub reasons: Vec<String>,
}

/// Makes every application that [`list`] shows but for those in `without`. An exclusion of an object
/// counts as used if it is for one of them.
///
/// # Errors
/// When `without` names what is no application here, or an exclusion means nothing. What is wrong
/// with a single application is in [`All::apps`].
pub fn assemble_all(
    snapshot: &Snapshot,
    options: &Options,
    without: &[String],
) -> Result<All, SelectError> {
    let known: BTreeSet<String> = list(snapshot).into_iter().map(|found| found.name).collect();
    if let Some(unknown) = without.iter().find(|name| !known.contains(*name)) {
        return Err(SelectError::Unknown {
            name: unknown.clone(),
            namespace: snapshot.namespace.clone(),
            known: known.into_iter().collect(),
        });
    }
    let wanted = known.into_iter().filter(|name| !without.contains(name));
    let mut idle: Option<BTreeSet<String>> = None;
    let mut apps = BTreeMap::new();
    for name in wanted {
        let (app, unused) = assemble_one(snapshot, &name, options);
        let unused: BTreeSet<String> = unused.into_iter().collect();
        idle = Some(idle.map_or(unused.clone(), |idle| &idle & &unused));
        apps.insert(name, app);
    }
    match idle {
        Some(idle) if !idle.is_empty() => Err(SelectError::NothingExcluded {
            exclusions: idle.into_iter().collect(),
            namespace: snapshot.namespace.clone(),
        }),
        _ => {
            let view = View::new(snapshot, options);
            let shared = shared(&view, &apps);
            let left_over = left_over(&view, &apps, &shared);
            Ok(All { apps, shared, left_over })
        }
    }
}

/// One application, and the exclusions that mean nothing in it.
fn assemble_one(
    snapshot: &Snapshot,
    name: &str,
    options: &Options,
) -> (Result<App, SelectError>, Vec<String>) {
    let selection = Selection::Name(name.to_owned());
    match assemble(snapshot, &selection, options) {
        Err(SelectError::NothingExcluded { exclusions, .. }) => {
            let mut rest = options.clone();
            rest.exclude.retain(|(kind, name)| !exclusions.contains(&format!("{kind}/{name}")));
            (assemble(snapshot, &selection, &rest), exclusions)
        }
        done => (done, Vec::new()),
    }
}

/// What applications reported as not exported, once for each object that none of them has and that
/// was not left out on request.
fn shared(view: &View<'_>, apps: &BTreeMap<String, Result<App, SelectError>>) -> Vec<Shared> {
    let mut found: BTreeMap<&ObjectId, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for app in apps.values().flatten() {
        for finding in app.findings.iter().filter(|finding| finding.code == Code::NotExported) {
            let Some(object) = &finding.object else { continue };
            let (names, reasons) = found.entry(object).or_default();
            names.insert(&app.name);
            reasons.insert(&finding.text);
        }
    }
    let excluded: BTreeSet<&ObjectId> =
        view.all().filter(|(_, entry)| entry.excluded).map(|(_, entry)| &entry.id).collect();
    let taken = taken(apps);
    let texts = |of: BTreeSet<&str>| of.into_iter().map(str::to_owned).collect();
    let said = |object: &ObjectId| !taken.contains(object) && !excluded.contains(object);
    let found = found.into_iter().filter(|(object, _)| said(object));
    found
        .map(|(object, (apps, reasons))| Shared {
            object: object.clone(),
            apps: texts(apps),
            reasons: texts(reasons),
        })
        .collect()
}

/// Everything that is in a chart, or that a chart asks for.
fn taken(apps: &BTreeMap<String, Result<App, SelectError>>) -> BTreeSet<ObjectId> {
    let secret = |name: &String| ObjectId {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: None,
        name: name.clone(),
    };
    let of_app = |app: &App| {
        let secrets = app.secrets.iter().map(|secret| &secret.name).chain(&app.pull_secrets);
        let secrets: Vec<ObjectId> = secrets.map(secret).collect();
        app.objects.iter().map(super::Object::id).chain(secrets).collect::<Vec<_>>()
    };
    apps.values().flatten().flat_map(of_app).collect()
}

fn left_over(
    view: &View<'_>,
    apps: &BTreeMap<String, Result<App, SelectError>>,
    shared: &[Shared],
) -> Vec<ObjectId> {
    let taken = taken(apps);
    let stems = claim_stems(view);
    let said: BTreeSet<&ObjectId> = shared.iter().map(|shared| &shared.object).collect();
    let rest = view.all().filter(|(_, entry)| {
        entry.place == Place::Here
            && entry.owner == Owner::None
            && !entry.excluded
            && !kinds::is_derived(entry.object)
            && !is_made_from_template(&stems, entry)
            && !taken.contains(&entry.id)
            && !said.contains(&entry.id)
    });
    rest.map(|(_, entry)| entry.id.clone()).collect()
}
