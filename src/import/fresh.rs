//! A namespace that is new: only one that is there says what it takes, by its Pod Security level,
//! its quotas and limits, and what webhooks make of it.

use super::{Error, Plan};
use crate::cluster::Live;

/// The plan of an import whose namespace is there. Where it is still to be made, and nothing else
/// stands against the import, it is made, and `look` plans once more; if that finds something, the
/// namespace is removed.
///
/// # Errors
/// When the cluster refuses to make the namespace, or what `look` says.
pub async fn in_its_namespace(
    plan: Plan,
    live: &Live,
    look: impl AsyncFnOnce() -> Result<Plan, Error>,
) -> Result<Plan, Error> {
    if !plan.new_namespace || plan.require_ready().is_err() {
        return Ok(plan);
    }
    let Some(uid) = live.create_namespace(&plan.namespace).await? else { return look().await };
    let again = look().await;
    if again.as_ref().is_ok_and(|plan| plan.require_ready().is_ok()) {
        return again;
    }
    if let Err(error) = live.delete_namespace(&plan.namespace, &uid).await {
        // What was found weighs more.
        tracing::warn!("namespace {} was made and stays: {error}", plan.namespace);
    }
    again
}
