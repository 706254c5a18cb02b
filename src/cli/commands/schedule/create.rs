//! `outhaul schedule create`: all that can be checked here is, before anything is made.

use std::path::Path;

use serde_json::Value;

use crate::app::{JobsPolicy, SecretsPolicy};
use crate::cli::args::{Global, HowArgs, ScheduleCreateArgs, ScheduledArgs};
use crate::cli::output::Printer;
use crate::cli::remote::{self, Schedules};
use crate::cluster;
use crate::cluster::record::schedule::{
    ExportSchedule, ExportScheduleSpec, HistoryLimits, Retention, Template,
};
use crate::cluster::record::{ChosenNames, ExportOptions};
use crate::error::Error;
use crate::export::record::duration;
use crate::export::request::ChartFrom;
use crate::export::scheduled::check;

/// Largest manifest: an object of Kubernetes has at most 1.5 MiB.
const MAX_MANIFEST: u64 = 2 << 20;

pub(super) async fn run(
    args: &ScheduleCreateArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    args.remote.at.refuse(&[(args.service_account.is_some(), "--service-account")])?;
    let mut schedule = match &args.file {
        Some(path) => manifest(path)?,
        None => ExportSchedule::new(args.name.as_deref().unwrap_or_default(), spec(args)?),
    };
    if let Some(namespace) = &args.namespace {
        schedule.metadata.namespace = Some(namespace.clone());
    }
    check(&schedule)?;
    if args.dry_run {
        let text = serde_saphyr::to_string(&schedule);
        let text = text.map_err(|error| Error::Output { reason: error.to_string() })?;
        return printer.data(&schedule, |_| text);
    }
    if schedule.metadata.namespace.is_none() {
        schedule.metadata.namespace = Some(remote::namespace(None, global).await?);
    }
    let schedules = Schedules::at(&args.remote, global, printer).await?;
    let made = schedules.create(schedule).await?;
    printer.say(format!(
        "{} is made{}",
        made.title(),
        match made.next.first() {
            Some(next) => format!("; it is due at {next}"),
            None => "; it begins nothing until it is resumed".to_owned(),
        }
    ));
    Ok(())
}

/// What the flags say.
fn spec(args: &ScheduleCreateArgs) -> Result<ExportScheduleSpec, Error> {
    let schedule = args.when.schedule.clone().ok_or_else(|| Error::Arguments {
        text: "nothing says when it is due".to_owned(),
        hint: "give `--schedule`, such as `--schedule '30 2 * * *'`, or a manifest with `-f`",
    })?;
    let HowArgs {
        concurrency,
        deadline,
        catch_up,
        suspended,
        run_on_create,
        even_if_unchanged,
        ..
    } = &args.how;
    Ok(ExportScheduleSpec {
        time_zone: args.when.time_zone.clone(),
        jitter_seconds: args.when.jitter,
        concurrency_policy: (*concurrency).into(),
        starting_deadline_seconds: *deadline,
        catch_up: (*catch_up).into(),
        suspend: *suspended,
        run_on_create: *run_on_create,
        skip_if_unchanged: !even_if_unchanged,
        retention: retention(args)?,
        history_limits: limits(args),
        service_account_name: args.service_account.clone(),
        ..ExportScheduleSpec::new(schedule, template(&args.what)?)
    })
}

/// How many records stay; as many as by default of what is not said.
fn limits(args: &ScheduleCreateArgs) -> HistoryLimits {
    let usual = HistoryLimits::default();
    HistoryLimits {
        successful: args.how.successful_history_limit.unwrap_or(usual.successful),
        failed: args.how.failed_history_limit.unwrap_or(usual.failed),
    }
}

fn retention(args: &ScheduleCreateArgs) -> Result<Option<Retention>, Error> {
    match args.keep.retention() {
        Some(rules) => Ok(Some(Retention { dry_run: args.keep_dry_run, ..rules })),
        None if args.keep_dry_run => Err(Error::Arguments {
            text: "`--keep-dry-run` is for rules of what stays, and none is given".to_owned(),
            hint: "give `--keep-last`, `--keep-daily`, `--max-age` or another rule",
        }),
        None => Ok(None),
    }
}

fn template(args: &ScheduledArgs) -> Result<Template, Error> {
    let refuse = |text: &str, hint| Err(Error::Arguments { text: text.to_owned(), hint });
    if args.app.is_none() && args.app_selector.is_none() && args.namespace_selector.is_none() {
        return refuse(
            "nothing says what is exported",
            "give `--app NAME`, `--app-selector LABELS` or `--namespace-selector LABELS`",
        );
    }
    if args.app.is_none() && (args.pick.selector.is_some() || args.pick.all) {
        return refuse("`--selector` and `--all` say what an application is", "give `--app`");
    }
    if !args.content.map_registry.is_empty() {
        return refuse(
            "`--map-registry` is for exports from here",
            "the server reads images as its destinations and `--local-source` say",
        );
    }
    let (pick, content, gate) = (&args.pick, &args.content, args.findings.gate());
    let names = ChosenNames {
        chart_name: args.chart_name.clone(),
        image_name: args.image_name.clone(),
        ..ChosenNames::default()
    };
    Ok(Template {
        app: args.app.clone(),
        app_selector: args.app_selector.clone(),
        namespace_selector: args.namespace_selector.clone(),
        namespace: args.app_namespace.clone(),
        selector: pick.selector.clone(),
        all: pick.all,
        destination: args.registry.clone().unwrap_or_default(),
        secrets: SecretsPolicy::from(args.secrets.unwrap_or_default()).into(),
        names: (names != ChosenNames::default()).then_some(names),
        options: ExportOptions {
            chart_from: ChartFrom::from(args.chart_from).into(),
            adopt: args.adopt,
            allow_oversize: args.allow_oversize,
            allow_differences: args.allow_differences,
            skip_unreadable: args.skip_unreadable,
            wait_rollout: args.wait_rollout.map(duration),
            attach_report: !args.no_attach_report,
            platforms: content.platform.iter().map(ToString::to_string).collect(),
            exclude: pick.exclude.iter().map(|(kind, name)| format!("{kind}/{name}")).collect(),
            keep_images: content.keep_image.iter().map(ToString::to_string).collect(),
            include_crds: pick.include_crds,
            rewrite_namespace: content.rewrite_namespace,
            use_pull_secrets: content.use_pull_secrets,
            jobs: JobsPolicy::from(content.jobs).into(),
            fail_on: gate.fail_on.iter().map(ToString::to_string).collect(),
            accept: gate.accept.iter().map(|code| code.as_str().to_owned()).collect(),
        },
    })
}

/// What a file holds.
fn manifest(path: &Path) -> Result<ExportSchedule, Error> {
    use std::io::Read as _;
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        cluster::standard_input()?.take(MAX_MANIFEST).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(MAX_MANIFEST).read_to_string(&mut text)
    };
    read.map_err(failed)?;
    let wrong = |reason: String| Error::Arguments {
        text: format!("{}: {reason}", path.display()),
        hint: "`outhaul schedule create NAME --dry-run` prints a manifest, `kubectl explain \
               exportschedule.spec` says what there is",
    };
    let value: Value = serde_saphyr::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    ExportSchedule::from_manifest(&value).map_err(wrong)
}
