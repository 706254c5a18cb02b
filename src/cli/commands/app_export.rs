//! `outhaul app export NAME`: plan, run, report.

use std::path::Path;
use std::sync::Arc;

use super::app_show::{options, selection};
use crate::app::Options;
use crate::chart::Templates;
use crate::cli::args::{AppExportArgs, Global, RecipientArgs, SecretsArg};
use crate::cli::bundle::Bundle;
use crate::cli::output::Printer;
use crate::cli::recipients::recipients;
use crate::cli::{connect, tables, templates};
use crate::destination::Destination;
use crate::error::Error;
use crate::export::run::Deps;
use crate::export::{self, Plan, Report, Request, Target};

pub(crate) async fn run(
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    check(args)?;
    let mut request = request(args)?;
    if let Some(directory) = &args.templates {
        request.templates = templates::read(directory)?;
    }
    match (&args.registry, args.to.as_ref().or(args.directory.as_ref())) {
        (None, None) => Err(Error::NoDestination),
        (Some(_), Some(_)) => Err(Error::TwoDestinations),
        (Some(registry), None) => to_registry(registry, args, &request, global, printer).await,
        (None, Some(path)) => to_layout(path, args, &request, global, printer).await,
    }
}

/// Refuses what the definition of the arguments cannot.
fn check(args: &AppExportArgs) -> Result<(), Error> {
    let RecipientArgs { age_recipient, age_recipients_file } = &args.recipients;
    let encrypts = matches!(args.secrets, SecretsArg::Encrypt);
    let named = !age_recipient.is_empty() || !age_recipients_file.is_empty();
    if named && !encrypts {
        return Err(Error::Arguments {
            text: "recipients are given, but Secrets are not encrypted".to_owned(),
            hint: "add `--secrets encrypt`, or leave the recipients out",
        });
    }
    let from_stdin = args.source.from.as_deref() == Some(Path::new("-"));
    if from_stdin && args.access.password_stdin {
        return Err(Error::Arguments {
            text: "`--from -` and `--password-stdin` both read standard input".to_owned(),
            hint: "write the manifests to a file, or log in with `docker login`",
        });
    }
    Ok(())
}

fn request(args: &AppExportArgs) -> Result<Request, Error> {
    Ok(Request {
        selection: selection(&args.select),
        namespace: args.source.namespace.clone(),
        options: Options {
            keep_images: args.keep_image.clone(),
            jobs: args.jobs.into(),
            rewrite_namespace: args.rewrite_namespace,
            ..options(&args.select)
        },
        secrets: args.secrets.into(),
        templates: Templates::default(),
        recipients: recipients(&args.recipients)?,
        names: export::request::ChosenNames {
            chart_name: args.chart_name.clone(),
            chart_version: args.chart_version.clone(),
            image_name: args.image_name.clone(),
            image_tag: args.image_tag.clone(),
        },
        platforms: args.platform.clone(),
        adopt: args.adopt,
        allow_oversize: args.allow_oversize,
        skip_unreadable: args.source.skip_unreadable,
        allow_differences: args.allow_differences,
        allow_terminating: args.allow_terminating,
        wait_rollout: args.wait_rollout,
        gate: args.findings.gate(),
    })
}

async fn to_registry(
    registry: &str,
    args: &AppExportArgs,
    request: &Request,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let mut known = connect::destination(registry, &args.access, global).await?;
    if args.pull_address.is_some() {
        known[0].pull_address.clone_from(&args.pull_address);
    }
    let target = Target::registry(&known[0])?;
    match execute(args, request, &target, &known, global, printer).await? {
        Outcome::Planned(plan) => planned(&plan, printer),
        Outcome::Done(report) => printer.data(&report, |report| tables::report(report)),
    }
}

async fn to_layout(
    path: &Path,
    args: &AppExportArgs,
    request: &Request,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let bundle = Bundle::new(path, args.dry_run)?;
    let name = path.display().to_string();
    let target = Target::layout(name, Arc::new(bundle.layout.clone()), args.pull_address.clone());
    match execute(args, request, &target, &[], global, printer).await? {
        Outcome::Planned(plan) => planned(&plan, printer),
        Outcome::Done(report) => {
            bundle.finish(path).await?;
            printer.data(&report, |report| tables::report(report))
        }
    }
}

/// What an export comes to.
enum Outcome {
    /// Under `--dry-run`, or because findings stop it.
    Planned(Box<Plan>),
    /// Otherwise.
    Done(Box<Report>),
}

/// Shows a plan that is not carried out, and fails if findings stop it.
fn planned(plan: &Plan, printer: &Printer) -> Result<(), Error> {
    printer.data(plan, tables::plan)?;
    match plan.stopped_by.as_slice() {
        [] => Ok(()),
        codes => Err(export::Error::Stopped(codes.to_vec()).into()),
    }
}

async fn execute(
    args: &AppExportArgs,
    request: &Request,
    target: &Target,
    known: &[Destination],
    global: &Global,
    printer: &Printer,
) -> Result<Outcome, Error> {
    let source = connect::source(&args.source, global).await?;
    let mut sources = connect::sources(known, request.namespace.as_deref(), &args.access)?;
    connect::images(&mut sources, args, global).await?;
    export::rollout::wait(request, source.as_ref(), &|line| printer.say(line)).await?;
    let resolution = export::resolve(request, source.as_ref(), target, &sources).await?;
    let mut plan = export::plan(request, target, resolution)?;
    if args.dry_run || !plan.stopped_by.is_empty() {
        export::estimate(&mut plan, target, &sources).await?;
        return Ok(Outcome::Planned(Box::new(plan)));
    }
    let progress = printer.progress();
    let deps = Deps {
        target,
        sources: &sources,
        platforms: &request.platforms,
        progress: &progress,
        attach_report: !args.no_attach_report,
    };
    let report = export::run(&plan, deps).await?;
    progress.finish();
    Ok(Outcome::Done(Box::new(report)))
}
