//! `outhaul app diff NAME [REF]`: what has changed since a chart was published.

use std::path::Path;

use super::app_export::content_options;
use super::app_show::selection;
use crate::cli::args::{AppDiffArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{layout, published};
use crate::cli::{connect, tables};
use crate::destination::Destination;
use crate::error::Error;
use crate::export::request::ChosenNames;
use crate::export::{self, ChartReference, Request, Target};

pub(crate) async fn run(
    args: &AppDiffArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let request = request(args);
    let (target, chart, known) = compared_with(args, global).await?;
    let mut sources = connect::sources(&known, request.namespace.as_deref(), &args.access)?;
    connect::images(&mut sources, &args.content, &args.source, global).await?;
    let source = connect::source(&args.source, global).await?;
    let diff =
        export::diff::diff(&request, source.as_ref(), &target, &sources, chart.as_ref()).await?;
    printer.data(&diff, tables::diff)?;
    match diff.count() {
        0 => Ok(()),
        objects => Err(export::Error::Changed { chart: diff.chart, objects }.into()),
    }
}

fn request(args: &AppDiffArgs) -> Request {
    Request {
        options: content_options(&args.select.pick, &args.content),
        names: ChosenNames { chart_name: args.chart_name.clone(), ..ChosenNames::default() },
        platforms: args.content.platform.clone(),
        skip_unreadable: args.source.skip_unreadable,
        ..Request::named(
            selection(&args.select.name, &args.select.pick),
            args.source.namespace.clone(),
        )
    }
}

/// Where the chart is, which one if it is not the application's own, and the destinations that are
/// known.
async fn compared_with(
    args: &AppDiffArgs,
    global: &Global,
) -> Result<(Target, Option<ChartReference>, Vec<Destination>), Error> {
    Ok(match (&args.to, &args.reference, &args.registry) {
        (Some(path), reference, _) => {
            let chart = reference.as_deref().map(ChartReference::in_layout).transpose()?;
            (layout(path)?, chart, Vec::new())
        }
        (None, Some(path), _) if Path::new(path).is_dir() => {
            (layout(Path::new(path))?, None, Vec::new())
        }
        (None, Some(reference), _) => {
            let found = published(reference, &args.access, global).await?;
            (Target::registry(&found.destination)?, Some(found.chart), found.known)
        }
        (None, None, Some(registry)) => {
            let known = connect::destination(registry, &args.access, global).await?;
            (Target::registry(&known[0])?, None, known)
        }
        (None, None, None) => return Err(Error::NoDestination),
    })
}
