//! What a running export says of itself in its record: each step as it comes, and how much is done
//! every two seconds.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::Failure;
use super::accept::Permit;
use super::shrink::shrink;
use crate::cluster::events::About;
use crate::cluster::record::{Export, ExportStatus, Planned, Progress as Tally, Step};
use crate::cluster::{Error, Live};
use crate::export::perform::{self, Observer};
use crate::export::{self, Action, Plan, record};
use crate::registry::progress::Progress;
use crate::registry::{Digest, Event};
use crate::server::auth::Authorizer;
use crate::server::telemetry::events::{News, tell};

/// Between two writes of how much is done.
const EVERY: Duration = Duration::from_secs(2);

/// How often a write is tried while others write, too: an annotation or two.
const MOST_TRIES: u32 = 5;

/// A record that runs here.
#[derive(Debug)]
pub struct Held {
    live: Live,
    pen: Pen,
    export: tokio::sync::Mutex<Export>,
    /// The object by which people know the application, once that is read.
    root: OnceLock<About>,
}

/// What of a status is written.
#[derive(Clone, Copy, Debug)]
enum Pen {
    /// All of it.
    Server,
    /// What an attempt says of itself ([`Live::apply_attempt`]).
    Worker,
}

impl Held {
    /// The record as it was last written by us, who write all of its status.
    pub fn new(live: Live, export: Export) -> Self {
        Self { live, pen: Pen::Server, export: export.into(), root: OnceLock::new() }
    }

    /// The same for the worker of a Job: of what is changed in the status, plan, progress, step and
    /// result are written, and nothing else.
    pub fn of_worker(live: Live, export: Export) -> Self {
        Self { pen: Pen::Worker, ..Self::new(live, export) }
    }

    /// The object by which people know the application, if it was found.
    pub fn root(&self) -> Option<&About> {
        self.root.get()
    }

    /// Finds that object, and tells there what happens to the application. No export fails by that.
    async fn introduce(&self, plan: &Plan) {
        let found = self.live.root(&plan.namespace, &plan.objects);
        let Ok(Ok(Some(root))) = timeout(EVERY, found).await else { return };
        let status = self.export.lock().await.status.clone().unwrap_or_default();
        let me = status.holder.map(|holder| holder.identity).unwrap_or_default();
        tell(&self.live, &me, &[&root], &News::Started(status.attempts)).await;
        let _ = self.root.set(root); // set already: by the same plan
    }

    /// Writes what `change` makes of the status. What others change besides stays.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the record is gone, finished, or another attempt's; else what the
    /// cluster says.
    pub async fn write(
        &self,
        change: impl Fn(&mut ExportStatus) + Send + Sync,
    ) -> Result<(), Error> {
        let mut export = self.export.lock().await;
        for _ in 0..MOST_TRIES {
            let mut status = export.status.clone().unwrap_or_default();
            change(&mut status);
            status.count(Timestamp::now());
            shrink(&mut status);
            let written = match self.pen {
                Pen::Server => self.live.patch_status(&export, &status).await,
                Pen::Worker => self.live.apply_attempt(&export, &status).await,
            };
            match written {
                Ok(written) => {
                    *export = written;
                    return Ok(());
                }
                Err(Error::Conflict { .. }) => *export = self.again(&export).await?,
                Err(error) => return Err(error),
            }
        }
        Err(overtaken(&export))
    }

    /// The record as it is now, if this attempt still has it.
    async fn again(&self, known: &Export) -> Result<Export, Error> {
        let found = self.live.export(known.namespace(), known.name()).await?;
        let attempt = |export: &Export| {
            export.status.as_ref().map(|status| (status.attempts, status.holder.clone()))
        };
        let ours = |found: &Export| {
            found.uid() == known.uid() && !found.is_terminal() && attempt(found) == attempt(known)
        };
        found.filter(ours).ok_or_else(|| overtaken(known))
    }
}

fn overtaken(export: &Export) -> Error {
    Error::Conflict { what: format!("Export {}/{}", export.namespace(), export.name()) }
}

