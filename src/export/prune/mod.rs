//! Which versions of an application go, and how they go so that whatever stays is whole at every
//! moment.
//!
//! ```text
//!  registry ─ plan (reads) ─► Plan ─ shown ─► run ─► Outcome
//!                                              ├ charts: tombstone, tag, manifest
//!                                              └ images of tombstones of the day before
//! ```

mod charts;
mod decide;
mod images;
mod kept;
mod needed;
mod place;
mod plan;
mod tombstone;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::registry::{Digest, Tag};
use crate::schedule::retention::Rules;

use super::Error;
use super::names::PRUNED;
use tombstone::Ledger;

pub use place::Place;
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
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
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
}

/// What becomes of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PrunedVersion")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PruneOther")]
pub struct Other {
    /// Its tag.
    pub tag: Tag,
    /// What it is.
    pub what: String,
}

/// What a prune did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Images that a kept chart needs and that are gone, as `repository@digest`: an export of its
    /// application brings them back.
    pub missing: Vec<String>,
}

/// Something that was to go and stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Left {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// What is told of a prune: what goes and stays, and what became of that.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PruneAnswer")]
pub struct Pruned {
    /// Which versions go.
    #[serde(flatten)]
    pub plan: Plan,
    /// What was done; `None`: nothing, it was only planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl Plan {
    /// The versions that go.
    pub fn going(&self) -> impl Iterator<Item = &PlannedVersion> {
        self.versions.iter().filter(|version| version.goes)
    }

    /// Of the versions that go, only these do: those that somebody has been shown.
    pub fn confine(&mut self, to: &[Version]) {
        for of in self.versions.iter_mut().filter(|of| of.goes && !to.contains(&of.version)) {
            of.goes = false;
            of.reasons = vec!["not among those that were asked for".to_owned()];
        }
    }
}

impl Outcome {
    /// # Errors
    /// [`Error::Lost`] when an image is gone that a kept chart needs.
    pub fn require(&self) -> Result<(), Error> {
        self.missing.first().map_or(Ok(()), |image| Err(Error::Lost { image: image.clone() }))
    }

    fn leave(&mut self, version: &Version, reason: &str) {
        self.left.push(Left::new(version, reason));
    }
}

impl Left {
    fn new(version: &Version, reason: &str) -> Self {
        Self { what: version.to_string(), reason: reason.to_owned() }
    }
}

/// Carries `plan` out. It may end at any moment: whatever stays is whole, and the next prune goes on. One
/// that is `dry_run` is not carried out.
///
/// # Errors
/// When the registry cannot be read or written. What it only does not delete is in the answer.
pub async fn run(place: Place<'_>, plan: &Plan, now: Timestamp) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    if plan.dry_run {
        for version in plan.going() {
            outcome.leave(&version.version, "nothing is deleted as long as a schedule only plans");
        }
        return Ok(outcome);
    }
    let mut ledger = match Ledger::read(place).await? {
        Ok(ledger) => ledger,
        Err(reason) => {
            outcome.left.push(Left { what: format!("tag {PRUNED}"), reason });
            return Ok(outcome);
        }
    };
    if let Some(reason) = refusal(place, plan, &ledger).await? {
        plan.going().for_each(|version| outcome.leave(&version.version, &reason));
        outcome.waiting = ledger.waiting();
        return Ok(outcome);
    }
    charts::delete(place, plan, now, &mut ledger, &mut outcome).await?;
    charts::finish(place, &ledger, &outcome).await?;
    images::delete(place, now, &mut ledger, &mut outcome).await?;
    outcome.waiting = ledger.waiting();
    Ok(outcome)
}

/// Why nothing can be deleted, asked before anything is written: by deleting what does not exist.
async fn refusal(place: Place<'_>, plan: &Plan, ledger: &Ledger) -> Result<Option<String>, Error> {
    if plan.going().next().is_none() && ledger.waiting() == 0 {
        return Ok(None);
    }
    let nothing = Digest::of(&fastrand::u128(..).to_be_bytes());
    let asked = place.delete(place.charts, nothing).await?;
    Ok(asked.reason().map(|reason| place.refusal(place.charts, reason)))
}
