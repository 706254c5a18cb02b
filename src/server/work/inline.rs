//! Exports in this process.

use async_trait::async_trait;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::attempt::attempt;
use super::ended::Ended;
use super::executor::{Executor, begin, conclude, span};
use super::observe::Held;
use super::queue::Key;
use super::reconcile::{Action, World, next};
use super::{Desk, Failure};
use crate::cluster;
use crate::cluster::record::Export;
use crate::export::record;

/// Carries out exports in this process.
pub(super) struct InProcess;

#[async_trait(?Send)]
impl Executor for InProcess {
    async fn run(&self, desk: &Desk, key: &Key, cancel: &CancellationToken) {
        match begun(desk, key).await {
            Ok(Some(begun)) => carry_on(desk, &begun, cancel).instrument(span(&begun)).await,
            Ok(None) => {} // whatever has changed, the next look at all records sees it
            Err(error) => tracing::warn!("{key} is not begun: {error}"),
        }
    }

    fn adopts(&self) -> bool {
        false
    }
}

/// Begins the export; `None` where it is not to be begun any more.
async fn begun(desk: &Desk, key: &Key) -> Result<Option<Export>, cluster::Error> {
    let found = desk.means.live.export(&key.namespace, &key.name).await?;
    let world = World { me: &desk.me, working: false, adopts: false, twin: None };
    let wanted = |export: &Export| matches!(next(export, world), Action::Start | Action::TakeOver);
    let Some(export) = found.filter(wanted) else { return Ok(None) };
    begin(desk, &export, desk.me.clone(), None).await.map(Some)
}

/// Carries out an export that is begun, to its end.
async fn carry_on(desk: &Desk, begun: &Export, cancel: &CancellationToken) {
    let held = Held::new(desk.means.live.clone(), begun.clone());
    let waits = record::request(&begun.spec, begun.namespace()).ok();
    let waits = waits.and_then(|request| request.wait_rollout).unwrap_or_default();
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => Some(Ended::Cancelled),
        () = sleep(desk.longest + waits) => Some(Ended::Failed(Failure::too_long(desk.longest))),
        ended = attempt(&desk.means, begun, &held) => ended,
    };
    match ended {
        Some(ended) => conclude(desk, begun, &held, &ended).await,
        None => tracing::info!("not ours any more"),
    }
}
