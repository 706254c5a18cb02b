//! What can be typed. Nothing here acts; each command turns its arguments into a request.

mod app_copy;
mod app_diff;
mod app_export;
mod app_history;
mod app_import;
mod charts;
mod content;
mod controller;
mod drill;
mod emit;
mod export;
mod findings;
mod keep;
mod prune;
mod registry;
mod registry_rows;
mod remote;
mod run_export;
mod schedule;
mod serve;
mod verify;

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum,
};

use crate::destination::eda;
use crate::registry::{Host, Platform, RepositoryName};

pub(crate) use app_copy::AppCopyArgs;
pub(crate) use app_diff::AppDiffArgs;
pub(crate) use app_export::{AppExportArgs, RegistryKindArg, SecretsArg};
pub(crate) use app_history::{AppHistoryArgs, AppPinArgs};
pub(crate) use app_import::AppImportArgs;
pub(crate) use charts::ChartsArgs;
pub(crate) use content::ContentArgs;
pub(crate) use controller::ControllerArgs;
pub(crate) use drill::DrillArgs;
pub(crate) use emit::EmitArgs;
pub(crate) use export::{ExportCommand, ExportListArgs, ExportOneArgs};
pub(crate) use findings::FindingsArgs;
pub(crate) use keep::KeepArgs;
pub(crate) use prune::PruneArgs;
pub(crate) use registry::{
    DocumentsArgs, RegistryCommand, RegistryConvertArgs, RegistryResolveArgs, WrittenArgs,
};
pub(crate) use registry_rows::{
    Apply, PasswordArgs, PlaceArgs, RegistryCreateArgs, RegistryDeleteArgs, RegistryListArgs,
    RegistryShowArgs, RegistryUpdateArgs, RowFieldsArgs,
};
pub(crate) use remote::{MakesNone, RemoteArgs, ServerArgs};
pub(crate) use run_export::RunExportArgs;
pub(crate) use schedule::{
    HowArgs, ScheduleCommand, ScheduleCreateArgs, ScheduleListArgs, ScheduleOneArgs,
    SchedulePreviewArgs, ScheduleRunArgs, ScheduledArgs, WhenArgs,
};
pub(crate) use serve::{Environment, EpinioUsers, ExecutorArg, LogFormat, ServeArgs};
pub(crate) use verify::VerifyArgs;

/// Ship a running Kubernetes application to any OCI registry as one Helm chart pinned by digest
/// to its images
#[derive(Debug, Parser)]
#[command(name = "outhaul", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Path of the kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the pod's own account]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Namespace with the destinations' Secrets [default: outhaul-system, else epinio]
    #[arg(long, global = true, value_name = "NAMESPACE", env = "OUTHAUL_SYSTEM_NAMESPACE")]
    pub(crate) system_namespace: Option<String>,
    /// Namespace of Nokia EDA's registries in the cluster; of those in files: this one alone
    /// [default: eda-system]
    #[arg(long, global = true, value_name = "NAMESPACE", env = "OUTHAUL_EDA_NAMESPACE")]
    pub(crate) eda_namespace: Option<String>,
    /// Read the destinations from files instead of the cluster: labelled Secrets, and what Nokia EDA,
    /// Avassa, ioFog and edgelet say of registries
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) destinations: Option<PathBuf>,
    /// Format of the data on standard output
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub(crate) output: Format,
    /// Say nothing but errors and data
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Log what is done (twice: every request)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Arguments of the command that stand on its line, and are not of the environment.
    #[arg(skip)]
    pub(crate) typed: BTreeSet<String>,
}

impl Cli {
    /// The arguments of this process.
    ///
    /// # Errors
    /// When they are wrong, or help or the version is asked for.
    pub(crate) fn of_process() -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches()?;
        let mut cli = Self::from_arg_matches(&matches)?;
        cli.global.typed = typed(&matches);
        Ok(cli)
    }
}

/// What is typed of the innermost command, which has the global flags as well.
fn typed(matches: &ArgMatches) -> BTreeSet<String> {
    if let Some((_, inner)) = matches.subcommand() {
        return typed(inner);
    }
    let is_typed = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    matches.ids().map(clap::Id::as_str).filter(is_typed).map(str::to_owned).collect()
}

impl Global {
    /// Whether an argument of the command, by its name in the code, stands on its line.
    pub(crate) fn is_typed(&self, argument: &str) -> bool {
        self.typed.contains(argument)
    }

