//! Arguments of `outhaul verify`.

use std::path::PathBuf;

use clap::Args;

use super::AccessArgs;

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Chart of the export: `[oci://]HOST/PATH/NAME[:VERSION][@DIGEST]` or
    /// `DESTINATION/NAME[:VERSION][@DIGEST]`, the newest version if none is named; with `--from`,
    /// `NAME[:VERSION][@DIGEST]`
    #[arg(value_name = "REF")]
    pub(crate) reference: String,
    /// Read the export from this OCI layout instead of a registry
    #[arg(long, value_name = "DIR")]
    pub(crate) from: Option<PathBuf>,
    /// Read every byte and compare digests, instead of asking whether blobs are there
    #[arg(long)]
    pub(crate) deep: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
