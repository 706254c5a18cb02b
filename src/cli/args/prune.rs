//! Arguments of `outhaul prune`.

use clap::Args;
use jiff::SignedDuration;

use super::{AccessArgs, KeepArgs};

#[derive(Debug, Args)]
pub(crate) struct PruneArgs {
    /// Charts of the exports: `[oci://]HOST/PATH/NAME` or `DESTINATION/NAME`. Those are meant that
    /// have the origin of the newest version
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
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
    /// may be under way takes
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(crate) grace: SignedDuration,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
