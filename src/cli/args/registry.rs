//! Arguments of `outhaul registry …`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use crate::destination::iofog::LAST_ID;
use crate::destination::systems::{System, WriteOptions};

#[derive(Debug, Subcommand)]
pub(crate) enum RegistryCommand {
    /// List the registries that a system's documents describe
    List(RegistryListArgs),
    /// Print a new registry as documents of a system; nothing is changed
    Create(Box<RegistryCreateArgs>),
    /// Write what one system says of registries as another one's documents
    Convert(RegistryConvertArgs),
    /// Print the policy for tokens that push to Avassa Control Tower's own registry
    Policy,
    /// Say where a system would read an image, and with which credential
    Resolve(RegistryResolveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RegistryListArgs {
    #[command(flatten)]
    pub(crate) documents: DocumentsArgs,
    /// Print a table in place of JSON, as `edgectl` does
    #[arg(short, long)]
    pub(crate) table: bool,
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

#[derive(Debug, Args)]
pub(crate) struct RegistryCreateArgs {
    /// Where the registry is: `[http[s]://]HOST[:PORT]`
    #[arg(long)]
    pub(crate) url: String,
    /// User name; for keys of Google it is `_json_key`
    #[arg(long, default_value = "")]
    pub(crate) username: String,
    /// Password. Lists of processes show it: better is `--password-stdin`
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) password: Option<String>,
    /// Read the password from standard input; a JSON key of several lines is one
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// E-mail address of the account, which ioFog's Controller asks for
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Nobody has to log in: credentials are kept, and not used
    #[arg(long)]
    pub(crate) public: bool,
    /// The registry's certificate is needed, which `--cert` has
    #[arg(long)]
    pub(crate) requires_cert: bool,
    /// Certificates in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// Number of the row in ioFog, where it has one: 1 and 2 are ioFog's own
    #[arg(long, value_parser = clap::value_parser!(u32).range(3..=i64::from(LAST_ID)))]
    pub(crate) id: Option<u32>,
    /// Name of the Kubernetes object [default: made of the host]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Whose documents are printed
    #[arg(long, value_name = "FORMAT", value_parser = system(), default_value = "epinio")]
    pub(crate) format: System,
    #[command(flatten)]
    pub(crate) written: WrittenArgs,
    /// Show the new row as JSON, as `edgectl -j` does
    #[arg(short, long)]
    pub(crate) json: bool,
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

fn system() -> impl TypedValueParser<Value = System> {
    PossibleValuesParser::new(System::ALL.map(System::as_str))
        .try_map(|word| word.parse::<System>())
}
