//! `/v1/apps` and `/v1/namespaces/{ns}/apps`: lists of what could be exported, out of the index. Both
//! say the same of a namespace, whoever asks: Helm's records, which only some may read, are not in it.

use std::time::Duration;

use axum::extract::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::Asked;
use super::query::Query;
use crate::app::{Candidate, FoundBy};
use crate::error::{Code, Error};
use crate::server::audit::{About, Event};
use crate::server::auth::Right;
use crate::server::json::Json;
use crate::server::page::{Items, MOST, Page};
use crate::server::problem::Problem;

/// How long a list waits for the index of a server that has just started.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which applications.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    /// Part of the name, in any case.
    search: Option<String>,
    /// Only those that are found so.
    found_by: Option<By>,
    /// Items of a page.
    #[schemars(range(min = 1, max = MOST))]
    limit: Option<usize>,
    /// Where the page begins: `next` of the one before.
    cursor: Option<String>,
}

/// [`FoundBy`] without what it was.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FoundByKind")]
enum By {
    /// By an application of Epinio's.
    EpinioApp,
    /// By a release of Helm.
    HelmRelease,
    /// By a label.
    Label,
    /// By the name of a workload.
    Workload,
}

/// A page, and what keeps it from being all of the truth.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ApplicationList")]
pub(super) struct List {
    #[serde(flatten)]
    page: Items<Candidate>,
    /// Kinds that the server's account could not read, or of which there are more than are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// `GET /v1/apps`
pub(super) async fn all(asked: Asked, wanted: Query<Wanted>) -> Result<Json<List>, Problem> {
    known(&asked).await?;
    let namespaces = asked.readable(asked.state.index.namespaces()).await?;
    list(&asked, &namespaces, wanted.0)
}

/// `GET /v1/namespaces/{ns}/apps`
pub(super) async fn of_namespace(
    asked: Asked,
    Path(namespace): Path<String>,
    wanted: Query<Wanted>,
) -> Result<Json<List>, Problem> {
    let about = About { namespace: Some(&namespace), ..About::default() };
    asked.need(&Right::ReadNamespace(namespace.clone()), Event::Read, about).await?;
    known(&asked).await?;
    let listed = list(&asked, std::slice::from_ref(&namespace), wanted.0)?;
    if listed.0.page.items().is_empty() {
        asked.state.live.require_namespace(&namespace).await.map_err(Error::from)?;
    }
    Ok(listed)
}

/// Waits for the index.
async fn known(asked: &Asked) -> Result<(), Problem> {
    let late = |_| {
        let detail = "the applications of the cluster are not read yet";
        Problem::new(Code::ClusterUnreachable, detail)
    };
    timeout(PATIENCE, asked.state.index.synced()).await.map_err(late)
}

fn list(asked: &Asked, namespaces: &[String], wanted: Wanted) -> Result<Json<List>, Problem> {
    let Wanted { search, found_by, limit, cursor } = wanted;
    let search = search.unwrap_or_default().to_lowercase();
    let index = &asked.state.index;
    let apps = namespaces.iter().flat_map(|namespace| index.apps(namespace));
    let found = apps.filter(|app| {
        app.name.to_lowercase().contains(&search)
            && found_by.is_none_or(|by| by == By::from(&app.found_by))
    });
    let page = Page { limit, cursor }.of(found.map(keyed).collect(), |(key, _)| key)?;
    let page = page.each(|(_, app)| app.clone());
    Ok(Json(List { page, unreadable: index.unreadable() }))
}

/// With what tells applications apart, in their order: two workloads of one name are two.
fn keyed(app: Candidate) -> (String, Candidate) {
    let same = match &app.found_by {
        FoundBy::Workload(id) => format!("\0{}\0{}", id.group, id.kind),
        _ => String::new(),
    };
    (format!("{}\0{}{same}", app.namespace, app.name), app)
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
