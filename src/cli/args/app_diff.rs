//! Arguments of `outhaul app diff`.

use clap::Args;

use super::{AccessArgs, SelectArgs, SourceArgs};

#[derive(Debug, Args)]
pub(crate) struct AppDiffArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Chart to compare with: `[oci://]HOST/PATH/NAME[:VERSION][@DIGEST]` or
    /// `DESTINATION/NAME[:VERSION][@DIGEST]`, the newest version if none is named [default: the application's own at `--registry`]
    #[arg(value_name = "REF", required_unless_present = "registry", conflicts_with = "registry")]
    pub(crate) reference: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Registry that the application is exported to: a destination's name, or an address
    #[arg(short, long, value_name = "NAME|URL")]
    pub(crate) registry: Option<String>,
    /// Name of the chart there [default: <namespace>-<app>-chart]
    #[arg(long, value_name = "NAME", requires = "registry")]
    pub(crate) chart_name: Option<String>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
