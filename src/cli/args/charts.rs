//! Arguments that name the charts of an application.

use clap::Args;

#[derive(Clone, Debug, Args)]
pub(crate) struct ChartsArgs {
    /// Charts of the exports: `[oci://]HOST/PATH/NAME` or `DESTINATION/NAME`; with `-r`, the application
    #[arg(value_name = "REF|NAME")]
    pub(crate) reference: String,
    /// Registry that the application is exported to: a destination as NAME[/PATH], or an address
    #[arg(short, long, value_name = "NAME|URL")]
    pub(crate) registry: Option<String>,
    /// Namespace of the application [default: the kubeconfig's]
    #[arg(short, long, requires = "registry")]
    pub(crate) namespace: Option<String>,
    /// Name of the chart there [default: <namespace>-<app>-chart]
    #[arg(long, value_name = "NAME", requires = "registry")]
    pub(crate) chart_name: Option<String>,
}
