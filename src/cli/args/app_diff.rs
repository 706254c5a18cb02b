//! Arguments of `outhaul app diff`.

use std::path::PathBuf;

use clap::Args;

use super::{AccessArgs, ContentArgs, MakesNone, PickArgs, ServerArgs, SourceArgs, app_name};

#[derive(Debug, Args)]
pub(crate) struct AppDiffArgs {
    /// Name of an application, of which what runs is compared; or a published version, which has
    /// `:` or `@`: `[oci://]HOST/PATH/NAME:VERSION`, `DESTINATION/NAME:VERSION`, with `--to`
    /// `NAME:VERSION`, each with `@DIGEST`, `@latest` or `@before=TIME` in place of `:VERSION`, too
    #[arg(id = "name", value_name = "NAME|REF", value_parser = subject)]
    pub(crate) subject: String,
    #[command(flatten)]
    pub(crate) pick: PickArgs,
    /// Chart to compare with: `[oci://]HOST/PATH/NAME[:VERSION][@DIGEST]` or
    /// `DESTINATION/NAME[:VERSION][@DIGEST]`, the newest version if none is named; with `--to`,
    /// `NAME[:VERSION][@DIGEST]`; a directory is meant as `--to` [default: the application's own].
    /// Behind a published version, another of it: `VERSION`, `@latest`, `@before=TIME`; or any
    /// other reference
    #[arg(value_name = "REF|VERSION", required_unless_present_any = ["registry", "to"], conflicts_with = "registry")]
    pub(crate) reference: Option<String>,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Registry that the application is exported to: a destination as NAME[/PATH], or an address
    #[arg(short, long, value_name = "NAME|URL")]
    pub(crate) registry: Option<String>,
    /// OCI layout that the application is exported to
    #[arg(long, value_name = "DIR", conflicts_with = "registry")]
    pub(crate) to: Option<PathBuf>,
    /// Name of the chart there [default: <namespace>-<app>-chart]
    #[arg(long, value_name = "NAME", conflicts_with = "reference")]
    pub(crate) chart_name: Option<String>,
    /// Where the dates and times of `@before` are read, as an IANA name such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    #[command(flatten)]
    pub(crate) content: ContentArgs,
    #[command(flatten)]
    pub(crate) at: ServerArgs,
    #[command(flatten)]
    pub(crate) making: MakesNone,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

impl AppDiffArgs {
    /// Whether two published versions are compared, and nothing that runs.
    pub(crate) fn is_of_versions(&self) -> bool {
        is_published(&self.subject)
    }
}

/// The name of no application has these.
fn is_published(text: &str) -> bool {
    text.contains([':', '@'])
}

fn subject(text: &str) -> Result<String, String> {
    if is_published(text) { Ok(text.to_owned()) } else { app_name(text) }
}
