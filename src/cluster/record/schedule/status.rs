//! What became of an `ExportSchedule`: its runs, its next ones, and what stays. Only the leader writes it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::record::Condition;
use crate::cluster::record::status::{MAX_MESSAGE, date_time};

/// Most applications that a status lists; of the others there is their number.
pub const MAX_APPS: usize = 64;

/// Most records that a status says to be under way.
pub const MAX_ACTIVE: usize = 64;

/// How many of the next times a status has.
pub const NEXT_TIMES: usize = 3;

/// What became of a schedule so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportScheduleStatus {
    /// The generation of the schedule that this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Since when it says what it says: it was made, changed or resumed then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub since: Option<Timestamp>,
    /// Whether it was suspended when it was last looked at.
    pub suspended: bool,
    /// Names of the records that are under way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_ACTIVE), inner(length(max = 253)))]
    pub active: Vec<String>,
    /// When the latest run was due that has begun or was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub last_schedule_time: Option<Timestamp>,
    /// Every export that was due until then is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub counted: Option<Timestamp>,
    /// The value of the annotation `outhaul.dev/run` for which exports were last begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_run: Option<String>,
    /// When an export last succeeded, whether or not there was anything new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub last_successful_time: Option<Timestamp>,
    /// When an export last found nothing new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub last_unchanged_time: Option<Timestamp>,
    /// The export that ended last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<Attempt>,
    /// The run that was left out last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_skipped: Option<Skipped>,
    /// When it is due next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = NEXT_TIMES), schema_with = "date_times")]
    pub next_schedule_times: Vec<Timestamp>,
    /// How many exports there were.
    pub runs: Runs,
    /// The applications, or those of them that are worst off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_APPS))]
    pub apps: Vec<AppStatus>,
    /// How many applications are not listed.
    #[serde(skip_serializing_if = "is_zero")]
    pub more_apps: u32,
    /// What the last prune did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pruned: Option<Pruned>,
    /// Whether it is valid, healthy, and its applications can be restored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 8),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"])
    )]
    pub conditions: Vec<Condition>,
}

/// How many exports of a schedule there were, of all applications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Runs {
    /// That pushed a version, or what was missing of one.
    pub succeeded: u64,
    /// That found nothing new.
    pub unchanged: u64,
    /// That failed or were cancelled.
    pub failed: u64,
    /// Due times for which nothing was done.
    pub missed: u64,
    /// Due times that were left out on purpose.
    pub skipped: u64,
}

/// An export that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Name of its record.
    #[schemars(length(max = 253))]
    pub name: String,
    /// When it ended.
    #[schemars(schema_with = "date_time")]
    pub time: Timestamp,
    /// How: exported, unchanged, restored, failed or cancelled.
    #[schemars(length(max = 16))]
    pub result: String,
    /// Why, in a word, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
}

/// A run that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// When it was due.
    #[schemars(schema_with = "date_time")]
    pub time: Timestamp,
    /// Why, in a word.
    #[schemars(length(max = 64))]
    pub reason: String,
}

/// How one application stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppStatus {
    /// Its namespace.
    #[schemars(length(max = 63))]
    pub namespace: String,
    /// Its name.
    #[schemars(length(max = 63))]
    pub name: String,
    /// When the latest of its exports was due whose end is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub counted: Option<Timestamp>,
    /// When its last export succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub last_successful_time: Option<Timestamp>,
    /// The version that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub version: Option<String>,
    /// How many of its exports failed since.
    pub failures: u32,
    /// Until when it is not tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub waits_until: Option<Timestamp>,
    /// Why the last one failed, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Why it cannot be restored from the registry alone, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub not_restorable: Option<String>,
}

/// What a prune did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pruned {
    /// When.
    #[schemars(schema_with = "date_time")]
    pub at: Timestamp,
    /// Of which application, as `namespace/name`.
    #[serde(default)]
    #[schemars(length(max = 127))]
    pub app: String,
    /// Versions that stayed; 0 if it did not come to its end.
    pub kept: u32,
    /// Versions that were removed, or would have been.
    pub removed: u32,
    /// Images that were removed.
    pub images: u32,
    /// Whether it only said what it would do.
    #[serde(default)]
    pub dry_run: bool,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_MESSAGE))]
    pub error: Option<String>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn date_times(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let item = date_time(generator);
    schemars::json_schema!({"type": "array", "items": item})
}
