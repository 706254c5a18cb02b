//! Arguments of `outhaul app export`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{
    AccessArgs, ContentArgs, EmitArgs, FindingsArgs, PickArgs, RecipientArgs, ServerArgs,
    SourceArgs, app_name, pull_address,
};
use crate::app::SecretsPolicy;
use crate::export::request::ChartFrom;
use crate::export::rollout::LONGEST_WAIT;
use crate::registry::quirks::Vendor;

const SERVER: &str = "On the server";

#[derive(Debug, Args)]
pub(crate) struct AppExportArgs {
    /// Name of the application
    #[arg(value_parser = app_name, required_unless_present = "all_apps")]
    pub(crate) name: Option<String>,
    /// Export every application of the namespace that `app list` shows, each under its own name
    #[arg(long, conflicts_with_all = ["name", "selector", "all", "chart_name", "image_name"])]
    pub(crate) all_apps: bool,
    /// Leave this application out (repeatable)
    #[arg(long, value_name = "NAME", requires = "all_apps")]
    pub(crate) exclude_app: Vec<String>,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
    /// Directory to export to, as `--to`
    #[arg(value_name = "DIRECTORY", conflicts_with = "to")]
    pub(crate) directory: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Registry to export to: a destination as NAME[/PATH], or an address
    #[arg(short, long, value_name = "NAME|URL")]
    pub(crate) registry: Option<String>,
    /// What the registry is, where its host's name does not tell
    #[arg(long, value_enum, default_value_t, value_name = "KIND", requires = "registry")]
    pub(crate) registry_kind: RegistryKindArg,
    /// Registry for the chart, if it is not to go where the images go: a destination's name, or an
    /// address
    #[arg(long, value_name = "NAME|URL", requires = "registry")]
    pub(crate) chart_registry: Option<String>,
    /// OCI layout to export to: a directory, or a file that ends in `.tar`
    #[arg(long, value_name = "DIR|FILE.tar")]
    pub(crate) to: Option<PathBuf>,
    /// Where clusters find the images, if not where they are pushed to: `HOST[:PORT][/PATH]`
    #[arg(long, value_name = "ADDRESS", value_parser = pull_address)]
    pub(crate) pull_address: Option<String>,
    /// What the chart is made of
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) chart_from: ChartFromArg,
    /// Name of the chart [default: <namespace>-<app>-chart]
    #[arg(long, value_name = "NAME", help_heading = "Names")]
    pub(crate) chart_name: Option<String>,
    /// Version of the chart [default: the time, as YYYY.MDD.HMMSS]
    #[arg(long, value_name = "VERSION", help_heading = "Names")]
    pub(crate) chart_version: Option<String>,
    /// Repository of the images [default: <namespace>-<app>-image]
    #[arg(long, value_name = "NAME", help_heading = "Names")]
    pub(crate) image_name: Option<String>,
    /// Further tag for the image; `KEY-TAG` for each where there are several
    #[arg(long, value_name = "TAG", help_heading = "Names")]
    pub(crate) image_tag: Option<String>,
    /// What to do with the values of Secrets
    #[arg(long, value_enum, default_value_t)]
    pub(crate) secrets: SecretsArg,
    #[command(flatten)]
    pub(crate) recipients: RecipientArgs,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    /// Take over a chart repository whose newest chart is another application's
    #[arg(long)]
    pub(crate) adopt: bool,
    /// Directory with README.md.hbs or NOTES.txt.hbs, templates for the texts of the chart
    #[arg(long, value_name = "DIR")]
    pub(crate) templates: Option<PathBuf>,
    /// Make the chart although it is larger than helm takes
    #[arg(long)]
    pub(crate) allow_oversize: bool,
    /// Export although the chart does not render everything as it runs; the report says what
    #[arg(long)]
    pub(crate) allow_differences: bool,
    /// Wait until the application is rolled out, such as 90s or 10m [default with the flag: 10m]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true,
        default_missing_value = "10m", value_parser = wait, conflicts_with = "from")]
    pub(crate) wait_rollout: Option<Duration>,
    /// Go on although the namespace is being deleted
    #[arg(long)]
    pub(crate) allow_terminating: bool,
    /// Do not attach the report to the chart as a referrer
    #[arg(long)]
    pub(crate) no_attach_report: bool,
    #[command(flatten)]
    pub(crate) at: ServerArgs,
    /// Let the server in the cluster do it without speaking to it: make an `Export` there with your
    /// kubeconfig, and wait for its end
    #[arg(long, help_heading = SERVER, conflicts_with_all = [
        "all_apps", "from", "to", "directory", "pull_address", "registry_kind", "chart_registry", "templates", "age_recipient",
        "age_recipients_file", "map_registry", "allow_terminating", "dry_run", "username",
        "plain_http", "server", "emit",
    ])]
    pub(crate) in_cluster: bool,
    /// Service account of the application's namespace whose rights the export has, for clusters
    /// without the admission policy
    #[arg(long, value_name = "NAME", requires = "in_cluster", help_heading = SERVER)]
    pub(crate) service_account: Option<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) emit: EmitArgs,
    #[command(flatten)]
    pub(crate) findings: FindingsArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Kinds of registries that an export treats in a way of their own
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RegistryKindArg {
    /// As its host's name or its answers say
    #[default]
    Auto,
    /// Avassa Control Tower's own registry
    Avassa,
    /// JFrog Artifactory
    Artifactory,
}

impl RegistryKindArg {
    /// The vendor, if one is named.
    pub(crate) fn vendor(self) -> Option<Vendor> {
        match self {
            Self::Auto => None,
            Self::Avassa => Some(Vendor::ControlTower),
            Self::Artifactory => Some(Vendor::Artifactory),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum SecretsArg {
    /// Read none; the chart refers to Secrets that must exist where it is installed
    #[default]
    Reference,
    /// Read the keys; the chart asks for each value at install
    Require,
    /// Put the values into the chart, encrypted with age
    Encrypt,
    /// Put the values into the chart, in clear
    Include,
}

/// What a chart is made of
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChartFromArg {
    /// The objects as they run
    #[default]
    Live,
    /// The original chart of the Helm release, with pinned images; `live` where that cannot be
    /// rebuilt
    Release,
}

impl From<SecretsArg> for SecretsPolicy {
    fn from(arg: SecretsArg) -> Self {
        match arg {
            SecretsArg::Reference => Self::Reference,
            SecretsArg::Require => Self::Require,
            SecretsArg::Encrypt => Self::Encrypt,
            SecretsArg::Include => Self::Include,
        }
    }
}

impl From<ChartFromArg> for ChartFrom {
    fn from(arg: ChartFromArg) -> Self {
        match arg {
            ChartFromArg::Live => Self::Live,
            ChartFromArg::Release => Self::Release,
        }
    }
}

/// A time to wait: more than nothing, and not without end.
pub(super) fn wait(text: &str) -> Result<Duration, String> {
    let time = text.parse::<jiff::SignedDuration>().map_err(|error| error.to_string())?;
    let time = Duration::try_from(time).unwrap_or_default();
    if time.is_zero() || time > LONGEST_WAIT {
        return Err(format!("it must be between 1s and {}h", LONGEST_WAIT.as_secs() / 3600));
    }
    Ok(time)
}
