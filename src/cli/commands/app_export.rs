//! `outhaul app export NAME`: plan, run, report.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::app_show::{options, selection};
use crate::app::{Options, Selection};
use crate::cli::args::{
    AppExportArgs, ContentArgs, Global, PickArgs, RecipientArgs, RegistryKindArg, SecretsArg,
};
use crate::cli::bundle::Bundle;
use crate::cli::controller::Controller;
use crate::cli::output::Printer;
use crate::cli::recipients::recipients;
use crate::cli::remote::Server;
use crate::cli::{connect, emitted, remote, tables, templates};
use crate::error::Error;
use crate::export::perform::{Observer, Outcome};
use crate::export::run::{Deps, copier};
use crate::export::{self, Plan, Request, Sources, Target};

/// Where an export goes.
pub(super) struct Place {
    pub(super) target: Target,
    /// Where images are read.
    pub(super) sources: Sources,
    /// The layout that is written, and where the user wants it.
    bundle: Option<(Bundle, PathBuf)>,
    /// What documents of other systems are told of it.
    at: emitted::At,
}

pub(crate) async fn run(
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    check(args)?;
    if let Some(server) = server(args, global, printer).await? {
        let name = args.name.as_deref().unwrap_or_default(); // `--all-apps` is refused there
        if args.dry_run {
            return remote::plan_at(&server, name, args, global, printer).await;
        }
        return remote::export_at(&server, name, args, global, printer).await;
    }
    let Some(name) = &args.name else {
        return super::app_export_all::run(args, global, printer).await;
    };
    if args.in_cluster {
        return remote::export_in_cluster(name, args, global, printer).await;
    }
    let emitted = emitted::Folders::new(args, global)?;
    let request = request(args, selection(name, &args.pick))?;
    let place = Place::new(args, global).await?;
    let request = Request { emit: emitted.wanted(&place.at), ..request };
    let source = connect::source(&args.source, global).await?;
    let (target, sources) = (&place.target, &place.sources);
    let copier = copier(target, &request.platforms);
    let progress = printer.progress();
    let platforms = &request.platforms;
    let attach_report = !args.no_attach_report;
    let (copier, progress, observer) = (&copier, &progress, None);
    let deps = Deps { target, sources, platforms, copier, progress, attach_report, observer };
    match export::perform(&request, source, deps, args.dry_run, printer).await? {
        Outcome::Planned(plan) => {
            printer.data(plan.as_ref(), tables::plan)?;
            emitted.tell(&plan.emitted, printer);
            Ok(stopped(&plan)?)
        }
        Outcome::Done(report) => {
            progress.finish();
            place.finish().await?;
            // What was pushed is said, even where files cannot be written.
            printer.data(report.as_ref(), tables::report)?;
            emitted.finish(&report.emitted, printer)
        }
    }
}

impl Observer for Printer {
    fn waiting(&self, line: &str) {
        self.say(line);
    }
}

/// Refuses a plan that findings stop.
pub(super) fn stopped(plan: &Plan) -> Result<(), export::Error> {
    match plan.stopped_by.as_slice() {
        [] => Ok(()),
        codes => Err(export::Error::Stopped(codes.to_vec())),
    }
}