    /// Where Nokia EDA's registries are sought in the cluster.
    pub(crate) fn eda_namespace(&self) -> &str {
        self.eda_namespace.as_deref().unwrap_or(eda::NAMESPACE)
    }
}

/// How data is printed
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Applications: list, show, export, copy, import
    #[command(subcommand, visible_alias = "apps")]
    App(AppCommand),
    /// Exports that a server carries out: list, show, cancel
    #[command(subcommand, visible_alias = "exports")]
    Export(ExportCommand),
    /// Exports at times of the clock, and which of them stay
    #[command(subcommand, visible_alias = "schedules")]
    Schedule(ScheduleCommand),
    /// List the registries that exports may go to
    ExportRegistries(ExportRegistriesArgs),
    /// What Nokia EDA, Avassa, ioFog and Epinio say of registries: list, convert, resolve
    #[command(subcommand, visible_alias = "registries")]
    Registry(RegistryCommand),
    /// Copy an image with all its platforms and signatures
    Copy(CopyArgs),
    /// Check that a published export is whole, from the registries alone
    Verify(VerifyArgs),
    /// Delete published versions that no rule keeps, and the images that nothing needs then
    Prune(PruneArgs),
    /// Restore an export into a scratch namespace, see whether it comes up, and remove it
    Drill(Box<DrillArgs>),
    /// Serve the cluster's applications over HTTP, to many users
    Serve(Box<ServeArgs>),
    /// Carry out one attempt at an export of the server
    #[command(hide = true)]
    RunExport(RunExportArgs),
    /// OCI layouts: images and charts in a directory
    #[command(subcommand)]
    Layout(LayoutCommand),
    /// Export a small example application to a registry in this process
    Demo(DemoArgs),
    /// Names for a shell's completion
    #[command(hide = true)]
    Complete(CompleteArgs),
    /// Print a shell completion script
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AppCommand {
    /// List the applications of a namespace
    List(AppListArgs),
    /// Show what an export of an application would hold
    Show(AppShowArgs),
    /// Export an application as a Helm chart and its images
    Export(Box<AppExportArgs>),
    /// Copy a published export, chart and images, to another registry or layout
    Copy(AppCopyArgs),
    /// Show what has changed since a chart was published, or between two versions
    Diff(Box<AppDiffArgs>),
    /// List the published versions of an application, from the registry alone
    History(AppHistoryArgs),
    /// Keep a published version, whatever schedules and `prune` say
    Pin(AppPinArgs),
    /// Let rules decide about a version again
    Unpin(AppPinArgs),
    /// Install a published export in a cluster with your helm, and check the cluster first
    Import(Box<AppImportArgs>),
}

/// Where the application is read
#[derive(Debug, Args)]
pub(crate) struct SourceArgs {
    /// Namespace of the application [default: the kubeconfig's]
    #[arg(short, long)]
    pub(crate) namespace: Option<String>,
    /// Read manifests (file, directory, or `-`) or a saved snapshot instead of the cluster
    #[arg(long, value_name = "PATH")]
    pub(crate) from: Option<PathBuf>,
    /// Go on although some kinds could not be read
    #[arg(long)]
    pub(crate) skip_unreadable: bool,
}

/// Which application
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    /// Name of the application
    #[arg(value_parser = app_name)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
}

/// Which objects of it
#[derive(Debug, Args)]
pub(crate) struct PickArgs {
    /// Take what these labels select, under this name
    #[arg(short = 'l', long, value_name = "LABELS", conflicts_with = "all")]
    pub(crate) selector: Option<String>,
    /// Take the whole namespace, under this name
    #[arg(long)]
    pub(crate) all: bool,
    /// Leave this object out (repeatable)
    #[arg(long, value_name = "KIND/NAME", value_parser = kind_and_name)]
    pub(crate) exclude: Vec<(String, String)>,
    /// Bring the definitions of the application's custom resources along, in `crds/`
    #[arg(long)]
    pub(crate) include_crds: bool,
}

