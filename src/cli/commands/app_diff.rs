//! `outhaul app diff NAME [REF]`: what has changed since a chart was published.

use super::app_show::{options, selection};
use crate::cli::args::{AppDiffArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::published;
use crate::cli::{connect, tables};
use crate::error::Error;
use crate::export::request::ChosenNames;
use crate::export::{self, Request, Target};

pub(crate) async fn run(
    args: &AppDiffArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let request = Request {
        options: options(&args.select.pick),
        names: ChosenNames { chart_name: args.chart_name.clone(), ..ChosenNames::default() },
        skip_unreadable: args.source.skip_unreadable,
        ..Request::named(
            selection(&args.select.name, &args.select.pick),
            args.source.namespace.clone(),
        )
    };
    let (target, chart, known) = match (&args.reference, &args.registry) {
        (Some(reference), _) => {
            let found = published(reference, &args.access, global).await?;
            (Target::registry(&found.destination)?, Some(found.chart), found.known)
        }
        (None, Some(registry)) => {
            let known = connect::destination(registry, &args.access, global).await?;
            (Target::registry(&known[0])?, None, known)
        }
        (None, None) => return Err(Error::NoDestination),
    };
    let sources = connect::sources(&known, request.namespace.as_deref(), &args.access)?;
    let source = connect::source(&args.source, global).await?;
    let diff =
        export::diff::diff(&request, source.as_ref(), &target, &sources, chart.as_ref()).await?;
    printer.data(&diff, tables::diff)?;
    match diff.count() {
        0 => Ok(()),
        objects => Err(export::Error::Changed { chart: diff.chart, objects }.into()),
    }
}
