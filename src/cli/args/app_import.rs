//! Arguments of `outhaul app import`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::AccessArgs;
use crate::registry::RepositoryName;

/// Heading of the flags for a whole namespace.
const HISTORY: &str = "A whole namespace";

#[derive(Debug, Args)]
pub(crate) struct AppImportArgs {
    /// Chart to import: `[oci://]HOST/PATH/NAME[:VERSION][@DIGEST]` or
    /// `DESTINATION/NAME[:VERSION][@DIGEST]`, the newest version if none is named; with `--from`,
    /// `NAME[:VERSION][@DIGEST]`. In place of a version and a digest, `@latest` means the newest
    /// export, and `@before=TIME` the one that was in force then: RFC 3339, or a date with or
    /// without a time of day
    #[arg(value_name = "REF", required_unless_present = "all", conflicts_with = "all")]
    pub(crate) reference: Option<String>,
    /// Restore every application of a namespace, as the registry has them
    #[arg(long, requires = "from_history", requires = "namespace", help_heading = HISTORY)]
    pub(crate) all: bool,
    /// With `--all`: the destination that they were exported to, by name or address
    #[arg(long, value_name = "DESTINATION", requires = "all", help_heading = HISTORY)]
    pub(crate) from_history: Option<String>,
    /// With `--all`: uid of the cluster that they were exported from [default: the only one]
    #[arg(long, value_name = "UID", requires = "all", help_heading = HISTORY)]
    pub(crate) cluster: Option<String>,
    /// With `--all`: the versions in force at this time [default: the newest]
    #[arg(long, value_name = "TIME", requires = "all", help_heading = HISTORY)]
    pub(crate) before: Option<String>,
    /// With `--all`: a chart's name, where the registry does not list what it has (repeatable)
    #[arg(long, value_name = "NAME", requires = "all", help_heading = HISTORY)]
    pub(crate) chart: Vec<RepositoryName>,
    /// With `--all`: namespace to install to [default: the one that they were exported from]
    #[arg(long, value_name = "NAMESPACE", requires = "all", help_heading = HISTORY)]
    pub(crate) to_namespace: Option<String>,
    /// Read the chart from this OCI layout; its images must be in a registry all the same
    #[arg(long, value_name = "DIR", conflicts_with = "all")]
    pub(crate) from: Option<PathBuf>,
    /// Where the dates and times of `@before` are read, as an IANA name such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// Namespace to install to [default: the kubeconfig's]; with `--all`, the one that was exported
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Name of the release [default: the application's name]
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub(crate) release: Option<String>,
    /// Make the namespace if it does not exist
    #[arg(long)]
    pub(crate) create_namespace: bool,
    /// Make a pull secret of this name from the credentials for the images, and use it
    #[arg(long, value_name = "NAME")]
    pub(crate) pull_secret: Option<String>,
    /// File with the identity of age (`AGE-SECRET-KEY-1…`) that opens the chart's secrets.age:
    /// apply its Secrets first
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// File with values, for helm (repeatable)
    #[arg(short = 'f', long, value_name = "FILE", help_heading = "For helm")]
    pub(crate) values: Vec<PathBuf>,
    /// A value, for helm (repeatable)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "For helm")]
    pub(crate) set: Vec<OsString>,
    /// A value that is text, for helm (repeatable)
    #[arg(long, value_name = "KEY=VALUE", help_heading = "For helm")]
    pub(crate) set_string: Vec<OsString>,
    /// Let the release take over objects that exist (helm 3.17 or later)
    #[arg(long, help_heading = "For helm")]
    pub(crate) take_ownership: bool,
    /// Wait until everything is ready
    #[arg(long, help_heading = "For helm")]
    pub(crate) wait: bool,
    /// How long helm may wait, such as 5m0s
    #[arg(long, value_name = "DURATION", help_heading = "For helm")]
    pub(crate) timeout: Option<OsString>,
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
    /// Install although the target is not ready
    #[arg(long)]
    pub(crate) skip_checks: bool,
    /// Show the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
