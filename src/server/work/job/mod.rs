//! Each export in a Kubernetes Job of its own, so that it is the cluster's nodes that carry exports
//! out. What runs in its pod is `outhaul run-export` ([`worker`]).
//!
//! ```text
//!  record: attempt n ─► Job made ─► looked at ─┬─► its result, or why it failed ─► record ended
//!        ▲                                     │
//!        └── attempt n + 1 ◄── lost: deleted, evicted, out of memory
//! ```
//!
//! An attempt is held by its Job, not by the leader: the next leader goes on looking at it.

mod fate;
mod look;
mod note;
mod template;
pub mod worker;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use self::fate::{Fate, fate};
use self::look::{look, outcome, remove};
use super::ended::Ended;
use super::executor::{Executor, begin, conclude, span};
use super::observe::Held;
use super::queue::Key;
use super::reconcile::{Action, MOST_ATTEMPTS, World, next};
use super::{Desk, Failure};
use crate::cluster;
use crate::cluster::record::Export;
use crate::export::record;

/// Label of a Job: which record it is of.
const EXPORT: &str = "outhaul.dev/export-uid";

/// The container of the template that exports.
const CONTAINER: &str = "outhaul";

/// Between two looks at a Job, each of two small requests.
const EVERY: Duration = Duration::from_secs(2);

/// How much longer than its deadline a Job is looked at: that it has ended is for Kubernetes to say,
/// and where nothing there carries out Jobs, for us.
const GRACE: Duration = Duration::from_secs(60);

/// Carries out exports in Jobs.
pub(super) struct Jobs {
    /// ConfigMap of the system namespace with what all Jobs have in common.
    pub(super) template: String,
}

/// What became of an attempt.
enum Seen {
    Ended(Ended),
    /// It is to be begun again, for this reason.
    Lost(String),
    /// The record is another's.
    NotOurs,
}

/// Name of the Job of an attempt, and of who holds the record while it is there.
pub(super) fn name(uid: &str, attempt: u32) -> String {
    let short = &uid[..uid.floor_char_boundary(8)];
    format!("outhaul-{short}-{attempt}")
}

/// The Job that holds the record.
fn job_of(export: &Export) -> String {
    name(export.uid(), export.status.as_ref().map_or(0, |status| status.attempts))
}

#[async_trait(?Send)]
impl Executor for Jobs {
    async fn run(&self, desk: &Desk, key: &Key, cancel: &CancellationToken) {
        let mut lost = None;
        loop {
            let begun = match begun(desk, key, lost.take()).await {
                Ok(Some(begun)) => begun,
                Ok(None) => return, // whatever has changed, the next look at all records sees it
                Err(error) => return tracing::warn!("{key} is not begun: {error}"),
            };
            let span = span(&begun.0);
            lost = self.carry_on(desk, begun, cancel).instrument(span).await;
            if lost.is_none() {
                return;
            }
        }
    }

    fn adopts(&self) -> bool {
        true
    }
}

/// The record as it is to be carried out, and whether its Job is to be made. `None` where there is
/// nothing to do any more.
async fn begun(
    desk: &Desk,
    key: &Key,
    lost: Option<String>,
) -> Result<Option<(Export, bool)>, cluster::Error> {
    let found = desk.means.live.export(&key.namespace, &key.name).await?;
    let Some(export) = found else { return Ok(None) };
    let world = World { me: &desk.me, working: false, adopts: true, twin: None };
    match (next(&export, world), lost) {
        (Action::Adopt, None) => Ok(Some((export, false))),
        (Action::Start | Action::TakeOver | Action::Adopt, lost) => {
            let attempt = export.status.as_ref().map_or(0, |status| status.attempts) + 1;
            let message = lost.map(|why| format!("begun again: {why}"));
            let begun = begin(desk, &export, name(export.uid(), attempt), message).await?;
            Ok(Some((begun, true)))
        }
        _ => Ok(None),
    }
}

