//! Arguments of `outhaul prune`.

use clap::Args;
use jiff::SignedDuration;

use super::{AccessArgs, ChartsArgs, KeepArgs, MakesNone, ServerArgs};

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    #[command(flatten)]
    pub(crate) charts: ChartsArgs,
    #[command(flatten)]
    pub(crate) keep: KeepArgs,
    /// Whose hours, days, weeks, months and years count, as an IANA name such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE", default_value = "UTC", help_heading = "Which versions stay")]
    pub(crate) time_zone: String,
    /// Show what would go, and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Delete without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// How long images stay after their last chart has gone, such as 36h: longer than any export that
    /// may be under way takes [default: 24h]
    #[arg(long, value_name = "TIME")]
    pub(crate) grace: Option<SignedDuration>,
    #[command(flatten)]
    pub(crate) at: ServerArgs,
    #[command(flatten)]
    pub(crate) making: MakesNone,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
