//! `/v1/namespaces/{ns}/apps`: what could be exported.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::Path;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::Asked;
use super::query::Query;
use crate::app::{self, App, Candidate, FoundBy, ObjectId, Options, Selection, Snapshot};
use crate::cluster::{self, Records, Scope, Source as _};
use crate::error::Error;
use crate::export;
use crate::export::resolve::require_readable;
use crate::server::audit::{About, Event};
use crate::server::auth::{Kind, Right};
use crate::server::json::Json;
use crate::server::page::{Items, Page};
use crate::server::problem::Problem;

/// A namespace of a few thousand objects is read in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which applications.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    /// Part of the name, in any case.
    search: Option<String>,
    found_by: Option<By>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// [`FoundBy`] without what it was.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum By {
    EpinioApp,
    HelmRelease,
    Label,
    Workload,
}

/// A page, and what keeps it from being all of the truth.
#[derive(Serialize)]
pub(super) struct List {
    #[serde(flatten)]
    page: Items<Candidate>,
    /// Kinds that the server's account could not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// `GET /v1/namespaces/{ns}/apps`
pub(super) async fn list(
    asked: Asked,
    Path(namespace): Path<String>,
    wanted: Query<Wanted>,
) -> Result<Json<List>, Problem> {
    let about = About { namespace: Some(&namespace), ..About::default() };
    asked.need(&Right::ReadNamespace(namespace.clone()), Event::Read, about).await?;
    let releases = match asked.may(&Right::ReadSecrets(namespace.clone())).await? {
        true => Records::All,
        false => Records::None, // helm's record is a Secret
    };
    let snapshot = read(&asked, Scope { releases, ..Scope::new(Some(namespace)) }).await?;
    let Wanted { search, found_by, limit, cursor } = wanted.0;
    let search = search.unwrap_or_default().to_lowercase();
    let mut found = app::list(&snapshot);
    found.retain(|app| app.name.to_lowercase().contains(&search));
    found.retain(|app| found_by.is_none_or(|by| by == By::from(&app.found_by)));
    let page = Page { limit, cursor }.of(found, |app| &app.name)?;
    let unreadable = snapshot.unreadable.into_iter().map(|kind| kind.resource).collect();
    Ok(Json(List { page, unreadable }))
}

/// `GET /v1/namespaces/{ns}/apps/{app}`
pub(super) async fn one(
    asked: Asked,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<App>, Problem> {
    let about = About { namespace: Some(&namespace), app: Some(&name), ..About::default() };
    asked.need(&Right::ReadNamespace(namespace.clone()), Event::Read, about).await?;
    let selection = Selection::Name(name.clone());
    let releases = match asked.may(&Right::ReadSecrets(namespace.clone())).await? {
        true => Records::from(&selection),
        false => Records::None,
    };
    let scope = Scope { releases, ..Scope::new(Some(namespace.clone())) };
    let snapshot = read(&asked, scope).await?;
    require_readable(&snapshot).map_err(Error::from)?;
    let app = app::assemble(&snapshot, &selection, &Options::default());
    let app = app.map_err(export::Error::from).map_err(Error::from)?;
    let found = own_kinds(app.objects.iter().map(app::Object::id));
    kinds(&asked, &app.namespace, found, about).await?;
    Ok(Json(app))
}

/// Reads a namespace in its turn: what is read is held in memory, so only so many are at once.
async fn read(asked: &Asked, scope: Scope) -> Result<Snapshot, Problem> {
    let live = &asked.state.live;
    let reading = async {
        let _turn = asked.state.limits.reads.acquire().await;
        live.snapshot(&scope).await
    };
    let late = || cluster::Error::Timeout {
        server: live.server().to_owned(),
        what: "the objects of a namespace".to_owned(),
        seconds: PATIENCE.as_secs(),
    };
    let read = timeout(PATIENCE, reading).await.unwrap_or_else(|_| Err(late()));
    Ok(read.map_err(Error::from)?)
}

/// Kinds that an application has beyond those of [`Right::ReadNamespace`] must be the caller's to
/// list, before anything of it is told.
pub(super) async fn kinds(
    asked: &Asked,
    namespace: &str,
    found: BTreeSet<(String, String)>,
    about: About<'_>,
) -> Result<(), Problem> {
    let served = asked.state.live.kinds().await.map_err(Error::from)?;
    let kind = |(group, kind): (String, String)| match served.any(&group, &kind) {
        Some(api) => Kind { group, plural: api.plural().to_owned(), namespaced: api.namespaced },
        None => Kind { group, plural: kind.to_lowercase(), namespaced: false },
    };
    let kinds: Vec<Kind> = found.into_iter().map(kind).filter(|kind| !kind.is_common()).collect();
    if kinds.is_empty() {
        return Ok(());
    }
    let right = Right::ReadKinds { namespace: namespace.to_owned(), kinds };
    asked.need(&right, Event::Read, about).await
}

/// Group and kind of each.
pub(super) fn own_kinds(objects: impl Iterator<Item = ObjectId>) -> BTreeSet<(String, String)> {
    objects.map(|id| (id.group, id.kind)).collect()
}

impl From<&FoundBy> for By {
    fn from(found: &FoundBy) -> Self {
        match found {
            FoundBy::EpinioApp => Self::EpinioApp,
            FoundBy::HelmRelease => Self::HelmRelease,
            FoundBy::Label(_) | FoundBy::Selector(_) | FoundBy::Namespace => Self::Label,
            FoundBy::Workload(_) => Self::Workload,
        }
    }
}
