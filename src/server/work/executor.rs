//! Where exports are carried out: in this process, or each in a Job of its own.

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::Desk;
use super::ended::Ended;
use super::observe::Held;
use super::queue::Key;
use crate::cluster;
use crate::cluster::events::About;
use crate::cluster::record::{Export, Holder, Phase};
use crate::server::telemetry::events::{News, tell};

/// Carries out exports, one with each call, on a thread of its own.
#[async_trait(?Send)]
pub(super) trait Executor: Send + Sync {
    /// Begins the export of this record if it is to be begun, or goes on with what is under way, to
    /// its end or until `cancel`. Dropping the future leaves the record as it is, for the next leader.
    async fn run(&self, desk: &Desk, key: &Key, cancel: &CancellationToken);

    /// Whether an attempt outlives the leader that began it, so that the next one goes on with it.
    fn adopts(&self) -> bool;
}

/// Writes into the record that one more attempt runs there, by `holder`.
///
/// # Errors
/// [`cluster::Error::Conflict`] where somebody else was faster; else what the cluster says.
pub(super) async fn begin(
    desk: &Desk,
    export: &Export,
    holder: String,
    message: Option<String>,
) -> Result<Export, cluster::Error> {
    let mut status = export.status.clone().unwrap_or_default();
    let now = Timestamp::now();
    status.phase = Some(Phase::Running);
    status.step = None;
    status.message = message;
    status.attempts += 1;
    status.holder = Some(Holder { identity: holder, since: now });
    status.started_at.get_or_insert(now);
    status.count(now);
    let begun = desk.means.live.patch_status(export, &status).await?;
    tracing::info!(parent: &span(&begun), "begun");
    let news = News::Started(status.attempts);
    tell(&desk.means.live, &desk.me, &[&About::export(&begun)], &news).await;
    Ok(begun)
}

/// Writes how it ended, and tells of it.
pub(super) async fn conclude(desk: &Desk, export: &Export, held: &Held, ended: &Ended) {
    let is_told = desk.courier.is_wanted(&export.spec.destination).await;
    match held.write(|status| ended.conclude(status, is_told, Timestamp::now())).await {
        Ok(()) => {
            tracing::info!("finished");
            desk.ended(export, held.root(), ended).await;
        }
        Err(error) => tracing::warn!("its end is not written: {error}"),
    }
}

/// What the log says of an attempt in each line.
pub(super) fn span(export: &Export) -> Span {
    let requester = export.spec.requested_by.as_ref();
    tracing::info_span!(
        "export",
        id = export.uid(),
        namespace = export.namespace(),
        name = export.name(),
        app = export.spec.app,
        destination = export.spec.destination,
        attempt = export.status.as_ref().map_or(0, |status| status.attempts),
        request = requester.and_then(|by| by.request_id.as_deref()),
    )
}
