//! Arguments of `outhaul schedule …`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::app_export::{ChartFromArg, wait};
use super::{ContentArgs, FindingsArgs, KeepArgs, PickArgs, RemoteArgs, SecretsArg, app_name};
use crate::cluster::record::schedule::{
    CatchUp, ConcurrencyPolicy, MAX_DEADLINE, MAX_JITTER, MAX_RECORDS, MIN_DEADLINE,
};
use crate::schedule::preview::MAX_RUNS;

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Make a schedule
    Create(Box<ScheduleCreateArgs>),
    /// List the schedules of a namespace
    List(ScheduleListArgs),
    /// Show a schedule: how it stands, and when it is due next
    Show(ScheduleOneArgs),
    /// Run a schedule now, and wait for its exports
    Run(ScheduleRunArgs),
    /// Let a schedule begin nothing; what runs goes on
    Suspend(ScheduleOneArgs),
    /// Let a schedule go on
    Resume(ScheduleOneArgs),
    /// Show when a schedule is due, and which versions would stay
    Preview(SchedulePreviewArgs),
    /// Remove a schedule; its exports and their versions stay
    Delete(ScheduleOneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleListArgs {
    /// Namespace of the schedules [default: the kubeconfig's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Those of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleOneArgs {
    /// Name of the schedule
    pub(crate) name: String,
    /// Namespace of the schedule [default: the kubeconfig's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleRunArgs {
    #[command(flatten)]
    pub(crate) one: ScheduleOneArgs,
    /// Do not wait for the exports
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SchedulePreviewArgs {
    /// Name of a schedule of the cluster, instead of `--schedule`
    #[arg(required_unless_present = "schedule", conflicts_with_all = ["schedule", "time_zone", "jitter"])]
    pub(crate) name: Option<String>,
    /// Namespace of the schedule [default: the kubeconfig's]
    #[arg(short, long, requires = "name")]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) when: WhenArgs,
    /// Show what is due after this time, such as 2026-03-28T00:00:00+01:00 [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Show so many runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=MAX_RUNS))]
    pub(crate) count: u16,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// When a schedule is due
#[derive(Debug, Args)]
pub(crate) struct WhenArgs {
    /// When: five fields as in crontab(5), such as `30 2 * * 1-5`, or `@daily`, `@every 6h`
    #[arg(long, value_name = "SCHEDULE")]
    pub(crate) schedule: Option<String>,
    /// By whose clock, as an IANA name such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// By up to how much each run begins later, such as 10m, so that not all begin at once
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = jitter)]
    pub(crate) jitter: u32,
}

/// A schedule to be made. What has no flag here is a field of a manifest.
#[derive(Debug, Args)]
pub(crate) struct ScheduleCreateArgs {
    /// Name of the schedule, of at most 45 characters
    #[arg(id = "new", value_name = "NAME", required_unless_present = "file")]
    pub(crate) name: Option<String>,
    /// Namespace of the schedule [default: the kubeconfig's, or the manifest's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Make what this manifest of an `ExportSchedule` says (`-`: standard input)
    #[arg(short, long, value_name = "FILE", conflicts_with_all = [
        "new", "keep_dry_run", "service_account", "app", "app_selector", "namespace_selector",
        "registry", "secrets", "chart_name", "image_name", "chart_from", "app_namespace", "adopt",
        "allow_oversize", "allow_differences", "skip_unreadable", "wait_rollout", "no_attach_report",
        "WhenArgs", "HowArgs", "KeepArgs", "PickArgs",
        "ContentArgs", "FindingsArgs",
    ])]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) when: WhenArgs,
    #[command(flatten)]
    pub(crate) what: ScheduledArgs,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    /// With rules of what stays: only say what would go
    #[arg(long)]
    pub(crate) keep_dry_run: bool,
    /// Service account of the namespace whose rights the exports have, instead of yours
    #[arg(long, value_name = "NAME")]
    pub(crate) service_account: Option<String>,
    /// Print the manifest and make nothing. It says not who asks: give `--service-account`, or leave
    /// that to whoever applies it
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// What is exported, and where to
#[derive(Debug, Args)]
pub(crate) struct ScheduledArgs {
    /// Name of the application
    #[arg(long, value_name = "NAME", value_parser = app_name, conflicts_with_all = ["app_selector", "namespace_selector"])]
    pub(crate) app: Option<String>,
    /// Every application that has these labels
    #[arg(long, value_name = "LABELS", conflicts_with = "namespace_selector")]
    pub(crate) app_selector: Option<String>,
    /// Every application of the namespaces that have these labels; in the system namespace only
    #[arg(long, value_name = "LABELS")]
    pub(crate) namespace_selector: Option<String>,
    /// Destination to export to
    #[arg(short, long, value_name = "NAME", required_unless_present = "file")]
    pub(crate) registry: Option<String>,
    /// What to do with the values of Secrets
    #[arg(long, value_enum, required_unless_present = "file")]
    pub(crate) secrets: Option<SecretsArg>,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// Name of the chart [default: <namespace>-<app>-chart]
    #[arg(long, value_name = "NAME", requires = "app", help_heading = "Names")]
    pub(crate) chart_name: Option<String>,
    /// Repository of the images [default: <namespace>-<app>-image]
    #[arg(long, value_name = "NAME", requires = "app", help_heading = "Names")]
    pub(crate) image_name: Option<String>,
    /// What the chart is made of
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) chart_from: ChartFromArg,
    /// Namespace of the applications, from the system namespace only [default: the schedule's]
    #[arg(long, value_name = "NAME", conflicts_with = "namespace_selector")]
    pub(crate) app_namespace: Option<String>,
    /// Take over a chart repository whose newest chart is another application's
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Make the chart although it is larger than helm takes
    #[arg(long)]
    pub(crate) allow_oversize: bool,
    /// Export although the chart does not render everything as it runs; the report says what
    #[arg(long)]
    pub(crate) allow_differences: bool,
    /// Go on although some kinds could not be read
    #[arg(long)]
    pub(crate) skip_unreadable: bool,
    /// Wait until the application is rolled out, such as 90s or 10m [default with the flag: 10m]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true,
        default_missing_value = "10m", value_parser = wait)]
    pub(crate) wait_rollout: Option<Duration>,
    /// Do not attach the report to the chart as a referrer
    #[arg(long)]
    pub(crate) no_attach_report: bool,
    #[command(flatten)]
    pub(crate) findings: FindingsArgs,
}

