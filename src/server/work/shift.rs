//! What a leader does while it leads: it looks at the records whenever one has changed, and has a few
//! workers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::accept::{Permit, Refusal, permit};
use super::attempt::Means;
use super::ended::Ended;
use super::executor::Executor;
use super::queue::{Job, Key, Limits, Queue};
use super::reconcile::{Action, World, next};
use super::{Desk, Failure, conditions, join, retire, shrink};
use crate::cluster;
use crate::cluster::record::{
    Export, ExportStatus, ExportStore, Health, Phase, ScheduleStore, Step,
};
use crate::server::notify::{self, Outbox};

/// All records are looked at so often even if none has changed: what could not be done is tried
/// again, and what is old goes.
const EVERY: Duration = Duration::from_secs(10);

/// Changes that come together are looked at together.
const GATHER: Duration = Duration::from_millis(20);

/// What runs and waits while this replica leads.
pub(super) struct Shift<'a> {
    desk: Arc<Desk>,
    executor: Arc<dyn Executor>,
    store: &'a ExportStore,
    schedules: &'a ScheduleStore,
    keep: Duration,
    queue: Queue,
    workers: JoinSet<()>,
    running: HashMap<Id, Running>,
    outbox: Outbox,
    /// Ends what runs here, and leaves its records as they are.
    left: CancellationToken,
}

struct Running {
    key: Key,
    uid: String,
    cancel: CancellationToken,
}

impl<'a> Shift<'a> {
    /// One that has nothing to do yet.
    pub(super) fn new(
        desk: Arc<Desk>,
        executor: Arc<dyn Executor>,
        (store, schedules): (&'a ExportStore, &'a ScheduleStore),
        limits: Limits,
        keep: Duration,
    ) -> Self {
        let outbox = Outbox::new(desk.courier.clone());
        Self {
            desk,
            executor,
            store,
            schedules,
            keep,
            queue: Queue::new(limits),
            workers: JoinSet::new(),
            running: HashMap::new(),
            outbox,
            left: CancellationToken::new(),
        }
    }

    /// Ends what runs, and leaves its records as they are.
    pub(super) async fn leave(&mut self) {
        self.left.cancel();
        self.drain().await;
    }

    /// Does what there is to do, for ever.
    pub(super) async fn go_on(&mut self) {
        let mut ticks = std::pin::pin!(self.store.ticks());
        loop {
            // What is out of date is not acted upon; what is only not complete is.
            if matches!(self.store.health(), Health::Synced | Health::Full) {
                self.pass().await;
            }
            sleep(GATHER).await;
            tokio::select! {
                _ = ticks.next() => {}
                Some(ended) = self.workers.join_next_with_id() => self.ended(ended),
                () = sleep(EVERY) => {}
            }
        }
    }