impl PickArgs {
    /// Which of the flags are given.
    pub(crate) fn given(&self) -> [(bool, &'static str); 4] {
        [
            (self.selector.is_some(), "--selector"),
            (self.all, "--all"),
            (!self.exclude.is_empty(), "--exclude"),
            (self.include_crds, "--include-crds"),
        ]
    }
}

#[derive(Debug, Args)]
pub(crate) struct AppListArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AppShowArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Write the snapshot that was read, without Secret values, to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) save_snapshot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// For whom Secrets are encrypted. Plain text until they are read: what is mistaken for a recipient
/// may be a secret key, and what does not parse is printed.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RecipientArgs {
    /// With `--secrets encrypt`: public key of age that can decrypt, `age1…` (repeatable)
    /// [default: those of the destination]
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) age_recipient: Vec<String>,
    /// The same from a file, one a line (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(crate) age_recipients_file: Vec<PathBuf>,
}

/// How to speak to a registry that is given by address
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Registry given by address")]
pub(crate) struct AccessArgs {
    /// User name at the destination [default: from the Docker configuration]
    #[arg(long, value_name = "USER", requires = "password_stdin")]
    pub(crate) username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,
    /// Further certificate authorities, PEM, for every registry and server of this command
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Speak HTTP without TLS (a registry on this machine needs no flag)
    #[arg(long)]
    pub(crate) plain_http: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportRegistriesArgs {
    /// Connect to each and say what may be done there
    #[arg(long)]
    pub(crate) check: bool,
    /// With `--server`: show what applications of this namespace may be exported to
    #[arg(short, long, requires = "server")]
    pub(crate) namespace: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// Image to copy: `HOST/REPOSITORY[:TAG][@DIGEST]`
    #[arg(required_unless_present = "from_file")]
    pub(crate) source: Option<String>,
    /// Where to: `HOST/REPOSITORY[:TAG]`
    #[arg(required_unless_present = "from_file")]
    pub(crate) destination: Option<String>,
    /// Copy the images of a list, one reference a line, or of manifests of Nokia EDA: a file, a directory, or `-`
    #[arg(long, value_name = "LIST", requires = "to_host", conflicts_with = "source")]
    pub(crate) from_file: Option<PathBuf>,
    /// Mirror of the listed images: the host alone is exchanged, repositories and tags stay
    #[arg(long, value_name = "HOST", requires = "from_file")]
    pub(crate) to_host: Option<String>,
    /// Only this platform, as os/arch[/variant] (repeatable)
    #[arg(long, value_name = "PLATFORM", value_parser = platform)]
    pub(crate) platform: Vec<Platform>,
    /// Leave signatures and other referrers behind
    #[arg(long)]
    pub(crate) no_signatures: bool,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LayoutCommand {
    /// Serve a layout as a registry, for pull and push
    Serve(LayoutServeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LayoutServeArgs {
    /// The layout's directory; made if it does not exist
    pub(crate) directory: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    pub(crate) listen: std::net::SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Address of the demo's registry; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Go on serving the result until Ctrl-C [default: on a terminal]
    #[arg(long)]
    pub(crate) serve: bool,
}

/// What is typed so far, as a shell has it
#[derive(Debug, Args)]
pub(crate) struct CompleteArgs {
    /// The line up to the cursor
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    pub(crate) line: Option<String>,
    /// The words up to the cursor, the one that is typed the last
    #[arg(last = true)]
    pub(crate) words: Vec<String>,
}

fn platform(text: &str) -> Result<Platform, String> {
    Platform::try_from(text.to_owned()).map_err(|error| error.to_string())
}

fn pull_address(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let (host, path) = text.split_once('/').unwrap_or((text, ""));
    host.parse::<Host>().map_err(|error| error.to_string())?;
    if !path.is_empty() {
        path.parse::<RepositoryName>().map_err(|error| error.to_string())?;
    }
    Ok(text.to_owned())
}

/// As a label's value: letters and digits at both ends.
fn app_name(text: &str) -> Result<String, String> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let ends = [text.bytes().next(), text.bytes().next_back()];
    let ends_well = ends.iter().all(|b| b.is_some_and(|b| b.is_ascii_alphanumeric()));
    if ends_well && text.bytes().all(inner) {
        Ok(text.to_owned())
    } else {
        Err("a name has letters, digits, `-`, `_` and `.`, as a label's value".to_owned())
    }
}

fn kind_and_name(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => {
            Ok((kind.to_owned(), name.to_owned()))
        }
        _ => Err("it must be KIND/NAME, such as ConfigMap/web".to_owned()),
    }
}