impl Place {
    /// What the arguments name. For a layout that does not exist a scratch folder is made.
    pub(super) async fn new(args: &AppExportArgs, global: &Global) -> Result<Self, Error> {
        let namespace = args.source.namespace.as_deref();
        match (&args.registry, args.to.as_ref().or(args.directory.as_ref())) {
            (None, None) => Err(Error::NoDestination),
            (Some(_), Some(_)) => Err(Error::TwoDestinations),
            (Some(registry), None) => {
                let mut known = connect::destination(registry, &args.access, global).await?;
                if args.pull_address.is_some() {
                    known[0].pull_address.clone_from(&args.pull_address);
                }
                let mut sources = connect::sources(&known, namespace, &args.access)?;
                connect::images(&mut sources, &args.content, &args.source, global).await?;
                let (kind, charts) = (args.registry_kind, args.chart_registry.as_deref());
                let target = connect::target(&known[0], kind, charts, &args.access, global).await?;
                let at = match &args.name {
                    Some(name) if !args.emit.emit.is_empty() => {
                        let asked = args.emit.controller(args.access.ca_file.as_deref());
                        let asked = asked.as_ref().map(Controller::named).transpose()?.flatten();
                        emitted::At::of(&known[0], name, asked.as_ref()).await?
                    }
                    _ => emitted::At::default(),
                };
                Ok(Self { target, sources, bundle: None, at })
            }
            (None, Some(path)) => {
                let bundle = Bundle::new(path, args.dry_run)?;
                let (name, layout) = (path.display().to_string(), Arc::new(bundle.layout.clone()));
                let target = Target::layout(name, layout, args.pull_address.clone());
                let mut sources = connect::sources(&[], namespace, &args.access)?;
                connect::images(&mut sources, &args.content, &args.source, global).await?;
                let at = emitted::At::default();
                Ok(Self { target, sources, bundle: Some((bundle, path.clone())), at })
            }
        }
    }

    /// Puts a layout where the user wants it.
    pub(super) async fn finish(self) -> Result<(), Error> {
        match self.bundle {
            Some((bundle, path)) => bundle.finish(&path).await,
            None => Ok(()),
        }
    }
}

/// The server that is to do it, if one is named. It takes no files and no addresses.
async fn server(
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<Option<Server>, Error> {
    let RecipientArgs { age_recipient, age_recipients_file } = &args.recipients;
    args.at.refuse(&[
        (args.all_apps, "--all-apps"),
        (args.source.from.is_some(), "--from"),
        (args.to.is_some(), "--to"),
        (args.directory.is_some(), "DIRECTORY"),
        (global.destinations.is_some(), "--destinations"),
        (args.pull_address.is_some(), "--pull-address"),
        (args.registry_kind != RegistryKindArg::Auto, "--registry-kind"),
        (args.chart_registry.is_some(), "--chart-registry"),
        (args.templates.is_some(), "--templates"),
        (!args.emit.emit.is_empty(), "--emit"),
        (!age_recipient.is_empty(), "--age-recipient"),
        (!age_recipients_file.is_empty(), "--age-recipients-file"),
        (!args.content.map_registry.is_empty(), "--map-registry"),
        (args.allow_terminating, "--allow-terminating"),
        (args.access.username.is_some(), "--username"),
        (args.access.plain_http, "--plain-http"),
    ])?;
    Server::named(&args.at, args.access.ca_file.as_deref(), global, printer).await
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

/// What of an application is exported.
pub(super) fn content_options(pick: &PickArgs, content: &ContentArgs) -> Options {
    Options {
        keep_images: content.keep_image.clone(),
        jobs: content.jobs.into(),
        rewrite_namespace: content.rewrite_namespace,
        ..options(pick)
    }
}

/// What the arguments ask for.
pub(crate) fn request(args: &AppExportArgs, selection: Selection) -> Result<Request, Error> {
    let read = args.templates.as_deref().map(templates::read).transpose()?;
    Ok(Request {
        selection,
        namespace: args.source.namespace.clone(),
        options: content_options(&args.pick, &args.content),
        secrets: args.secrets.into(),
        templates: read.unwrap_or_default(),
        recipients: recipients(&args.recipients)?,
        chart_from: args.chart_from.into(),
        names: export::request::ChosenNames {
            chart_name: args.chart_name.clone(),
            chart_version: args.chart_version.clone(),
            image_name: args.image_name.clone(),
            image_tag: args.image_tag.clone(),
        },
        platforms: args.content.platform.clone(),
        release_record: true,
        moving: None,
        adopt: args.adopt,
        allow_oversize: args.allow_oversize,
        skip_unreadable: args.source.skip_unreadable,
        allow_differences: args.allow_differences,
        allow_terminating: args.allow_terminating,
        wait_rollout: args.wait_rollout,
        gate: args.findings.gate(),
        emit: Vec::new(),
        scheduled: None,
    })
}
