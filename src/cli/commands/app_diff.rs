//! `outhaul app diff NAME [REF]`: what has changed since a chart was published; and where the first
//! is a version itself, [between the two](app_diff_versions).

use std::path::Path;

use serde_json::{Value, json};

use super::app_diff_versions;
use super::app_export::content_options;
use super::app_show::selection;
use crate::cli::args::{AppDiffArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{layout, published};
use crate::cli::remote::{self, Server};
use crate::cli::{connect, tables};
use crate::destination::Destination;
use crate::destination::select::is_address;
use crate::error::Error;
use crate::export::diff::Diff;
use crate::export::request::ChosenNames;
use crate::export::{self, ChartReference, Request, Target};

pub(crate) async fn run(
    args: &AppDiffArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    args.making.check()?;
    if args.is_of_versions() {
        return app_diff_versions::run(args, global, printer).await;
    }
    if let Some(server) = server(args, global, printer).await? {
        let namespace = remote::namespace(args.source.namespace.as_deref(), global).await?;
        let diff = server.diff(&namespace, &args.subject, &compared(args)?).await?;
        return print(&diff, printer);
    }
    let request = request(args);
    let (target, chart, known) = compared_with(args, global).await?;
    let mut sources = connect::sources(&known, request.namespace.as_deref(), &args.access)?;
    connect::images(&mut sources, &args.content, &args.source, global).await?;
    let source = connect::source(&args.source, global).await?;
    let diff =
        export::diff::diff(&request, source.as_ref(), &target, &sources, chart.as_ref()).await?;
    print(&diff, printer)
}

fn print(diff: &Diff, printer: &Printer) -> Result<(), Error> {
    printer.data(diff, tables::diff)?;
    match diff.count() {
        0 => Ok(()),
        objects => Err(export::Error::Changed { chart: diff.chart.clone(), objects }.into()),
    }
}

/// The server that is asked, if one is named. It compares what an export with its defaults has.
async fn server(
    args: &AppDiffArgs,
    global: &Global,
    printer: &Printer,
) -> Result<Option<Server>, Error> {
    args.at.refuse(&args.pick.given())?;
    args.at.refuse(&args.content.given())?;
    args.at.refuse(&[
        (args.source.from.is_some(), "--from"),
        (args.source.skip_unreadable, "--skip-unreadable"),
        (args.to.is_some(), "--to"),
        (global.destinations.is_some(), "--destinations"),
        (args.access.username.is_some(), "--username"),
        (args.access.plain_http, "--plain-http"),
    ])?;
    Server::named(&args.at, args.access.ca_file.as_deref(), global, printer).await
}

/// What a server compares with: a chart at one of its destinations.
fn compared(args: &AppDiffArgs) -> Result<Value, Error> {
    let refuse = |text: String| Error::Arguments {
        text,
        hint: "name a destination of the server with `-r`, or a chart there as \
               DESTINATION/NAME[:VERSION]",
    };
    let (destination, chart, version) = match (&args.registry, &args.reference) {
        (Some(name), _) if is_address(name) => {
            return Err(refuse(format!("`{name}` is an address, and no destination")));
        }
        (Some(name), _) => (name.as_str(), args.chart_name.as_deref(), None),
        (None, Some(reference)) => {
            let parts = reference
                .split_once('/')
                .filter(|(name, rest)| !name.contains(['.', ':']) && !rest.contains(['/', '@']));
            let (destination, chart) = parts
                .ok_or_else(|| refuse(format!("`{reference}` is no chart at a destination")))?;
            match chart.split_once(':') {
                Some((chart, version)) => (destination, Some(chart), Some(version)),
                None => (destination, Some(chart), None),
            }
        }
        (None, None) => return Err(Error::NoDestination),
    };
    Ok(json!({"destination": destination, "chartName": chart, "version": version}))
}

fn request(args: &AppDiffArgs) -> Request {
    Request {
        options: content_options(&args.pick, &args.content),
        names: ChosenNames { chart_name: args.chart_name.clone(), ..ChosenNames::default() },
        platforms: args.content.platform.clone(),
        skip_unreadable: args.source.skip_unreadable,
        ..Request::named(selection(&args.subject, &args.pick), args.source.namespace.clone())
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
