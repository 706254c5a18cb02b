//! `/v1/namespaces/{ns}/exports/{name}/report`: all that an export has to say of what it did.

use axum::extract::Path;
use schemars::JsonSchema;
use serde::Serialize;

use super::Asked;
use super::exports::find;
use crate::cluster::record::{Export, ExportResult};
use crate::error::{Code, Error};
use crate::export::{self, ChartReference, Report, published};
use crate::registry::Digest;
use crate::server::audit::Event;
use crate::server::auth::Verb;
use crate::server::json::Json;
use crate::server::problem::Problem;

/// What an export has to say.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "ReportAnswer")]
pub(super) enum Told {
    /// The report, as it is attached to the chart.
    Whole(Box<Report>),
    /// What the record has of it, where none is attached.
    Summary(Box<ExportResult>),
}

/// `GET /v1/namespaces/{ns}/exports/{name}/report`: as it is attached to the chart, else what the
/// record has of it.
pub(super) async fn report(
    asked: Asked,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Json<Told>, Problem> {
    let export = find(&asked, &namespace, &name, Verb::Get, Event::Read).await?;
    let missing = |detail: &str| Problem::new(Code::ReportNotReady, detail);
    let result = export.status.as_ref().and_then(|status| status.result.as_ref());
    let Some(result) = result else {
        let detail = match export.is_terminal() {
            true => "the export ended without a result",
            false => "the export has not ended yet",
        };
        return Err(missing(detail));
    };
    let Some(digest) = &result.report else {
        return Ok(Json(Told::Summary(Box::new(result.clone()))));
    };
    let gone = || missing("the report is not at the destination any more");
    let found = attached(&asked, &export, result, digest).await?;
    Ok(Json(Told::Whole(Box::new(found.ok_or_else(gone)?))))
}

async fn attached(
    asked: &Asked,
    export: &Export,
    result: &ExportResult,
    digest: &str,
) -> Result<Option<Report>, Problem> {
    let invalid = |reason: &dyn std::fmt::Display| Error::Output { reason: reason.to_string() };
    let digest: Digest = digest.parse().map_err(|error| invalid(&error))?;
    let chart = result.chart.repository.parse::<ChartReference>();
    let chart = chart.map_err(|error: export::Error| invalid(&error))?;
    let _turn = asked.state.limits.reads.acquire().await;
    let place = asked.place(&export.spec.destination, export.target(), false).await?;
    let found = published::report(&place.target, &chart.repository, &digest).await;
    Ok(found.map_err(Error::from)?)
}
