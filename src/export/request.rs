//! What a door asks for. CLI, API and schedules all build this one type.

use std::time::Duration;

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::app::{Options, SecretsPolicy, Selection};
use crate::chart::Templates;
use crate::destination::Recipient;
use crate::registry::Platform;

use super::{Emit, Gate};

/// One export, as asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Which application.
    pub selection: Selection,
    /// In which namespace; `None`: the source's own default.
    pub namespace: Option<String>,
    /// What to leave out.
    #[serde(default)]
    pub options: Options,
    /// What to do with Secrets.
    #[serde(default)]
    pub secrets: SecretsPolicy,
    /// Templates of the user's for the chart's texts.
    #[serde(default)]
    pub templates: Templates,
    /// For whom Secrets are encrypted; empty: for the destination's recipients.
    #[serde(default)]
    pub recipients: Vec<Recipient>,
    /// What the chart is made of.
    #[serde(default)]
    pub chart_from: ChartFrom,
    /// Names that the user chose.
    #[serde(default)]
    pub names: ChosenNames,
    /// Only these platforms of each image; empty: all.
    #[serde(default)]
    pub platforms: Vec<Platform>,
    /// Whether helm's record of the release may be read, which is a Secret.
    #[serde(default = "yes")]
    pub release_record: bool,
    /// A version that moves to this content, beside the one that never does.
    #[serde(default)]
    pub moving: Option<Version>,
    /// Take over a chart repository whose newest chart has another origin.
    #[serde(default)]
    pub adopt: bool,
    /// Make the chart although helm cannot take one of its size.
    #[serde(default)]
    pub allow_oversize: bool,
    /// Go on although some kinds could not be read.
    #[serde(default)]
    pub skip_unreadable: bool,
    /// Export although the chart does not give back everything as it ran; the report says what.
    #[serde(default)]
    pub allow_differences: bool,
    /// Go on although the namespace is being deleted.
    #[serde(default)]
    pub allow_terminating: bool,
    /// How long to wait until the application is rolled out, at most
    /// [`super::rollout::LONGEST_WAIT`]; `None`: not at all.
    #[serde(default)]
    pub wait_rollout: Option<Duration>,
    /// Which findings stop the export before anything is pushed.
    #[serde(default)]
    pub gate: Gate,
    /// Which other systems are told of the export.
    #[serde(skip)]
    pub emit: Vec<Emit>,
    /// The run of a schedule that this is; `None`: somebody asked by hand.
    #[serde(default)]
    pub scheduled: Option<ScheduledRun>,
}

/// A run of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledRun {
    /// Namespace of the schedule.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When the run was due.
    pub due: Timestamp,
    /// Whether there is a new version even if nothing has changed.
    pub even_if_unchanged: bool,
}

/// What a chart is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChartFrom {
    /// The objects as they run.
    #[default]
    Live,
    /// The original chart of the Helm release, where that can be rebuilt, else the objects.
    Release,
}

/// Names that the user chose instead of the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChosenNames {
    /// Name of the chart and of its repository.
    pub chart_name: Option<String>,
    /// Version of the chart.
    pub chart_version: Option<String>,
    /// Name of the images' repository.
    pub image_name: Option<String>,
    /// A further tag for the image.
    pub image_tag: Option<String>,
}

const fn yes() -> bool {
    true
}

impl Request {
    /// An export with every default.
    pub fn named(selection: Selection, namespace: Option<String>) -> Self {
        Self {
            selection,
            namespace,
            options: Options::default(),
            secrets: SecretsPolicy::default(),
            templates: Templates::default(),
            recipients: Vec::new(),
            chart_from: ChartFrom::default(),
            names: ChosenNames::default(),
            platforms: Vec::new(),
            release_record: true,
            moving: None,
            adopt: false,
            allow_oversize: false,
            skip_unreadable: false,
            allow_differences: false,
            allow_terminating: false,
            wait_rollout: None,
            gate: Gate::default(),
            emit: Vec::new(),
            scheduled: None,
        }
    }
}