    /// Waits for what runs.
    pub(super) async fn drain(&mut self) {
        while let Some(ended) = self.workers.join_next_with_id().await {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!("a worker ended without an end: {error}");
                error.id()
            }
        };
        if let Some(running) = self.running.remove(&id) {
            self.queue.remove(&running.key);
        }
    }

    /// Looks at every record once.
    async fn pass(&mut self) {
        let exports = self.store.list();
        // They come by namespace, and a twin is of the same one.
        for neighbours in exports.chunk_by(|a, b| a.namespace() == b.namespace()) {
            for export in neighbours {
                if let Err(error) = self.look(export, join::twin(export, neighbours)).await {
                    tracing::warn!("{} is not written: {error}", Key::of(export));
                }
            }
        }
        self.stop_what_is_gone().await;
        while let Some(key) = self.queue.pop() {
            self.start(key);
        }
        self.outbox.look(&exports);
        let alone: Vec<_> =
            exports.into_iter().filter(|export| !self.is_of_schedule(export)).collect();
        let old = retire::expired(&alone, self.keep, Timestamp::now());
        for export in old.into_iter().filter(|export| !notify::is_owed(export)) {
            match self.desk.means.live.delete_export(&export).await {
                Ok(()) => tracing::info!("{} is old and removed", Key::of(&export)),
                Err(cluster::Error::Conflict { .. }) => {}
                Err(error) => tracing::warn!("{} is not removed: {error}", Key::of(&export)),
            }
        }
    }

    /// Whether a schedule looks after the record when it is finished. While it is not known which there
    /// are, one may.
    fn is_of_schedule(&self, export: &Export) -> bool {
        let Some(scheduled) = &export.spec.scheduled else { return false };
        match self.schedules.health() {
            Health::Synced => self.schedules.get(export.namespace(), &scheduled.name).is_some(),
            health => health != Health::NotServed,
        }
    }

    /// Does what is to be done about one record. Where somebody else was faster, that is seen next
    /// time.
    async fn look(&mut self, export: &Export, twin: Option<&Export>) -> Result<(), cluster::Error> {
        let key = Key::of(export);
        let running = self.running.values().find(|running| running.key == key);
        let (me, working, adopts) = (&*self.desk.me, running.is_some(), self.executor.adopts());
        let world = World { me, working, adopts, twin };
        match (next(export, world), running) {
            (Action::Wait, _) => Ok(()),
            (Action::Accept, _) => self.accept(export).await,
            (Action::Cancel, Some(running)) => {
                running.cancel.cancel();
                Ok(())
            }
            (Action::Cancel, None) => self.end(export, Ended::Cancelled, |_| ()).await,
            (Action::Start | Action::TakeOver | Action::Adopt, _) => {
                self.queue.push(Job::of(export));
                Ok(())
            }
            (Action::Join | Action::Copy | Action::Part, _) => {
                self.side_by_side(export, twin).await
            }
            (Action::GiveUp, _) => {
                self.end(export, Ended::Failed(Failure::interrupted()), |_| ()).await
            }
        }
    }

    /// Writes how a record stands to its twin: that it waits for it, has its end, or goes alone. The end
    /// was counted and told of at the twin.
    async fn side_by_side(
        &self,
        export: &Export,
        twin: Option<&Export>,
    ) -> Result<(), cluster::Error> {
        let change = |status: &mut ExportStatus| match twin {
            Some(twin) if status.joined_to.is_none() => join::join(status, twin.name()),
            Some(Export { status: Some(done), .. }) if done.phase != Some(Phase::Cancelled) => {
                join::copy(status, done, Timestamp::now());
            }
            _ => join::part(status),
        };
        self.write(export, change).await.map(drop)
    }

    /// Asks whether the export may be carried out, and says so. Where that cannot be found out now,
    /// it is asked again later.
    async fn accept(&self, export: &Export) -> Result<(), cluster::Error> {
        let Means { live, system_namespace, authorizer, marks, .. } = &self.desk.means;
        let accepted = permit(export, system_namespace, authorizer.as_ref(), marks, live).await;
        let now = Timestamp::now();
        match accepted {
            Ok(Permit { voucher, .. }) => {
                self.write(export, |status| queued(status, export, voucher, now)).await.map(drop)
            }
            Err(Refusal::Denied(failure)) => {
                let Failure { reason, message, .. } = failure.clone();
                let refuse = |status: &mut ExportStatus| {
                    conditions::set(status, conditions::ACCEPTED, false, reason, &message, now);
                };
                self.end(export, Ended::Failed(failure), refuse).await
            }
            Err(Refusal::Unavailable) => Ok(()),
        }
    }

    /// Whether it is written; else somebody was faster, and it is seen next time.
    async fn write(
        &self,
        export: &Export,
        change: impl FnOnce(&mut ExportStatus),
    ) -> Result<bool, cluster::Error> {
        let mut status = export.status.clone().unwrap_or_default();
        change(&mut status);
        status.count(Timestamp::now());
        shrink::shrink(&mut status);
        match self.desk.means.live.patch_status(export, &status).await {
            Ok(_) => Ok(true),
            Err(cluster::Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends an export that does not run.
    async fn end(
        &self,
        export: &Export,
        ended: Ended,
        further: impl FnOnce(&mut ExportStatus),
    ) -> Result<(), cluster::Error> {
        // Whoever may not export there is not to make anybody listen.
        let is_accepted = conditions::accepted(export).is_some();
        let is_told = is_accepted && self.desk.courier.is_wanted(&export.spec.destination).await;
        let conclude = |status: &mut ExportStatus| {
            further(status);
            ended.conclude(status, is_told, Timestamp::now());
        };
        if self.write(export, conclude).await? {
            self.desk.ended(export, None, &ended).await;
        }
        Ok(())
    }

    /// Ends what runs for a record that was removed. The store need not have all of them, so what is
    /// not in it is asked for.
    async fn stop_what_is_gone(&self) {
        for Running { key, uid, cancel } in self.running.values() {
            let is_it = |export: &Export| export.uid() == uid;
            let kept = self.store.get(&key.namespace, &key.name);
            if kept.is_some_and(|export| is_it(&export)) {
                continue;
            }
            let found = self.desk.means.live.export(&key.namespace, &key.name).await;
            if found.is_ok_and(|found| !found.is_some_and(|export| is_it(&export))) {
                cancel.cancel();
            }
        }
    }

    fn start(&mut self, key: Key) {
        let Some(export) = self.store.get(&key.namespace, &key.name) else {
            return self.queue.remove(&key);
        };
        let (uid, cancel) = (export.uid().to_owned(), CancellationToken::new());
        let (desk, work, stop) = (Arc::clone(&self.desk), key.clone(), cancel.clone());
        let (threads, left) = (Handle::current(), self.left.clone());
        let executor = Arc::clone(&self.executor);
        // On a thread of its own: a chart is rendered and compared for seconds, and what else is
        // served should not wait for that.
        let worker = self.workers.spawn_blocking(move || {
            let run = executor.run(&desk, &work, &stop);
            threads.block_on(left.run_until_cancelled(run));
        });
        self.running.insert(worker.id(), Running { key, uid, cancel });
    }
}

fn queued(status: &mut ExportStatus, export: &Export, voucher: &str, now: Timestamp) {
    status.observed_generation = export.metadata.generation;
    status.phase = Some(Phase::Pending);
    status.step = Some(Step::Queued);
    status.queued_at = Some(now);
    conditions::set(status, conditions::ACCEPTED, true, voucher, "", now);
}

impl Job {
    fn of(export: &Export) -> Self {
        Self {
            key: Key::of(export),
            namespace: export.target().to_owned(),
            app: export.spec.app.clone(),
            destination: export.spec.destination.clone(),
        }
    }
}
