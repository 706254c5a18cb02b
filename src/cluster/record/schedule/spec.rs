//! What an `ExportSchedule` asks for. As with `Export`, the API server checks the schema that is made of
//! these types, and their comments are what `kubectl explain` prints.

#![allow(clippy::duplicated_attributes)] // of the printer columns, each of which has a name
#![allow(unreachable_pub, reason = "KubeSchema writes the struct once more inside of a function")]

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::ExportScheduleStatus;
use crate::cluster::record::{ChosenNames, ExportOptions, RequestedBy, SecretsPolicy};

/// Longest jitter, in seconds: a run that begins an hour late is another run.
pub const MAX_JITTER: u32 = 3600;

/// Shortest deadline, in seconds: below it, a change of leaders would lose runs.
pub const MIN_DEADLINE: u32 = 10;

/// Longest deadline, in seconds: the longest time between two runs.
pub const MAX_DEADLINE: u32 = 366 * 24 * 3600;

/// Most versions that one rule of a retention keeps.
pub const MAX_KEPT: u32 = 10_000;

/// Most records of one application that are kept of each kind.
pub const MAX_RECORDS: u32 = 100;

/// When exports are made, of what, and which of them stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    group = "outhaul.dev",
    version = "v1alpha1",
    kind = "ExportSchedule",
    namespaced,
    status = "ExportScheduleStatus",
    derive = "PartialEq",
    doc = "Exports of applications at times of the clock, and which versions of them stay.",
    shortname = "oexs",
    category = "outhaul",
    printcolumn(name = "Schedule", type_ = "string", json_path = ".spec.schedule"),
    printcolumn(name = "Zone", type_ = "string", json_path = ".spec.timeZone"),
    printcolumn(name = "Suspended", type_ = "boolean", json_path = ".spec.suspend"),
    printcolumn(name = "App", type_ = "string", json_path = ".spec.template.app"),
    printcolumn(name = "Destination", type_ = "string", json_path = ".spec.template.destination"),
    printcolumn(name = "Last success", type_ = "date", json_path = ".status.lastSuccessfulTime"),
    printcolumn(name = "Next", type_ = "string", json_path = ".status.nextScheduleTimes[0]"),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Healthy")].reason"#
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        priority = 1
    ),
    validation = Rule::new("size(self.metadata.name) <= 45")
        .message("the name of a schedule has at most 45 characters: those of its exports begin with it")
)]
#[serde(rename_all = "camelCase")]
pub struct ExportScheduleSpec {
    /// When: five fields as in crontab(5), such as `30 2 * * 1-5`, or `@daily`, `@every 6h`.
    #[schemars(length(min = 1, max = 128))]
    pub schedule: String,
    /// By whose clock, as an IANA name such as `Europe/Berlin`.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z][A-Za-z0-9_+/-]*$"))]
    pub time_zone: String,
    /// By up to how many seconds each run begins later, so that not all begin at once.
    #[serde(default)]
    #[schemars(range(max = MAX_JITTER))]
    pub jitter_seconds: u32,
    /// What happens when a run is due while the one before is not at its end.
    #[serde(default)]
    pub concurrency_policy: ConcurrencyPolicy,
    /// How many seconds after it was due a run may begin. If absent, as late as it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = MIN_DEADLINE, max = MAX_DEADLINE))]
    pub starting_deadline_seconds: Option<u32>,
    /// What happens to runs that were missed.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// Whether nothing begins. What runs goes on, and nothing counts as missed.
    #[serde(default)]
    pub suspend: bool,
    /// Whether the first run is due at the creation.
    #[serde(default)]
    pub run_on_create: bool,
    /// Whether an application that has not changed gets no new version.
    #[serde(default = "yes")]
    pub skip_if_unchanged: bool,
    /// Which versions stay. If absent, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
    /// How many finished records stay.
    #[serde(default)]
    pub history_limits: HistoryLimits,
    /// Service account of this namespace whose rights the runs have, where nobody else vouches for who
    /// asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub service_account_name: Option<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<RequestedBy>,
    /// What is exported, where to, and how.
    pub template: Template,
}

