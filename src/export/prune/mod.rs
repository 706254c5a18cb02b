//! Which versions of an application go, and how they go so that whatever stays is whole at every
//! moment.
//!
//! ```text
//!  registry ─ plan (reads) ─► Plan ─ shown ─► run ─► Outcome
//!                                              ├ charts: tombstone, tag, manifest
//!                                              └ images of tombstones of the day before
//! ```

mod decide;
mod plan;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use semver::Version;
use serde::Serialize;

use crate::registry::{Digest, RepositoryName, Store, Tag};
use crate::schedule::retention::Rules;

use super::{Error, Target};

pub use plan::plan;

/// How long images stay after their last chart has gone. An export that had found them there before
/// that has ended by then: none runs longer than six hours, and clocks differ by less than the rest.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// What one schedule says of the versions of an application at a place.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Which schedule, as the annotation of its versions has it; for people where it is none.
    pub schedule: String,
    /// Which versions stay for it; `None`: all.
    pub rules: Option<Rules>,
    /// Whose hours, days and so on count.
    pub zone: TimeZone,
    /// Whether it wants to see what would go, and nothing to go.
    pub dry_run: bool,
}

/// Which versions go.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PrunePlan")]
pub struct Plan {
    /// Address of the chart repository.
    pub chart: String,
    /// Whose versions they are.
    pub origin: String,
    /// Whether one of the claims wants nothing to go yet.
    pub dry_run: bool,
    /// The versions of this origin, the newest first.
    pub versions: Vec<PlannedVersion>,
    /// What else is in the repository, and stays.
    pub others: Vec<Other>,
    /// The repository.
    #[serde(skip)]
    pub repository: RepositoryName,
    /// How long images stay after their last chart: [`GRACE`], unless somebody knows better.
    #[serde(skip)]
    pub grace: SignedDuration,
}

/// What becomes of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedVersion {
    /// The version.
    #[schemars(with = "String")]
    pub version: Version,
    /// Digest of its manifest; `None`: nobody had to look, and it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// When the application was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub taken_at: Option<Timestamp>,
    /// Which schedule made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Whether it goes.
    pub goes: bool,
    /// Why it stays, or why it goes.
    pub reasons: Vec<String>,
}

/// Something in the repository that no rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Other {
    /// Its tag.
    pub tag: Tag,
    /// What it is.
    pub what: String,
}

/// What a prune did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PruneOutcome")]
pub struct Outcome {
    /// Versions that have gone.
    pub versions: Vec<String>,
    /// Images that have gone, as `repository@digest`.
    pub images: Vec<String>,
    /// Images that go later, if nothing needs them then.
    pub waiting: usize,
    /// What was to go and stays, with the reason.
    pub left: Vec<Left>,
}

/// Something that was to go and stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Left {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

impl Plan {
    /// The versions that go.
    pub fn going(&self) -> impl Iterator<Item = &PlannedVersion> {
        self.versions.iter().filter(|version| version.goes)
    }
}

/// Carries `plan` out with `deleting`, which is the place of `target` with credentials that may delete.
/// It may end at any moment: whatever stays is whole, and the next prune goes on.
///
/// # Errors
/// When the registry cannot be read or written. What it only does not delete is in the answer.
pub async fn run(
    target: &Target,
    deleting: &dyn Store,
    plan: &Plan,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let _ = (target, deleting, now);
    let left = plan.going().map(|version| Left {
        what: version.version.to_string(),
        reason: "nothing is deleted yet".to_owned(),
    });
    Ok(Outcome { left: left.collect(), ..Outcome::default() })
}
