//! Arguments of `outhaul app diff`.

use std::path::PathBuf;

use clap::Args;

use super::{AccessArgs, ContentArgs, MakesNone, SelectArgs, ServerArgs, SourceArgs};

#[derive(Debug, Args)]
pub(crate) struct AppDiffArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Chart to compare with: `[oci://]HOST/PATH/NAME[:VERSION][@DIGEST]` or
    /// `DESTINATION/NAME[:VERSION][@DIGEST]`, the newest version if none is named; with `--to`,
    /// `NAME[:VERSION][@DIGEST]`; a directory is meant as `--to` [default: the application's own]
    #[arg(value_name = "REF", required_unless_present_any = ["registry", "to"], conflicts_with = "registry")]
    pub(crate) reference: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Registry that the application is exported to: a destination's name, or an address
    #[arg(short, long, value_name = "NAME|URL")]
    pub(crate) registry: Option<String>,
    /// OCI layout that the application is exported to
    #[arg(long, value_name = "DIR", conflicts_with = "registry")]
    pub(crate) to: Option<PathBuf>,
    /// Name of the chart there [default: <namespace>-<app>-chart]
    #[arg(long, value_name = "NAME", conflicts_with = "reference")]
    pub(crate) chart_name: Option<String>,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    pub(crate) at: ServerArgs,
    #[command(flatten)]
    pub(crate) making: MakesNone,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
