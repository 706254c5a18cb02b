//! Arguments of `outhaul registry …`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::{
    RegistryCreateArgs, RegistryDeleteArgs, RegistryListArgs, RegistryShowArgs, RegistryUpdateArgs,
};
use crate::destination::systems::{System, WriteOptions};

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// List the registries of the cluster, of ioFog's Controller, or of a system's documents
    List(RegistryListArgs),
    /// Show all that is known of one registry
    Show(RegistryShowArgs),
    /// Print a new registry as documents of a system, or make it where `--apply` says
    Create(Box<RegistryCreateArgs>),
    /// Set the mirror of a registry, or change a row of ioFog's Controller
    Update(Box<RegistryUpdateArgs>),
    /// Remove a registry from the cluster or from ioFog's Controller; nothing is asked
    Delete(RegistryDeleteArgs),
    /// Write what one system says of registries as another one's documents
    Convert(RegistryConvertArgs),
    /// Print the policy for tokens that push to Avassa Control Tower's own registry
    Policy,
    /// Say where a system would read an image, and with which credential
    Resolve(RegistryResolveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RegistryConvertArgs {
    #[command(flatten)]
    pub(crate) documents: DocumentsArgs,
    /// Whose documents are written
    #[arg(long, value_name = "FORMAT", value_parser = system())]
    pub(crate) to: System,
    #[command(flatten)]
    pub(crate) written: WrittenArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryResolveArgs {
    #[command(flatten)]
    pub(crate) documents: DocumentsArgs,
    /// The image, as an application of the system names it
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// The registry that the application names beside it (ioFog): its number, `remote` or `local`
    #[arg(long, value_name = "ID")]
    pub(crate) registry_id: Option<String>,
}

/// Documents about registries
#[derive(Debug, Args)]
pub(crate) struct DocumentsArgs {
    /// Whose documents they are
    #[arg(long, value_name = "FORMAT", value_parser = system())]
    pub(crate) from: System,
    /// YAML or JSON, as the system's own tools print it: a file, a directory, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// How documents are written
#[derive(Debug, Args)]
pub(crate) struct WrittenArgs {
    /// Write user names, passwords and tokens, and not placeholders
    #[arg(long)]
    pub(crate) with_secrets: bool,
    /// Namespace of Kubernetes objects [default: the original's, else the system's own]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Vault of secrets that name none (Avassa) [default: registry-credentials]
    #[arg(long, value_name = "NAME")]
    pub(crate) vault: Option<String>,
}

impl WrittenArgs {
    pub(crate) fn options(&self) -> WriteOptions {
        let Self { with_secrets, namespace, vault } = self;
        WriteOptions {
            with_secrets: *with_secrets,
            namespace: namespace.clone(),
            vault: vault.clone(),
        }
    }
}

pub(super) fn system() -> impl TypedValueParser<Value = System> {
    PossibleValuesParser::new(System::ALL.map(System::as_str))
        .try_map(|word| word.parse::<System>())
}
