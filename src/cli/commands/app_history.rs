//! `outhaul app history REF|NAME`: the versions of an application, as the registry has them.

use crate::cli::args::{AppHistoryArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{in_layout, published};
use crate::cli::{connect, remote, tables};
use crate::error::Error;
use crate::export::history;
use crate::export::request::ChosenNames;
use crate::export::{ChartReference, Target};

pub(crate) async fn run(
    args: &AppHistoryArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (target, chart) = match (&args.from, &args.registry) {
        (Some(path), _) => in_layout(path, &args.reference)?,
        (None, Some(registry)) => own(registry, args, global).await?,
        (None, None) => {
            let found = published(&args.reference, &args.access, global).await?;
            (Target::registry(&found.destination)?, found.chart)
        }
    };
    let listing = history::list(&target, &chart.repository, args.limit).await?;
    printer.data(&listing, |listing| tables::history(listing, args.all))
}

/// The charts of the application with this name.
async fn own(
    registry: &str,
    args: &AppHistoryArgs,
    global: &Global,
) -> Result<(Target, ChartReference), Error> {
    let known = connect::destination(registry, &args.access, global).await?;
    let target = Target::registry(&known[0])?;
    let namespace = remote::namespace(args.namespace.as_deref(), global).await?;
    let names = ChosenNames { chart_name: args.chart_name.clone(), ..ChosenNames::default() };
    let chart = ChartReference::own(&target, &namespace, &args.reference, &names)?;
    Ok((target, chart))
}
