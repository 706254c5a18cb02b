//! Arguments of `outhaul app history`, `pin` and `unpin`.

use std::path::PathBuf;

use clap::Args;

use super::{AccessArgs, ChartsArgs};

#[derive(Debug, Args)]
pub(crate) struct AppHistoryArgs {
    #[command(flatten)]
    pub(crate) charts: ChartsArgs,
    /// Read this OCI layout instead of a registry, of which `NAME` is a chart
    #[arg(long, value_name = "DIR", conflicts_with = "registry")]
    pub(crate) from: Option<PathBuf>,
    /// Show so many of the newest
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Show tags that are no versions, too
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AppPinArgs {
    /// Version of an export: `[oci://]HOST/PATH/NAME:VERSION` or `DESTINATION/NAME:VERSION`
    #[arg(value_name = "REF:VERSION")]
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
