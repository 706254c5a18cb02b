//! What goes along with an export, and how: what an `Export` and an `ExportSchedule` have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What goes along, and how. Every default is that of the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportOptions {
    /// What the chart is made of.
    #[serde(default)]
    pub chart_from: ChartFrom,
    /// Only these platforms of each image, such as `linux/amd64`. If empty, all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), inner(length(max = 64)))]
    pub platforms: Vec<String>,
    /// Objects to leave out, as `KIND/NAME`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 317), regex(pattern = r"^[^/]+/[^/]+$")))]
    pub exclude: Vec<String>,
    /// Images to leave where they are, as patterns such as `docker.io/*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 512)))]
    pub keep_images: Vec<String>,
    /// Whether the definitions of custom resources come along.
    #[serde(default)]
    pub include_crds: bool,
    /// Whether the chart writes the release's namespace where texts have an address in the
    /// application's.
    #[serde(default)]
    pub rewrite_namespace: bool,
    /// Whether a chart repository of another application is taken over.
    #[serde(default)]
    pub adopt: bool,
    /// Whether a chart is made that is larger than helm takes.
    #[serde(default)]
    pub allow_oversize: bool,
    /// Whether a chart is made that does not give back everything as it runs.
    #[serde(default)]
    pub allow_differences: bool,
    /// Whether it goes on without kinds that cannot be read.
    #[serde(default)]
    pub skip_unreadable: bool,
    /// Whether images are read with the credentials in the application's own pull secrets.
    #[serde(default)]
    pub use_pull_secrets: bool,
    /// What happens to Jobs that nothing owns.
    #[serde(default)]
    pub jobs: Jobs,
    /// How long to wait at most until the application is rolled out, such as `90s` or `10m`. If
    /// absent, it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8), regex(pattern = r"^[0-9]+(s|m|h)$"))]
    pub wait_rollout: Option<String>,
    /// Severities and codes of findings that stop the export before anything is pushed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(max = 64)))]
    pub fail_on: Vec<String>,
    /// Codes of findings that do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 64)))]
    pub accept: Vec<String>,
    /// Whether the report is attached to the chart.
    #[serde(default = "yes")]
    pub attach_report: bool,
}

/// What a chart is made of: the objects as they run, or the original chart of the Helm release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChartFrom {
    /// The objects as they run.
    #[default]
    Live,
    /// The original chart of the Helm release, where that can be rebuilt, else the objects.
    Release,
}

/// What an export does with Jobs that nothing owns: leave them out, or let the chart run them after
/// each install and upgrade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Jobs {
    /// Leave them out.
    #[default]
    Skip,
    /// Let the chart run them.
    Hook,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            chart_from: ChartFrom::default(),
            platforms: Vec::new(),
            exclude: Vec::new(),
            keep_images: Vec::new(),
            include_crds: false,
            rewrite_namespace: false,
            adopt: false,
            allow_oversize: false,
            allow_differences: false,
            skip_unreadable: false,
            use_pull_secrets: false,
            jobs: Jobs::default(),
            wait_rollout: None,
            fail_on: Vec::new(),
            accept: Vec::new(),
            attach_report: true,
        }
    }
}

fn yes() -> bool {
    true
}