/// What is exported: one of `app`, `appSelector` and `namespaceSelector`; where to, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = Rule::new(
        "(has(self.app) ? 1 : 0) + (has(self.appSelector) ? 1 : 0) + \
         (has(self.namespaceSelector) ? 1 : 0) == 1"
    ).message("give one of app, appSelector and namespaceSelector"),
    validation = Rule::new("has(self.app) || !(has(self.selector) || self.all)")
        .message("selector and all say what an app is: give app"),
    validation = Rule::new("!(has(self.selector) && self.all)")
        .message("give either selector or all"),
    validation = Rule::new("!(has(self.namespace) && has(self.namespaceSelector))")
        .message("give either namespace or namespaceSelector"),
    validation = Rule::new("has(self.app) || !has(self.names)")
        .message("names are for one app"),
    validation = Rule::new("!has(self.names) || !has(self.names.chartVersion)")
        .message("each run has a version of its own"),
    validation = Rule::new(
        "!has(self.waitRollout) || (duration(self.waitRollout) > duration('0s') && \
         duration(self.waitRollout) <= duration('24h'))"
    ).message("waitRollout must be between 1s and 24h")
)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Name of the application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")
    )]
    pub app: Option<String>,
    /// Labels of applications, such as `backup=daily,tier!=test`: each that has them is exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub app_selector: Option<String>,
    /// Labels of namespaces: every application in each of them is exported. In the system namespace
    /// only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub namespace_selector: Option<String>,
    /// Namespace of the applications. If absent, that of the schedule; another one in the system
    /// namespace only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub namespace: Option<String>,
    /// Labels that select the objects of `app`. If absent, the name says which they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub selector: Option<String>,
    /// Whether `app` is the whole namespace.
    #[serde(default)]
    pub all: bool,
    /// Name of the destination. An address is none.
    #[schemars(length(max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub destination: String,
    /// What happens to the values of Secrets.
    pub secrets: SecretsPolicy,
    /// Names at the destination, instead of the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<ChosenNames>,
    /// What goes along, and how.
    #[serde(flatten)]
    pub options: ExportOptions,
}

/// What happens when a run is due while the one before of the same application is not at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConcurrencyPolicy {
    /// It waits, until the next one takes its place.
    #[default]
    Forbid,
    /// The one before is cancelled.
    Replace,
    /// Both run.
    Allow,
}

/// What happens to runs that were missed: the latest is made up for, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CatchUp {
    /// The latest is made up for.
    #[default]
    Latest,
    /// None is.
    None,
}

/// Which versions stay: those that one of the rules keeps. A version holds from when it was taken until
/// the next one was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(
    validation = Rule::new(
        "self.keepLast + self.keepHourly + self.keepDaily + self.keepWeekly + self.keepMonthly + \
         self.keepYearly > 0 || has(self.maxAge)"
    ).message("say what stays: keepLast, keepDaily, maxAge or another rule")
)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// So many of the newest.
    #[serde(default)]
    #[schemars(range(max = MAX_KEPT))]
    pub keep_last: u32,
    /// What held at the end of each of so many hours.
    #[serde(default)]
    #[schemars(range(max = MAX_KEPT))]
    pub keep_hourly: u32,
    /// What held at the end of each of so many days.
    #[serde(default)]
    #[schemars(range(max = MAX_KEPT))]
    pub keep_daily: u32,
    /// What held at the end of each of so many weeks, which begin on Monday.
    #[serde(default)]
    #[schemars(range(max = MAX_KEPT))]
    pub keep_weekly: u32,
    /// What held at the end of each of so many months.
    #[serde(default)]
    #[schemars(range(max = MAX_KEPT))]
    pub keep_monthly: u32,
    /// What held at the end of each of so many years.
    #[serde(default)]
    #[schemars(range(max = MAX_KEPT))]
    pub keep_yearly: u32,
    /// What has not held for so long goes, such as `90d`, `12w` or `36h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8), regex(pattern = r"^[1-9][0-9]{0,5}(h|d|w)$"))]
    pub max_age: Option<String>,
    /// So many of the newest stay, whatever their age.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = MAX_KEPT))]
    pub min_successful: u32,
    /// Whether versions that no schedule made may go as well.
    #[serde(default)]
    pub include_manual: bool,
    /// Whether nothing is removed: it is only said what would be.
    #[serde(default)]
    pub dry_run: bool,
}

/// How many finished records of each application stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryLimits {
    /// Of those that succeeded.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = MAX_RECORDS))]
    pub successful: u32,
    /// Of those that failed.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = MAX_RECORDS))]
    pub failed: u32,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self { successful: ten(), failed: five() }
    }
}

impl ExportScheduleSpec {
    /// A schedule with every default.
    pub fn new(schedule: impl Into<String>, template: Template) -> Self {
        Self {
            schedule: schedule.into(),
            time_zone: utc(),
            jitter_seconds: 0,
            concurrency_policy: ConcurrencyPolicy::default(),
            starting_deadline_seconds: None,
            catch_up: CatchUp::default(),
            suspend: false,
            run_on_create: false,
            skip_if_unchanged: true,
            retention: None,
            history_limits: HistoryLimits::default(),
            service_account_name: None,
            requested_by: None,
            template,
        }
    }
}

impl Template {
    /// Of one application, with every default, whose Secrets are referred to.
    pub fn new(app: impl Into<String>, destination: impl Into<String>) -> Self {
        Self {
            app: Some(app.into()),
            app_selector: None,
            namespace_selector: None,
            namespace: None,
            selector: None,
            all: false,
            destination: destination.into(),
            secrets: SecretsPolicy::default(),
            names: None,
            options: ExportOptions::default(),
        }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn ten() -> u32 {
    10
}

fn five() -> u32 {
    5
}
