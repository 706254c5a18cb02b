//! One prune, from the destinations and schedules as they are now.

use std::sync::Arc;

use jiff::Timestamp;

use super::Owed;
use super::claims::Place;
use crate::cluster::AppIndex;
use crate::cluster::record::{Health, ScheduleStore};
use crate::destination::{Destination, select};
use crate::error::Error;
use crate::export::identity::{origin_of, schedule_of};
use crate::export::prune::{self, Claim, Outcome, Plan};
use crate::export::record::names;
use crate::export::{ChartReference, Target};
use crate::registry::Store;
use crate::server::work::Failure;
use crate::server::work::attempt::Means;

/// What was found, and done.
pub(super) struct Did {
    pub(super) plan: Plan,
    pub(super) outcome: Outcome,
}

/// Where is pruned.
struct Found {
    known: Vec<Destination>,
    target: Target,
    /// The same with the credentials that may delete.
    deleting: Arc<dyn Store>,
    chart: ChartReference,
    /// Uid of the cluster.
    cluster: String,
}

/// Prunes what is owed, with the destination's credentials for deleting; the export that it comes after
/// was let go there. `None`: the schedule does not say any more what stays there.
///
/// # Errors
/// Why nothing could be planned, or what was begun did not end, in a sentence for people.
pub(super) async fn run(
    means: &Means,
    schedules: &ScheduleStore,
    index: &AppIndex,
    owed: &Owed,
    now: Timestamp,
) -> Result<Option<Did>, String> {
    if schedules.health() != Health::Synced {
        return Err("which schedules there are is not known now".to_owned());
    }
    let said = |error: Error| Failure::of(&error).message;
    let found = find(means, owed).await.map_err(said)?;
    let Found { known, chart, cluster, .. } = &found;
    let place = Place { app: &owed.app, chart, known, cluster };
    let claims = place.claims(&schedules.list(), index, &means.live).await;
    let claims = claims.map_err(|error| error.to_string())?;
    let own = schedule_of(cluster, &owed.key.0, &owed.key.1);
    if !claims.iter().any(|claim| claim.schedule == own && claim.rules.is_some()) {
        return Ok(None);
    }
    carry_out(&found, owed, &claims, now).await.map(Some).map_err(said)
}

async fn find(means: &Means, owed: &Owed) -> Result<Found, Error> {
    let app = &owed.app;
    let known = select::list(&means.live, &means.system_namespace).await?;
    let destination = select::named(&known, &owed.destination)?;
    select::allow(&destination, &app.namespace)?;
    let target = Target::registry(&destination)?;
    let deleting = Target::deleting(&destination)?;
    let chart = ChartReference::own(&target, &app.namespace, &app.name, &names(&owed.names))?;
    let cluster = means.live.uid().await?;
    Ok(Found { known, target, deleting, chart, cluster })
}

async fn carry_out(
    found: &Found,
    owed: &Owed,
    claims: &[Claim],
    now: Timestamp,
) -> Result<Did, Error> {
    let Found { target, deleting, chart, cluster, .. } = found;
    let origin = origin_of(cluster, &owed.app.namespace, &owed.app.name);
    let plan = prune::plan(target, &chart.repository, &origin, claims, now).await?;
    let outcome = match plan.dry_run {
        true => Outcome::default(),
        false => prune::run(target, deleting.as_ref(), &plan, now).await?,
    };
    Ok(Did { plan, outcome })
}
