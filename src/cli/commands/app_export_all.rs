//! `outhaul app export --all-apps`: every application of a namespace, from one reading of it.

use serde::Serialize;

use super::app_export::{Place, request, stopped};
use crate::app::{self, App, ObjectId, SelectError, Selection, Shared, Snapshot};
use crate::cli::args::{AppExportArgs, Global};
use crate::cli::output::Printer;
use crate::cli::{connect, tables};
use crate::error::Error;
use crate::export::perform::{self, conclude};
use crate::export::resolve::{read_all, resolve_app};
use crate::export::run::{Deps, copier};
use crate::export::{self, Plan, Report, Request};
use crate::registry::{Copier, Progress};

/// What became of all of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    /// The namespace.
    pub(crate) namespace: String,
    /// One for each application, in order of name.
    pub(crate) apps: Vec<Outcome>,
    /// Applications that were left out on request.
    pub(crate) excluded_apps: Vec<String>,
    /// Objects that applications need and no chart has.
    pub(crate) shared: Vec<Shared>,
    /// Other objects that no chart has.
    pub(crate) left_over: Vec<ObjectId>,
}

/// What became of one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Outcome {
    /// What would be done, under `--dry-run`.
    Plan(Box<Plan>),
    /// What was done.
    Report(Box<Report>),
    /// It failed.
    Failure(Failure),
}

/// Why one was not exported.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    /// The application.
    pub(crate) app: String,
    /// What happened.
    pub(crate) error: String,
    /// The exit code that this has.
    pub(crate) exit: u8,
}

/// Everything that the exports of one command share.
struct Run<'a> {
    request: Request,
    snapshot: Snapshot,
    place: &'a Place,
    copier: Copier,
    progress: &'a dyn Progress,
    printer: &'a Printer,
    dry_run: bool,
    attach_report: bool,
}

pub(super) async fn run(
    args: &AppExportArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let place = Place::new(args, global).await?;
    // The name is another for each; nothing reads this one.
    let request = request(args, Selection::All { name: String::new() })?;
    let source = connect::source(&args.source, global).await?;
    export::rollout::wait(&request, source.as_ref(), &|line| printer.say(line)).await?;
    let snapshot = read_all(&request, source.as_ref()).await?;
    let all = app::assemble_all(&snapshot, &request.options, &args.exclude_app);
    let all = all.map_err(export::Error::from)?;
    if all.apps.is_empty() {
        return Err(Error::NoApplications(snapshot.namespace));
    }
    let progress = printer.progress();
    let copier = copier(&place.target, &request.platforms);
    let (place_of, dry_run) = (&place, args.dry_run);
    let namespace = snapshot.namespace.clone();
    let attach_report = !args.no_attach_report;
    let run = Run {
        request,
        snapshot,
        place: place_of,
        copier,
        progress: &progress,
        printer,
        dry_run,
        attach_report,
    };
    let (mut apps, mut failed, mut first) = (Vec::new(), Vec::new(), None);
    let of = all.apps.len();
    for (name, app) in all.apps {
        match run.one(&name, app).await {
            Ok(outcome) => {
                if let Outcome::Plan(plan) = &outcome
                    && let Err(error) = stopped(plan)
                {
                    failed.push(name);
                    first.get_or_insert(error.into());
                }
                apps.push(outcome);
            }
            Err(error) => {
                printer.say(format!("{name} is not exported"));
                printer.error(&error);
                let (app, text) = (name.clone(), error.to_string());
                apps.push(Outcome::Failure(Failure { app, error: text, exit: error.exit() as u8 }));
                failed.push(name);
                first.get_or_insert(error);
            }
        }
    }
    drop(run);
    progress.finish();
    if !dry_run && failed.len() < of {
        place.finish().await?;
    }
    let (shared, left_over) = (all.shared, all.left_over);
    let excluded_apps = args.exclude_app.clone();
    let summary = Summary { namespace, apps, excluded_apps, shared, left_over };
    printer.data(&summary, tables::summary)?;
    match first {
        Some(first) => Err(Error::PartlyExported { failed, of, first: Box::new(first) }),
        None => Ok(()),
    }
}

impl Run<'_> {
    async fn one(&self, name: &str, app: Result<App, SelectError>) -> Result<Outcome, Error> {
        let app = app.map_err(export::Error::from)?;
        let request =
            Request { selection: Selection::Name(name.to_owned()), ..self.request.clone() };
        let (target, sources) = (&self.place.target, &self.place.sources);
        let resolution = resolve_app(&request, &self.snapshot, app, target, sources).await?;
        let (platforms, copier, progress) = (&*request.platforms, &self.copier, self.progress);
        let (attach_report, observer) = (self.attach_report, None);
        let deps = Deps { target, sources, platforms, copier, progress, attach_report, observer };
        match conclude(&request, resolution, deps, self.dry_run, self.printer).await? {
            perform::Outcome::Planned(plan) if self.dry_run => Ok(Outcome::Plan(plan)),
            perform::Outcome::Planned(plan) => Err(export::Error::Stopped(plan.stopped_by).into()),
            perform::Outcome::Done(report) => Ok(Outcome::Report(report)),
        }
    }
}
