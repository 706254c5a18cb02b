//! Arguments of `outhaul drill`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::AccessArgs;
use super::app_export::wait;

#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    /// Chart of the export, as `app import` takes it: `[oci://]HOST/PATH/NAME` or
    /// `DESTINATION/NAME`, then `:VERSION`, `@DIGEST`, `@latest` or `@before=TIME`; with `-r`, the
    /// application, with `@latest` or `@before=TIME`. The newest version if none is named
    #[arg(value_name = "REF|NAME")]
    pub(crate) reference: String,
    /// Registry that the application is exported to: a destination as NAME[/PATH], or an address
    #[arg(short, long, value_name = "NAME|URL")]
    pub(crate) registry: Option<String>,
    /// Namespace of the application, for `-r` and `--with-secrets` [default: the kubeconfig's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Where the dates and times of `@before` are read, as an IANA name such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// Do not ask before anything is made
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Show the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long everything may take to be ready
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = wait)]
    pub(crate) timeout: Duration,
    /// Leave the scratch namespace
    #[arg(long)]
    pub(crate) keep: bool,
    /// Go on where nothing shows that the cluster enforces NetworkPolicies. The one that denies what
    /// leaves the namespace is made all the same; where it is not enforced, pods reach what
    /// production reaches
    #[arg(long)]
    pub(crate) allow_egress: bool,
    /// Image with a shell and nc, curl or python3 that shows whether NetworkPolicies are enforced
    /// [default: images of the chart]
    #[arg(long, value_name = "IMAGE")]
    pub(crate) probe_image: Option<String>,
    /// Do not restore `KIND`, `KIND.GROUP` or `KIND/NAME` (repeatable)
    #[arg(long, value_name = "OBJECT")]
    pub(crate) leave_out: Vec<String>,
    /// Bind this ClusterRole to us in the scratch namespace, where we have no rights otherwise
    #[arg(long, value_name = "CLUSTERROLE")]
    pub(crate) grant: Option<String>,
    /// Copy the Secrets that the chart needs from the application's namespace
    #[arg(long)]
    pub(crate) with_secrets: bool,
    /// File with the identity of age (`AGE-SECRET-KEY-1…`) that opens the chart's secrets.age
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// Make a pull secret of this name from the credentials for the images, and use it
    #[arg(long, value_name = "NAME")]
    pub(crate) pull_secret: Option<String>,
    /// File with values, for helm (repeatable)
    #[arg(short = 'f', long, value_name = "FILE", help_heading = "For helm")]
    pub(crate) values: Vec<PathBuf>,
    /// A value, for helm (repeatable)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "For helm")]
    pub(crate) set: Vec<OsString>,
    /// A value that is text, for helm (repeatable)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "For helm")]
    pub(crate) set_string: Vec<OsString>,
    /// The helm to run: 3.8 or later, or 4
    #[arg(
        long,
        value_name = "PATH",
        env = "HELM",
        hide_env_values = true,
        default_value = "helm",
        help_heading = "For helm"
    )]
    pub(crate) helm: PathBuf,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