/// How runs follow each other
#[derive(Debug, Args)]
pub(crate) struct HowArgs {
    /// What happens when a run is due while the one before is not at its end
    #[arg(long, value_enum, default_value_t)]
    pub(crate) concurrency: ConcurrencyArg,
    /// Leave a run out that could not begin within this time, such as 2h
    #[arg(long, value_name = "DURATION", value_parser = deadline)]
    pub(crate) deadline: Option<u32>,
    /// What happens to runs that were missed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) catch_up: CatchUpArg,
    /// Begin nothing until it is resumed
    #[arg(long)]
    pub(crate) suspended: bool,
    /// Run at once, too
    #[arg(long)]
    pub(crate) run_on_create: bool,
    /// Make a new version even of what has not changed
    #[arg(long)]
    pub(crate) even_if_unchanged: bool,
    /// Keep so many records of exports that succeeded, of each application [default: 10]
    #[arg(long, value_name = "N", value_parser = records())]
    pub(crate) successful_history_limit: Option<u32>,
    /// Keep so many records of exports that failed, of each application [default: 5]
    #[arg(long, value_name = "N", value_parser = records())]
    pub(crate) failed_history_limit: Option<u32>,
}

/// What happens to a run while the one before goes on
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ConcurrencyArg {
    /// It waits, until the next one takes its place
    #[default]
    Forbid,
    /// The one before is cancelled
    Replace,
    /// Both run
    Allow,
}

/// What happens to runs that were missed
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum CatchUpArg {
    /// The latest is made up for
    #[default]
    Latest,
    /// None is
    None,
}

impl From<ConcurrencyArg> for ConcurrencyPolicy {
    fn from(arg: ConcurrencyArg) -> Self {
        match arg {
            ConcurrencyArg::Forbid => Self::Forbid,
            ConcurrencyArg::Replace => Self::Replace,
            ConcurrencyArg::Allow => Self::Allow,
        }
    }
}

impl From<CatchUpArg> for CatchUp {
    fn from(arg: CatchUpArg) -> Self {
        match arg {
            CatchUpArg::Latest => Self::Latest,
            CatchUpArg::None => Self::None,
        }
    }
}

fn records() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(MAX_RECORDS))
}

fn jitter(text: &str) -> Result<u32, String> {
    let seconds = seconds(text)?.filter(|seconds| *seconds <= MAX_JITTER);
    seconds.ok_or_else(|| format!("it must be at most {}m", MAX_JITTER / 60))
}

fn deadline(text: &str) -> Result<u32, String> {
    let possible = MIN_DEADLINE..=MAX_DEADLINE;
    let seconds = seconds(text)?.filter(|seconds| possible.contains(seconds));
    let days = MAX_DEADLINE / 86_400;
    seconds.ok_or_else(|| format!("it must be between {MIN_DEADLINE}s and {days} days"))
}

/// Whole seconds of a duration.
fn seconds(text: &str) -> Result<Option<u32>, String> {
    let time = text.parse::<SignedDuration>().map_err(|error| error.to_string())?;
    Ok(u32::try_from(time.as_secs()).ok())
}