impl Jobs {
    /// Sees one attempt through. Gives why it is to be begun again, if it is.
    async fn carry_on(
        &self,
        desk: &Desk,
        (export, is_new): (Export, bool),
        cancel: &CancellationToken,
    ) -> Option<String> {
        let held = Held::new(desk.means.live.clone(), export.clone());
        let seen = tokio::select! {
            biased;
            () = cancel.cancelled() => Seen::Ended(Ended::Cancelled),
            seen = self.see_through(desk, &export, is_new, &held) => seen,
        };
        let attempts = export.status.as_ref().map_or(0, |status| status.attempts);
        let ended = match seen {
            Seen::Lost(why) if attempts < MOST_ATTEMPTS => {
                tracing::warn!("the attempt is lost: {why}");
                return Some(why);
            }
            Seen::Lost(why) => Ended::Failed(Failure::lost(&why)),
            Seen::Ended(ended) => ended,
            Seen::NotOurs => {
                tracing::info!("not ours any more");
                return None;
            }
        };
        if matches!(ended, Ended::Cancelled) {
            remove(desk, &job_of(&export)).await;
        }
        conclude(desk, &export, &held, &ended).await;
        None
    }

    /// Makes the Job if it is new, and looks at it until it has ended.
    async fn see_through(&self, desk: &Desk, export: &Export, is_new: bool, held: &Held) -> Seen {
        if is_new && let Err(failure) = self.make(desk, export).await {
            return Seen::Ended(Ended::Failed(failure));
        }
        let since = Instant::now();
        let mut longest = longest(desk, export);
        let mut said = export.status.as_ref().and_then(|status| status.message.clone());
        loop {
            match look(desk, export).await {
                Ok((job, pods)) => {
                    let deadline = job.as_ref().and_then(|job| job.deadline);
                    longest = deadline.map_or(longest, Duration::from_secs);
                    match fate(job.as_ref(), &pods, longest) {
                        Fate::Runs(why) if why == said => {}
                        Fate::Runs(why) => match held.write(|s| s.message.clone_from(&why)).await {
                            Ok(()) => said = why,
                            Err(cluster::Error::Conflict { .. }) => return Seen::NotOurs,
                            Err(error) => {
                                tracing::warn!("what it waits for is not written: {error}");
                            }
                        },
                        fate => match outcome(desk, export, fate).await {
                            Ok(seen) => return seen,
                            Err(error) => tracing::warn!("its end is not read: {error}"),
                        },
                    }
                }
                Err(error) => tracing::warn!("its Job is not seen: {error}"),
            }
            if since.elapsed() > longest + GRACE {
                remove(desk, &job_of(export)).await;
                return Seen::Ended(Ended::Failed(Failure::too_long(longest)));
            }
            sleep(EVERY).await;
        }
    }

    /// Makes the Job of an attempt. One that is there is the same: names are of one attempt only.
    async fn make(&self, desk: &Desk, export: &Export) -> Result<(), Failure> {
        let (live, namespace) = (&desk.means.live, &desk.means.system_namespace);
        let template = template::read(live, namespace, &self.template).await?;
        let job = template::fill(template, export, desk, longest(desk, export))
            .map_err(|reason| template::bad(namespace, &self.template, &reason))?;
        let made = live.create_job(namespace, &job).await;
        let is_made = made.map_err(|error| Failure::of(&error.into()))?;
        tracing::info!(job = job_of(export), "{}", if is_made { "made" } else { "found" });
        Ok(())
    }
}

/// How long the export may take if the template does not say.
fn longest(desk: &Desk, export: &Export) -> Duration {
    desk.longest + waits(export)
}

/// How long it waits for a rollout at most.
fn waits(export: &Export) -> Duration {
    let request = record::request(&export.spec, export.namespace()).ok();
    request.and_then(|request| request.wait_rollout).unwrap_or_default()
}
