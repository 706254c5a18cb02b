//! Arguments of `outhaul export list|show|cancel`.

use clap::{Args, Subcommand, ValueEnum};

use super::RemoteArgs;
use crate::cluster::record::Phase;

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// List the exports of a namespace
    List(ExportListArgs),
    /// Show how far an export is, and what it did
    Show(ExportOneArgs),
    /// Cancel an export that waits or runs
    Cancel(ExportOneArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExportListArgs {
    /// Namespace of the exports [default: the kubeconfig's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Those of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
    /// Only those of this application
    #[arg(long, value_name = "NAME")]
    pub(crate) app: Option<String>,
    /// Only those to this destination
    #[arg(short, long, value_name = "NAME")]
    pub(crate) registry: Option<String>,
    /// Only those that are so far
    #[arg(long, value_enum, value_name = "PHASE")]
    pub(crate) phase: Option<PhaseArg>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExportOneArgs {
    /// Name of the export
    pub(crate) name: String,
    /// Namespace of the export [default: the kubeconfig's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// How far an export is
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PhaseArg {
    /// It waits for its turn
    Pending,
    /// It runs
    Running,
    /// It is done
    Succeeded,
    /// It could not be done
    Failed,
    /// Somebody cancelled it
    Cancelled,
}

impl From<PhaseArg> for Phase {
    fn from(arg: PhaseArg) -> Self {
        match arg {
            PhaseArg::Pending => Self::Pending,
            PhaseArg::Running => Self::Running,
            PhaseArg::Succeeded => Self::Succeeded,
            PhaseArg::Failed => Self::Failed,
            PhaseArg::Cancelled => Self::Cancelled,
        }
    }
}
