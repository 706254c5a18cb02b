//! `outhaul app history REF|NAME`: the versions of an application, as the registry has them.

use crate::cli::args::{AppHistoryArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{charts, in_layout};
use crate::cli::tables;
use crate::error::Error;
use crate::export::{Target, history};

pub(crate) async fn run(
    args: &AppHistoryArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (target, chart) = match &args.from {
        Some(path) => in_layout(path, &args.charts.reference)?,
        None => {
            let found = charts(&args.charts, &args.access, global).await?;
            (Target::registry(&found.destination)?, found.chart)
        }
    };
    let listing = history::list(&target, &chart.repository, args.limit).await?;
    printer.data(&listing, |listing| tables::history(listing, args.all))
}