/// Watches one attempt.
pub(super) struct Watch<'a> {
    pub(super) held: &'a Held,
    pub(super) live: &'a Live,
    pub(super) permit: &'a Permit,
    pub(super) authorizer: &'a dyn Authorizer,
    /// What an earlier attempt had planned, if it is what this one carries on.
    pub(super) resumed: Option<&'a Planned>,
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    step: Option<Step>,
    waiting: Option<String>,
    /// Roots of the images that are not there yet.
    images: HashSet<Digest>,
    moving: HashMap<Digest, u64>,
    tally: Option<Tally>,
    refused: Option<Failure>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        held: &'a Held,
        live: &'a Live,
        permit: &'a Permit,
        authorizer: &'a dyn Authorizer,
        resumed: Option<&'a Planned>,
    ) -> Self {
        let (state, news) = (Mutex::default(), Notify::new());
        Self { held, live, permit, authorizer, resumed, state, news }
    }

    /// Writes what there is to say, until the record is another's. A cluster that does not answer
    /// for a moment misses some of it.
    pub(super) async fn follow(&self) {
        loop {
            let (step, waiting) = {
                let state = self.state();
                (state.step, state.waiting.clone())
            };
            let written = self.held.write(|status| self.describe(status, step, waiting.as_deref()));
            match written.await {
                Ok(()) => {}
                Err(Error::Conflict { .. }) => return,
                Err(error) => tracing::warn!("the progress is not written: {error}"),
            }
            self.changed(step).await;
        }
    }

    /// Why the export was ended before anything was pushed, if it was.
    pub(super) fn refused(&self) -> Option<Failure> {
        self.state().refused.take()
    }

    fn describe(&self, status: &mut ExportStatus, step: Option<Step>, waiting: Option<&str>) {
        status.step = step;
        status.message = waiting.filter(|_| step == Some(Step::Waiting)).map(str::to_owned);
        let sequence = status.progress.as_ref().map_or(0, |progress| progress.sequence);
        let tally = self.state().tally.clone().unwrap_or_default();
        status.progress = Some(Tally { sequence, ..tally });
    }

    /// Waits for the next step, or for bytes that moved since the last write.
    async fn changed(&self, step: Option<Step>) {
        let tally = self.state().tally.clone();
        let waiting = self.state().waiting.clone();
        loop {
            tokio::select! {
                () = self.news.notified() => {}
                () = sleep(EVERY) => {}
            }
            let state = self.state();
            if state.step != step || state.tally != tally || state.waiting != waiting {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Observer for Watch<'_> {
    fn step(&self, step: perform::Step) {
        {
            let mut state = self.state();
            // What is pushed first are the images.
            let is_copying = step == perform::Step::Pushing && !state.images.is_empty();
            state.step = Some(if is_copying { Step::Copying } else { step.into() });
        }
        self.news.notify_one();
    }

    fn waiting(&self, line: &str) {
        self.state().waiting = Some(line.to_owned());
    }

    async fn planned(&self, plan: &Plan) -> Result<(), export::Error> {
        let allowed = self.permit.kinds(self.live, &plan.objects, self.authorizer).await;
        if let Err(failure) = allowed {
            let (resource, reason) = (failure.message.clone(), failure.reason.to_owned());
            self.state().refused = Some(failure);
            return Err(Error::Forbidden { resource, reason }.into());
        }
        {
            let mut state = self.state();
            let copied = plan.images.iter().filter(|image| !image.image.kept && !image.present);
            state.images = copied.map(|image| image.image.digest.clone()).collect();
            let images_total = state.images.len() as u64;
            state.tally = Some(Tally { images_total, ..Tally::default() });
        }
        let planned = record::planned(plan, Timestamp::now());
        let written = self.held.write(|status| {
            // What is there is what the earlier attempt has pushed.
            let resumed = self.resumed.filter(|_| plan.action != Action::Push);
            status.planned = Some(resumed.unwrap_or(&planned).clone());
        });
        written.await?;
        self.held.introduce(plan).await;
        Ok(())
    }
}

impl Progress for Watch<'_> {
    fn event(&self, event: Event<'_>) {
        let state = &mut *self.state();
        let tally = state.tally.get_or_insert_default();
        match event {
            Event::BlobStarted(blob) => {
                tally.bytes_total += blob.size;
                tally.blobs_total += 1;
                state.moving.insert(blob.digest.clone(), 0);
            }
            Event::BlobBytes(digest, bytes) => {
                tally.bytes_done += bytes;
                *state.moving.entry(digest.clone()).or_default() += bytes;
            }
            Event::BlobRestarted(digest) => {
                let void = state.moving.insert(digest.clone(), 0).unwrap_or_default();
                tally.bytes_done = tally.bytes_done.saturating_sub(void);
            }
            Event::BlobDone(blob, _) => {
                if state.moving.remove(&blob.digest).is_none() {
                    // It did not have to be moved.
                    tally.bytes_total += blob.size;
                    tally.bytes_done += blob.size;
                    tally.blobs_total += 1;
                }
                tally.blobs_done += 1;
            }
            Event::ManifestDone(manifest) => {
                tally.images_done += u64::from(state.images.remove(&manifest.digest));
                if state.images.is_empty() && state.step == Some(Step::Copying) {
                    state.step = Some(Step::Pushing);
                    self.news.notify_one();
                }
            }
        }
    }
}
