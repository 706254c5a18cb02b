//! What the server did, printed as what we do ourselves.

use crate::cli::args::{AppExportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::published;
use crate::cli::tables;
use crate::cluster::record::{ExportResult, Findings, Outcome};
use crate::error::Error;
use crate::export::{self, Report, Target};
use crate::registry::Digest;

/// Prints the whole report, where the user may read the chart that it is attached to; else what the
/// record says.
pub(super) async fn show(
    result: &ExportResult,
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    match attached(result, args, global).await {
        Ok(Some(report)) => printer.data(&report, tables::report),
        Ok(None) => printer.data(result, table),
        Err(error) => {
            tracing::info!(%error, "the report is not read");
            printer.data(result, table)
        }
    }
}

async fn attached(
    result: &ExportResult,
    args: &AppExportArgs,
    global: &Global,
) -> Result<Option<Report>, Error> {
    let digest = result.report.as_ref().and_then(|digest| digest.parse::<Digest>().ok());
    let Some(digest) = digest else { return Ok(None) };
    let found = published(&result.chart.repository, &args.access, global).await?;
    let target = Target::registry(&found.destination)?;
    let report = export::published::report(&target, &found.chart.repository, &digest).await?;
    // It cannot name itself.
    Ok(report.map(|report| Report { attached: Some(digest), ..report }))
}

/// What an export did that the server carried out, without what is only in the whole report.
fn table(result: &ExportResult) -> String {
    let chart = format!("{}:{}", result.chart.repository, result.chart.version);
    let mut text = match result.status {
        Outcome::Exported => format!("exported to {chart}\n"),
        Outcome::Unchanged => format!("unchanged: {chart} holds it as it is\n"),
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
