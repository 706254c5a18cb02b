//! Arguments of `outhaul run-export`, which the server starts in Jobs.

use std::path::PathBuf;

use clap::Args;

use super::LogFormat;

#[derive(Debug, Args)]
pub(crate) struct RunExportArgs {
    /// Namespace of the Export
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) namespace: String,
    /// Name of the Export
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// Its uid
    #[arg(long, value_name = "UID")]
    pub(crate) uid: String,
    /// Number of the attempt
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempt: u32,
    /// Host of the cluster's own surroundings of which images are read all the same (repeatable)
    #[arg(long, value_name = "HOST")]
    pub(crate) local_source: Vec<String>,
    /// Where Kubernetes reads a container's last words
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/dev/termination-log",
        env = "OUTHAUL_TERMINATION_LOG"
    )]
    pub(crate) termination_log: PathBuf,
    /// Form of the log on standard error
    #[arg(long, value_enum, default_value_t, env = "OUTHAUL_LOG_FORMAT")]
    pub(crate) log: LogFormat,
}
