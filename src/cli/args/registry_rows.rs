//! Arguments of the commands that read, make, change and remove rows, in the words of `edgectl`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::registry::system;
use super::{ControllerArgs, WrittenArgs};
use crate::destination::iofog::LAST_ID;
use crate::destination::systems::{System, is_subdomain};

#[derive(Debug, Args)]
pub(crate) struct RegistryListArgs {
    /// Namespace of Kubernetes objects [default: the one with the destinations; eda-system]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Print a table in place of JSON, as `edgectl` does
    #[arg(short, long)]
    pub(crate) table: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryShowArgs {
    /// Its id (a number, `remote` or `local`), its name, or its address
    #[arg(value_name = "ID|NAME")]
    pub(crate) registry: String,
    /// Namespace of Kubernetes objects [default: the one with the destinations; eda-system]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Print JSON
    #[arg(short, long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryDeleteArgs {
    /// Its id or its name: an address may become another registry's
    #[arg(value_name = "ID|NAME")]
    pub(crate) registry: String,
    /// Namespace of the Secret [default: the one with the destinations]. It is in the cluster, whatever
    /// OUTHAUL_CONTROLLER says
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) controller: ControllerArgs,
}

/// Where registries are read: from documents, from ioFog's Controller, else from the cluster. Flags
/// about a cluster or files on the line are stronger than the variable of the Controller
#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// Read documents, and whose they are
    #[arg(long, value_name = "FORMAT", value_parser = system(), requires = "file")]
    pub(crate) from: Option<System>,
    /// YAML or JSON, as the system's own tools print it: a file, a directory, or `-` for standard input
    #[arg(value_name = "FILE", requires = "from")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) controller: ControllerArgs,
}

/// Where a new registry is made
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Apply {
    /// Nowhere: its documents are printed
    #[default]
    None,
    /// In the cluster: a labelled Secret, or with `--format eda` a Registry of Nokia EDA
    Cluster,
    /// At ioFog's Controller, which gives the id
    Controller,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryCreateArgs {
    /// Where the registry is: `[http[s]://]HOST[:PORT]`
    #[arg(long)]
    pub(crate) url: String,
    /// User name; for keys of Google it is `_json_key`
    #[arg(long, default_value = "")]
    pub(crate) username: String,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
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
    /// Number of the row, where it has one: 1 and 2 are ioFog's own [default: the Controller gives it;
    /// for Secrets with `--apply cluster`, one more than the greatest there]
    #[arg(long, value_parser = clap::value_parser!(u32).range(3..=i64::from(LAST_ID)))]
    pub(crate) id: Option<u32>,
    /// Name of the Kubernetes object [default: made of the host]
    #[arg(long, value_parser = object_name)]
    pub(crate) name: Option<String>,
    /// Whose documents are printed, or made in the cluster [default: epinio]
    #[arg(long, value_name = "FORMAT", value_parser = system())]
    pub(crate) format: Option<System>,
    /// Make the registry
    #[arg(long, value_enum, value_name = "WHERE", default_value_t)]
    pub(crate) apply: Apply,
    #[command(flatten)]
    pub(crate) written: WrittenArgs,
    /// Show the new row as JSON, as `edgectl -j` does
    #[arg(short, long)]
    pub(crate) json: bool,
    /// Show the new row as a table (default)
    #[arg(short, long, conflicts_with = "json")]
    table: bool,
    #[command(flatten)]
    pub(crate) controller: ControllerArgs,
}

/// The registry's password
#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    /// Password. Lists of processes show it: better is `--password-stdin`
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) password: Option<String>,
    /// Read the password from standard input; a JSON key of several lines is one
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryUpdateArgs {
    /// Its id, its name, or its address
    #[arg(value_name = "ID|NAME")]
    pub(crate) registry: String,
    /// Mirror that the system reads from in place of the registry: `HOST[:PORT]`; empty for none
    /// (Nokia EDA, Avassa)
    #[arg(long, value_name = "HOST")]
    pub(crate) mirror: Option<String>,
    #[command(flatten)]
    pub(crate) written: WrittenArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
    #[command(flatten)]
    pub(crate) fields: RowFieldsArgs,
}

/// Fields of a row
#[derive(Debug, Args)]
#[command(next_help_heading = "Fields of a row of ioFog's Controller")]
pub(crate) struct RowFieldsArgs {
    /// Where the registry is
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// User name
    #[arg(long)]
    pub(crate) username: Option<String>,
    #[command(flatten)]
    pub(crate) password: PasswordArgs,
    /// E-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// Nobody has to log in
    #[arg(long, conflicts_with = "private")]
    pub(crate) public: bool,
    /// Credentials are used
    #[arg(long)]
    pub(crate) private: bool,
    /// Whether the registry's certificate is needed
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub(crate) requires_cert: Option<bool>,
    /// Certificates in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
}

/// The API server would refuse another one, and what writes objects would choose one itself.
fn object_name(text: &str) -> Result<String, String> {
    match is_subdomain(text) {
        true => Ok(text.to_owned()),
        false => {
            Err("a name has lower-case letters, digits, `-` and `.`, and a letter or digit at \
                      both ends"
                .to_owned())
        }
    }
}
