//! What `/v1` takes and gives for a schedule.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::schema;
use crate::cluster::record::Door;
use crate::cluster::record::schedule::{
    ExportSchedule, ExportScheduleSpec, ExportScheduleStatus, Template,
};
use crate::schedule::preview::next;
use crate::server::native::model::By;

/// A schedule to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScheduleRequest {
    /// Its name, of at most 45 characters: those of its exports begin with it.
    pub(super) name: String,
    /// What it says. Who asks is the token's to say.
    #[schemars(with = "schema::RequestedSpec")]
    pub(super) spec: Value,
}

/// What a schedule is to say from now on.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScheduleReplacement {
    /// All of it: what is left out is as it is by default.
    #[schemars(with = "schema::RequestedSpec")]
    pub(super) spec: Value,
}

/// What is to be changed of a schedule.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SchedulePatch {
    /// A JSON merge patch of `spec` (RFC 7396): what it names is written, null takes a field away.
    #[schemars(schema_with = "schema::any")]
    pub(super) spec: Map<String, Value>,
}

/// A preview of what need not exist.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PreviewRequest {
    /// When: five fields as in crontab(5), or `@daily`, `@every 6h`.
    pub(super) schedule: String,
    /// By whose clock, as an IANA name; `UTC` where nothing is said.
    #[serde(default)]
    pub(super) time_zone: Option<String>,
    /// By up to how many seconds each run begins later.
    #[serde(default)]
    pub(super) jitter_seconds: u32,
    /// Rules of what stays.
    #[serde(default)]
    #[schemars(with = "Option<schema::RequestedRetention>")]
    pub(super) retention: Option<Value>,
    /// What is due after this time; now, where nothing is said.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) from: Option<Timestamp>,
    /// So many runs; 5 where nothing is said.
    #[serde(default)]
    #[schemars(range(min = 1, max = super::preview::MOST_RUNS))]
    pub(super) count: Option<usize>,
}

/// What is to be seen of it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PreviewOf {
    /// Rules to be tried, instead of those of the schedule.
    #[serde(default)]
    #[schemars(with = "Option<schema::RequestedRetention>")]
    pub(super) retention: Option<Value>,
    /// What is due after this time; now, where nothing is said.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub(super) from: Option<Timestamp>,
    /// So many runs; 5 where nothing is said.
    #[serde(default)]
    #[schemars(range(min = 1, max = super::preview::MOST_RUNS))]
    pub(super) count: Option<usize>,
}

/// A schedule as callers see it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Schedule")]
pub(super) struct View<'a> {
    /// Its namespace.
    namespace: &'a str,
    /// Its name.
    name: &'a str,
    /// When it was made.
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    created_at: Option<Timestamp>,
    /// What it says.
    spec: ExportScheduleSpec,
    /// In whose name it runs; null where `spec.serviceAccountName` says that.
    requested_by: Option<By<'a>>,
    /// When it is due next, by the clock of its zone; none while it is suspended.
    next: Vec<String>,
    /// What became of it; null before a server has seen it.
    status: Option<&'a ExportScheduleStatus>,
    /// Paths of what belongs to it.
    links: Links,
}

/// Paths of what belongs to a schedule.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ScheduleLinks")]
struct Links {
    #[serde(rename = "self")]
    own: String,
}

/// A run that was asked for.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ScheduleRun")]
pub(super) struct Started {
    /// What the schedule's `status.lastRun` is when all exports of the run are made.
    pub(super) request: String,
    /// How the names of its exports begin.
    pub(super) run: String,
    /// Paths of what is to be followed.
    pub(super) links: RunLinks,
}

/// Paths of what is to be followed of a run.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ScheduleRunLinks")]
pub(super) struct RunLinks {
    /// The schedule, whose status says whether the run has begun.
    pub(super) schedule: String,
    /// The exports of the run.
    pub(super) exports: String,
}

impl<'a> View<'a> {
    pub(super) fn of(schedule: &'a ExportSchedule) -> Self {
        let by = schedule.spec.requested_by.as_ref();
        Self {
            namespace: schedule.namespace(),
            name: schedule.name(),
            created_at: schedule.created(),
            spec: ExportScheduleSpec { requested_by: None, ..schedule.spec.clone() },
            requested_by: by
                .map(|by| By { user: &by.user, via: by.via.unwrap_or(Door::Kubernetes) }),
            next: next(schedule, Timestamp::now()),
            status: schedule.status.as_ref(),
            links: Links { own: location(schedule) },
        }
    }
}

/// Where the schedule is found.
pub(super) fn location(schedule: &ExportSchedule) -> String {
    format!("/v1/namespaces/{}/schedules/{}", schedule.namespace(), schedule.name())
}

/// What changes when the schedule says something else, and stays while only its status changes.
pub(super) fn etag(schedule: &ExportSchedule) -> String {
    let generation = schedule.metadata.generation.unwrap_or_default();
    format!("\"{}.{generation}\"", schedule.uid())
}

/// Whether the applications may be in another namespace than the schedule.
pub(super) fn reaches_out(template: &Template, namespace: &str) -> bool {
    template.namespace_selector.is_some()
        || template.namespace.as_deref().is_some_and(|target| target != namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A status is written all the time, by the leader.
    #[test]
    fn an_etag_is_of_what_the_schedule_says() {
        let template = Template::new("shop", "team");
        let spec = ExportScheduleSpec::new("@daily", template);
        let mut schedule = ExportSchedule::draft("shop", "nightly", spec);
        schedule.metadata.uid = Some("u".to_owned());
        schedule.metadata.generation = Some(1);
        let first = etag(&schedule);
        schedule.status = Some(ExportScheduleStatus::default());
        schedule.metadata.resource_version = Some("7".to_owned());
        assert_eq!(etag(&schedule), first);
        schedule.metadata.generation = Some(2);
        assert_ne!(etag(&schedule), first);
    }
}
