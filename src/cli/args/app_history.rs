//! Arguments of `outhaul app history`, `pin` and `unpin`.

use std::path::PathBuf;

use clap::Args;

use super::AccessArgs;

#[derive(Debug, Args)]
pub(crate) struct AppHistoryArgs {
    /// Charts of the exports: `[oci://]HOST/PATH/NAME` or `DESTINATION/NAME`; with `--from`, `NAME`;
    /// with `-r`, the application
    #[arg(value_name = "REF|NAME")]
    pub(crate) reference: String,
    /// Registry that the application is exported to: a destination's name, or an address
    #[arg(short, long, value_name = "NAME|URL", conflicts_with = "from")]
    pub(crate) registry: Option<String>,
    /// Namespace of the application [default: the kubeconfig's]
    #[arg(short, long, requires = "registry")]
    pub(crate) namespace: Option<String>,
    /// Name of the chart there [default: <namespace>-<app>-chart]
    #[arg(long, value_name = "NAME", requires = "registry")]
    pub(crate) chart_name: Option<String>,
    /// Read this OCI layout instead of a registry
    #[arg(long, value_name = "DIR")]
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
