//! `outhaul app copy REF DST`: a published export, brought to another place.

use std::path::Path;
use std::sync::Arc;

use crate::cli::args::{AccessArgs, AppCopyArgs, Global};
use crate::cli::bundle::Bundle;
use crate::cli::output::Printer;
use crate::cli::published::{in_layout, published};
use crate::cli::{connect, tables};
use crate::destination::Destination;
use crate::error::Error;
use crate::export::run::Deps;
use crate::export::{self, ChartReference, Report, Target};

pub(crate) async fn run(
    args: &AppCopyArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let report = match (&args.destination, &args.to) {
        (Some(wanted), _) => {
            let mut known = connect::destination(wanted, &args.access, global).await?;
            if args.pull_address.is_some() {
                known[0].pull_address.clone_from(&args.pull_address);
            }
            let (kind, charts) = (args.registry_kind, args.chart_registry.as_deref());
            let target = connect::target(&known[0], kind, charts, &args.access, global).await?;
            copy(args, global, &target, known, printer).await?
        }
        (None, Some(path)) => to_layout(path, args, global, printer).await?,
        (None, None) => return Err(Error::NoDestination),
    };
    match report {
        Some(report) => printer.data(&report, tables::report),
        None => Ok(()),
    }
}

async fn to_layout(
    path: &Path,
    args: &AppCopyArgs,
    global: &Global,
    printer: &Printer,
) -> Result<Option<Report>, Error> {
    let bundle = Bundle::new(path, args.dry_run)?;
    let name = path.display().to_string();
    let target = Target::layout(name, Arc::new(bundle.layout.clone()), args.pull_address.clone());
    let report = copy(args, global, &target, Vec::new(), printer).await?;
    if report.is_some() {
        bundle.finish(path).await?;
    }
    Ok(report)
}

/// Copies, or prints the plan. `known` are the destinations that came with the target.
async fn copy(
    args: &AppCopyArgs,
    global: &Global,
    target: &Target,
    mut known: Vec<Destination>,
    printer: &Printer,
) -> Result<Option<Report>, Error> {
    let (from, chart, read) = source(args, global).await?;
    known.extend(read);
    let mut sources = connect::sources(&known, None, &args.access)?;
    let mut plan = export::relocation(&chart, &from, target, &mut sources, args.adopt).await?;
    if args.dry_run {
        export::estimate(&mut plan, target, &sources).await?;
        printer.data(&plan, tables::plan)?;
        return Ok(None);
    }
    let progress = printer.progress();
    let copier = export::run::copier(target, &[]);
    let deps = Deps {
        target,
        sources: &sources,
        platforms: &[],
        copier: &copier,
        progress: &progress,
        attach_report: false,
        observer: None,
    };
    let report = export::run(&plan, deps).await?;
    progress.finish();
    Ok(Some(report))
}

/// Where the export is read, and the destinations that are known besides. User name and password are
/// for the place that it goes to.
async fn source(
    args: &AppCopyArgs,
    global: &Global,
) -> Result<(Target, ChartReference, Vec<Destination>), Error> {
    let Some(path) = &args.from else {
        let reading = AccessArgs { username: None, password_stdin: false, ..args.access.clone() };
        let found = published(&args.reference, &reading, global).await?;
        return Ok((Target::registry(&found.destination)?, found.chart, found.known));
    };
    let (target, chart) = in_layout(path, &args.reference)?;
    Ok((target, chart, Vec::new()))
}
