//! Arguments of `outhaul app copy`.

use std::path::PathBuf;

use clap::Args;

use super::{AccessArgs, RegistryKindArg, pull_address};

#[derive(Debug, Args)]
pub(crate) struct AppCopyArgs {
    /// Chart of the export: `[oci://]HOST/PATH/NAME[:VERSION][@DIGEST]` or
    /// `DESTINATION/NAME[:VERSION][@DIGEST]`, the newest version if none is named; with `--from`,
    /// `NAME[:VERSION][@DIGEST]`
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Where to: a destination's name, or an address
    #[arg(value_name = "NAME|URL", required_unless_present = "to", conflicts_with = "to")]
    pub(crate) destination: Option<String>,
    /// What the registry is, where its host's name does not tell
    #[arg(long, value_enum, default_value_t, value_name = "KIND", requires = "destination")]
    pub(crate) registry_kind: RegistryKindArg,
    /// Registry for the chart, if it is not to go where the images go: a destination's name, or an
    /// address
    #[arg(long, value_name = "NAME|URL", requires = "destination")]
    pub(crate) chart_registry: Option<String>,
    /// Read the export from this OCI layout instead of a registry
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// OCI layout to copy to: a directory, or a file that ends in `.tar`
    #[arg(long, value_name = "DIR|FILE.tar")]
    pub(crate) to: Option<PathBuf>,
    /// Where clusters find the images, if not where they are copied to: `HOST[:PORT][/PATH]`
    #[arg(long, value_name = "ADDRESS", value_parser = pull_address)]
    pub(crate) pull_address: Option<String>,
    /// Take over a chart repository whose newest chart is another application's
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Show the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
