//! What the server did, printed as what we do ourselves.

use crate::cli::args::{AppExportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::published;
use crate::cli::tables;
use crate::cluster::record::{ExportResult, Findings, Outcome};
use crate::error::Error;
use crate::export::{self, Report, Target};
use crate::registry::Digest;

use super::http::Server;
use super::view::View;

/// Prints the whole report, where it is found; else what the record says.
pub(super) fn print(
    result: &ExportResult,
    view: &View,
    report: Result<Option<Report>, Error>,
    printer: &Printer,
) -> Result<(), Error> {
    match report {
        Ok(Some(report)) => printer.data(&report, tables::report),
        Ok(None) => printer.data(result, |result| table(result, view)),
        Err(error) => {
            tracing::info!(%error, "the report is not read");
            printer.data(result, |result| table(result, view))
        }
    }
}

/// The report, as the server gives it.
pub(super) async fn told(
    result: &ExportResult,
    server: &Server,
    view: &View,
) -> Result<Option<Report>, Error> {
    let Some(digest) = digest(result) else { return Ok(None) };
    let path = ["v1", "namespaces", &view.namespace, "exports", &view.name, "report"];
    let report: Report = server.get(&path, &[]).await?;
    Ok(Some(Report { attached: Some(digest), ..report })) // it cannot name itself
}

/// The report that is attached to the chart, read with the user's own credentials.
pub(super) async fn attached(
    result: &ExportResult,
    args: &AppExportArgs,
    global: &Global,
) -> Result<Option<Report>, Error> {
    let Some(digest) = digest(result) else { return Ok(None) };
    let found = published(&result.chart.repository, &args.access, global).await?;
    let target = Target::registry(&found.destination)?;
    let report = export::published::report(&target, &found.chart.repository, &digest).await?;
    Ok(report.map(|report| Report { attached: Some(digest), ..report }))
}

fn digest(result: &ExportResult) -> Option<Digest> {
    result.report.as_ref()?.parse().ok()
}

/// What an export did that the server carried out, without what is only in the whole report.
fn table(result: &ExportResult, view: &View) -> String {
    let app = view.app();
    let chart = format!("{}:{}", result.chart.repository, result.chart.version);
    let mut text = match result.status {
        Outcome::Exported => format!("exported {app} to {chart}\n"),
        Outcome::Unchanged => format!("unchanged: {chart} holds {app} as it is\n"),
        Outcome::Restored => {
            format!("unchanged: {chart}; missing images were copied again\n")
        }
    };
    text.push_str(&format!("  chart  {}\n", result.chart.digest));
    for image in &result.images {
        text.push_str(&format!("  image  {}  {}@{}\n", image.key, image.repository, image.digest));
    }
    if result.more_images > 0 {
        text.push_str(&format!("  and {} more images\n", result.more_images));
    }
    if let Some(line) = &result.install {
        text.push_str(&format!("  {line}\n"));
    }
    let Findings { error, warning, info, codes } = &result.findings;
    if !codes.is_empty() {
        text.push_str(&format!(
            "\nfindings: {error} errors, {warning} warnings, {info} others: {}\n",
            codes.join(", ")
        ));
    }
    text
}
