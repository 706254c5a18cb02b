//! `…/apps/{app}/history`: the versions of an application at a destination, as the registry has them.

use axum::extract::Path;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Asked;
use super::query::Query;
use crate::error::Error;
use crate::export::ChartReference;
use crate::export::history::{Past, past, versions};
use crate::export::identity::origin_of;
use crate::export::request::ChosenNames;
use crate::server::audit::{About, Event};
use crate::server::auth::Right;
use crate::server::json::Json;
use crate::server::page::{Items, MOST, Page};
use crate::server::problem::Problem;

/// Versions of a page, if nobody says how many: each is two requests to the registry.
const USUAL: usize = 20;

/// Which history.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    /// Name of the destination.
    destination: String,
    /// Name of the chart, if it is not the usual.
    chart_name: Option<String>,
    /// Items of a page.
    #[schemars(range(min = 1, max = MOST))]
    limit: Option<usize>,
    /// Where the page begins: `next` of the one before.
    cursor: Option<String>,
}

/// `GET /v1/namespaces/{ns}/apps/{app}/history`: newest first. What another application or cluster
/// has put into the repository is not in it, so that a page may have less than was asked for.
pub(super) async fn history(
    asked: Asked,
    Path((namespace, app)): Path<(String, String)>,
    wanted: Query<Wanted>,
) -> Result<Json<Items<Past>>, Problem> {
    let Wanted { destination, chart_name, limit, cursor } = wanted.0;
    let about = About {
        namespace: Some(&namespace),
        app: Some(&app),
        destination: Some(&destination),
        ..About::default()
    };
    let used = Right::UseDestination { name: destination.clone(), namespace: namespace.clone() };
    for right in [Right::ReadNamespace(namespace.clone()), used] {
        asked.need(&right, Event::Read, about).await?;
    }
    let names = ChosenNames { chart_name, ..ChosenNames::default() };
    let place = asked.place(&destination, &namespace, false).await?;
    let chart = ChartReference::own(&place.target, &namespace, &app, &names);
    let repository = chart.map_err(Error::from)?.repository;
    let uid = asked.state.live.uid().await.map_err(Error::from)?;
    let own = origin_of(&uid, &namespace, &app);

    let all = versions(&place.target, &repository).await.map_err(Error::from)?;
    let newest_first = all.into_iter().rev().map(|version| (version.to_string(), version));
    let page = Page { limit: limit.or(Some(USUAL)), cursor };
    let page = page.cut(
        newest_first.collect(),
        |(text, _)| text,
        |(_, version), last| last.parse().ok().map(|last| *version >= last),
    )?;
    let shown: Vec<_> = page.items().iter().map(|(_, version)| version.clone()).collect();
    let found = past(&place.target, &repository, &shown).await.map_err(Error::from)?;
    let found = found.into_iter().filter(|past| past.published.origin.as_ref() == Some(&own));
    Ok(Json(page.with(found.collect())))
}
