//! Arguments of `outhaul schedule …`.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::KeepArgs;
use crate::cluster::record::schedule::MAX_JITTER;
use crate::schedule::preview::MAX_RUNS;

#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Show when a schedule is due, and which versions would stay
    Preview(SchedulePreviewArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SchedulePreviewArgs {
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
}

/// When a schedule is due
#[derive(Debug, Args)]
pub(crate) struct WhenArgs {
    /// When: five fields as in crontab(5), such as `30 2 * * 1-5`, or `@daily`, `@every 6h`
    #[arg(long, value_name = "SCHEDULE")]
    pub(crate) schedule: String,
    /// By whose clock, as an IANA name such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// By up to how much each run begins later, such as 10m, so that not all begin at once
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = jitter)]
    pub(crate) jitter: u32,
}

/// Seconds of a duration.
fn jitter(text: &str) -> Result<u32, String> {
    let time = text.parse::<SignedDuration>().map_err(|error| error.to_string())?;
    let seconds = u32::try_from(time.as_secs()).ok().filter(|seconds| *seconds <= MAX_JITTER);
    seconds.ok_or_else(|| format!("it must be at most {}m", MAX_JITTER / 60))
}
