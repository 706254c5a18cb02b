//! One prune that is owed, by the schedules as they are now.

use jiff::Timestamp;

use super::Owed;
use super::charts::Charts;
use crate::cluster::AppIndex;
use crate::cluster::record::{Health, ScheduleStore};
use crate::error::Error;
use crate::export::identity::schedule_of;
use crate::export::prune::Pruned;
use crate::export::record::names;
use crate::server::work::Failure;
use crate::server::work::attempt::Means;

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
) -> Result<Option<Pruned>, String> {
    if schedules.health() != Health::Synced {
        return Err("which schedules there are is not known now".to_owned());
    }
    let said = |error: Error| Failure::of(&error).message;
    let (app, system, names) = (owed.app.clone(), &means.system_namespace, names(&owed.names));
    let charts = Charts::read(&means.live, system, app, &owed.destination, &names).await;
    let charts = charts.map_err(said)?;
    let claims = charts.claims(&schedules.list(), index, &means.live).await;
    let claims = claims.map_err(|error| error.to_string())?;
    let own = schedule_of(&charts.cluster, &owed.key.0, &owed.key.1);
    if !claims.iter().any(|claim| claim.schedule == own && claim.rules.is_some()) {
        return Ok(None);
    }
    let plan = charts.plan(&claims, now).await.map_err(said)?;
    charts.carry_out(plan, now).await.map(Some).map_err(said)
}
