//! `/v1/namespaces/{ns}/apps/{app}`: what an export would take.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::Path;
use tokio::time::timeout;

use super::Asked;
use crate::app::{self, App, ObjectId, Options, Selection, Snapshot};
use crate::cluster::{self, Records, Scope, Source as _};
use crate::error::Error;
use crate::export;
use crate::export::resolve::require_readable;
use crate::server::audit::{About, Event};
use crate::server::auth::{Kind, Right};
use crate::server::json::Json;
use crate::server::problem::Problem;

/// A namespace of a few thousand objects is read in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

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
