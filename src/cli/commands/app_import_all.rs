//! `outhaul app import --all --from-history DESTINATION`: every application of a namespace, told from
//! the registry alone.

use serde::Serialize;

use super::app_export_all::Failure;
use super::app_import::{Import, Imported, Place, selected};
use crate::cli::args::{AppImportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::{connect, tables};
use crate::error::Error;
use crate::export::{self, ChartReference};
use crate::import::restore::{self, Found, Wanted};
use crate::registry::RepositoryName;

/// What became of all of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Restored {
    /// The namespace that they were exported from.
    pub(crate) namespace: String,
    /// Uid of its cluster.
    pub(crate) cluster: String,
    /// One for each application, in order of name.
    pub(crate) apps: Vec<Outcome>,
}

/// What became of one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Outcome {
    /// What would be done, or stands against it.
    Plan(Box<Imported>),
    /// What was done, and how it stands to the export.
    Report(Box<Imported>),
    /// It failed.
    Failure(Failure),
}

pub(super) async fn run(
    args: &AppImportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let wanted = Wanted {
        namespace: args.namespace.clone().unwrap_or_default(),
        cluster: args.cluster.clone(),
        selector: selected(args.before.as_deref(), &args.time_zone)?,
    };
    let destination = args.from_history.as_deref().unwrap_or_default();
    let known = connect::destination(destination, &args.access, global).await?;
    let destination = connect::described(known[0].clone(), &args.access)?;
    let under = |name: &RepositoryName| name.under(destination.path.as_ref());
    let charts: Result<Vec<_>, _> = args.chart.iter().map(under).collect();
    let charts = charts.map_err(export::Error::from)?;
    let host = Some(destination.host.clone());
    // The repository is another for each; nothing reads this one.
    let nothing = ChartReference::in_layout("chart")?;
    let place = Place::in_registry(destination, nothing, known).await?;
    let found = restore::set(&place.target, &charts, &wanted).await?;
    let import = Import::new(args, global, printer).await?;

    let cluster = found.first().map(|of| of.cluster.clone()).unwrap_or_default();
    let of = found.len();
    let (mut apps, mut failed, mut first) = (Vec::new(), Vec::new(), None);
    for Found { app, repository, published, .. } in found {
        let digest = Some(published.digest);
        let reference = ChartReference { host: host.clone(), repository, tag: None, digest };
        let error = match import.one(&place, &reference).await {
            Ok(imported) if imported.is_done() => {
                apps.push(Outcome::Report(Box::new(imported)));
                continue;
            }
            Ok(mut imported) => {
                let refused = imported.refused();
                apps.push(Outcome::Plan(Box::new(imported)));
                let Some(error) = refused else { continue };
                error
            }
            Err(error) => {
                let (app, text) = (app.clone(), error.to_string());
                apps.push(Outcome::Failure(Failure { app, error: text, exit: error.exit() as u8 }));
                error
            }
        };
        printer.say(format!("{app} is not restored"));
        printer.error(&error);
        failed.push(app);
        first.get_or_insert(error);
    }
    let namespace = wanted.namespace;
    printer.data(&Restored { namespace, cluster, apps }, tables::restored)?;
    match first {
        Some(first) => Err(Error::PartlyRestored { failed, of, first: Box::new(first) }),
        None => Ok(()),
    }
}
