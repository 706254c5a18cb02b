//! How far an `Export` is, and what became of it. Only the server and its workers write it; the
//! whole of it is small, and nothing in it is secret.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Longest message, in characters.
pub const MAX_MESSAGE: usize = 2048;

/// Longest hint, in characters.
pub const MAX_HINT: usize = 1024;

/// Most images that a result lists; an application has a handful.
pub const MAX_IMAGES: usize = 64;

/// Most codes of findings that a result lists.
pub const MAX_CODES: usize = 50;

/// Longest address or command that a result has.
const MAX_TEXT: usize = 2048;

/// Longest digest: `sha512:` and 128 hexadecimal digits.
const MAX_DIGEST: usize = 135;

/// How far an export is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExportStatus {
    /// The generation of the record that this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How far it is, roughly. Succeeded, Failed and Cancelled never change again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// What is being done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Why it is so, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Why it is so, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_MESSAGE))]
    pub message: Option<String>,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_HINT))]
    pub hint: Option<String>,
    /// The exit code that the command line would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// How often it was started.
    pub attempts: u32,
    /// Which replica of the server runs it, or which Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Holder>,
    /// When it was put into the queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub queued_at: Option<Timestamp>,
    /// When it was first started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "date_time")]
    pub finished_at: Option<Timestamp>,
    /// Name of the export that does the work for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub joined_to: Option<String>,
    /// What is going to be at the destination. It is fixed before anything is pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
    /// How much is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ExportResult>,
    /// Whether it was accepted, is complete, and was told of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 8),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"])
    )]
    pub conditions: Vec<Condition>,
}

impl ExportStatus {
    /// Counts a state that is about to be written, so that those who watch tell it from the one
    /// before.
    pub fn count(&mut self, now: Timestamp) {
        let progress = self.progress.get_or_insert_default();
        progress.sequence += 1;
        progress.at = now;
    }
}

/// How far an export is, roughly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// It waits for its turn.
    Pending,
    /// It runs.
    Running,
    /// It is done.
    Succeeded,
    /// It could not be done.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl Phase {
    /// Whether it is an end.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What an export is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Step {
    /// It is in the queue.
    Queued,
    /// It waits until the application is rolled out.
    Waiting,
    /// Cluster, sources and destination are read.
    Reading,
    /// The chart is built and checked.
    Planning,
    /// Images are copied.
    Copying,
    /// The chart is pushed.
    Pushing,
    /// What was pushed is checked.
    Checking,
}

/// Which replica of the server runs an export, or which Job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// Its identity, as in the lease; or the name of the Job.
    #[schemars(length(max = 253))]
    pub identity: String,
    /// Since when.
    #[schemars(schema_with = "date_time")]
    pub since: Timestamp,
}

/// What is going to be at the destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Version of the chart.
    #[schemars(length(max = 128))]
    pub version: String,
    /// Digest of its manifest.
    #[schemars(length(max = MAX_DIGEST))]
    pub digest: String,
    /// Digest over everything that decides the content.
    #[schemars(length(max = MAX_DIGEST))]
    pub content: String,
    /// What is done for it.
    pub action: PlannedAction,
    /// When it was planned.
    #[schemars(schema_with = "date_time")]
    pub at: Timestamp,
}

/// What is done at the destination: a new version is pushed; nothing, as it is there; or nothing but
/// images that have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlannedAction {
    /// A new version is pushed.
    Push,
    /// Nothing.
    Unchanged,
    /// Images are copied again.
    Restore,
}

/// How much of an export is done. Totals may grow while they are found out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Grows with each state that is written.
    pub sequence: u64,
    /// Bytes at the destination.
    pub bytes_done: u64,
    /// Bytes that are to be there.
    pub bytes_total: u64,
    /// Blobs at the destination.
    pub blobs_done: u64,
    /// Blobs that are to be there.
    pub blobs_total: u64,
    /// Images at the destination.
    pub images_done: u64,
    /// Images that are to be there.
    pub images_total: u64,
    /// When it was written.
    #[schemars(schema_with = "date_time")]
    pub at: Timestamp,
}

/// What an export did. The whole report is attached to the chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportResult {
    /// How it ended.
    pub status: Outcome,
    /// The chart.
    pub chart: ResultChart,
    /// The images, or the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_IMAGES))]
    pub images: Vec<ResultImage>,
    /// How many images are not listed.
    #[serde(default)]
    pub more_images: u32,
    /// Bytes of the images.
    pub bytes: Bytes,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// What a user should know, as numbers and codes.
    pub findings: Findings,
    /// The command that installs the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_TEXT))]
    pub install: Option<String>,
    /// Digest of the whole report where it is attached to the chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_DIGEST))]
    pub report: Option<String>,
}

/// How an export ended well: a new version is there, it was there, or it was there without all of
/// its images, which are there now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// A new version is there.
    Exported,
    /// It was there.
    Unchanged,
    /// It was there, and images were copied again.
    Restored,
}

/// The chart of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultChart {
    /// Address of its repository.
    #[schemars(length(max = MAX_TEXT))]
    pub repository: String,
    /// Its version.
    #[schemars(length(max = 128))]
    pub version: String,
    /// Digest of its manifest.
    #[schemars(length(max = MAX_DIGEST))]
    pub digest: String,
    /// Digest over everything that decides the content.
    #[schemars(length(max = MAX_DIGEST))]
    pub content: String,
}

/// An image of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultImage {
    /// Its key in the chart's values.
    #[schemars(length(max = 253))]
    pub key: String,
    /// Address of its repository.
    #[schemars(length(max = MAX_TEXT))]
    pub repository: String,
    /// Its digest there.
    #[schemars(length(max = MAX_DIGEST))]
    pub digest: String,
    /// Whether it stayed where it was.
    #[serde(default)]
    pub kept: bool,
}

/// How bytes came to be at the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bytes {
    /// Sent.
    pub copied: u64,
    /// Taken from another repository of the destination.
    pub mounted: u64,
    /// There already.
    pub present: u64,
}

/// How many findings there are, and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// How many errors.
    pub error: u32,
    /// How many warnings.
    pub warning: u32,
    /// How many others.
    pub info: u32,
    /// Their codes, each once, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_CODES), inner(length(max = 64)))]
    pub codes: Vec<String>,
}

/// One aspect of an export, in the form that `kubectl wait` knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Accepted, Complete or Notified.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 64))]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in a word.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub reason: String,
    /// Why, in a sentence.
    #[serde(default)]
    #[schemars(length(max = MAX_HINT))]
    pub message: String,
    /// Since when.
    #[schemars(schema_with = "date_time")]
    pub last_transition_time: Timestamp,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// That is not known.
    Unknown,
}

pub(super) fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}
