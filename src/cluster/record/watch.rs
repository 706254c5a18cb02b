//! Every record of a kind in the cluster, kept up to date by one watch, for whoever wants to look at them
//! often.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::{Stream, StreamExt as _, stream};
use kube::Api;
use kube::runtime::watcher::{self, watcher};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::kept::{Health, Kept, Read, Record};
use super::schedule::{ExportSchedule, RUN, SCHEDULE};
use super::{APP, CANCEL, DESTINATION, Export, MARK, REQUEST};
use crate::cluster::Live;
use crate::cluster::error::root_cause;
use crate::cluster::watching::{Backoff, WATCH_SECONDS};

/// Records of one page of a list: a hundred of the largest are a few MiB.
const PAGE: u32 = 100;

/// Every export of the cluster.
pub type ExportStore = Store<Export>;

/// Every schedule of the cluster.
pub type ScheduleStore = Store<ExportSchedule>;

/// Every record of a kind. Its watch ends with the last clone.
#[derive(Clone, Debug)]
pub struct Store<R> {
    kept: watch::Sender<Kept<R>>,
    restarts: Arc<AtomicU64>,
    _watching: Arc<Vec<AbortOnDropHandle<()>>>,
}

impl Live {
    /// Watches every export of these namespaces or, without any, of the cluster, until the last clone of
    /// the store is dropped.
    pub fn watch_exports(&self, namespaces: &[String]) -> ExportStore {
        self.watch(namespaces)
    }

    /// The same of every schedule.
    pub fn watch_schedules(&self, namespaces: &[String]) -> ScheduleStore {
        self.watch(namespaces)
    }

    fn watch<R: Record>(&self, namespaces: &[String]) -> Store<R> {
        let kept = Kept::new(namespaces);
        let places = kept.places();
        let kept = watch::Sender::new(kept);
        let restarts = Arc::default();
        let watching = places.into_iter().enumerate().map(|(number, namespace)| {
            let records = match namespace {
                Some(namespace) => Api::namespaced(self.api.kube(), &namespace),
                None => Api::all(self.api.kube()),
            };
            let watch = follow(records, number, kept.clone(), Arc::clone(&restarts));
            AbortOnDropHandle::new(tokio::spawn(watch))
        });
        Store { _watching: Arc::new(watching.collect()), kept, restarts }
    }
}

impl Record for Export {
    /// Two thousand wait or are remembered where nobody floods the cluster, and one has some 8 KiB.
    const MOST: usize = 4096;
    const LABELS: &'static [&'static str] = &[REQUEST, APP, DESTINATION, SCHEDULE];
    const ANNOTATIONS: &'static [&'static str] = &[CANCEL, MARK];
}

impl Record for ExportSchedule {
    /// One has some 2 KiB, and up to 30 KiB if it is of many applications.
    const MOST: usize = 2048;
    const LABELS: &'static [&'static str] = &[];
    const ANNOTATIONS: &'static [&'static str] = &[RUN, MARK];
}

impl ExportStore {
    /// Those that are not finished and have this value of the label [`REQUEST`]. Anybody can write
    /// one, so who joins an export compares what it asks for.
    pub fn running_with(&self, request: &str) -> Vec<Arc<Export>> {
        let same = |of: &&Arc<Export>| !of.is_terminal() && of.label(REQUEST) == Some(request);
        self.kept.borrow().records.values().filter(same).cloned().collect()
    }
}

impl<R: Record> Store<R> {
    /// The record of this name, if it is there.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<R>> {
        self.kept.borrow().get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Every record, by namespace and name.
    pub fn list(&self) -> Vec<Arc<R>> {
        self.kept.borrow().records.values().cloned().collect()
    }

    /// How well it knows what is there.
    pub fn health(&self) -> Health {
        self.kept.borrow().health()
    }

    /// How often the watch failed and began again.
    pub fn restarts(&self) -> u64 {
        self.restarts.load(Ordering::Relaxed)
    }

    /// Waits until everything was read once.
    pub async fn synced(&self) {
        // It cannot be closed: we hold its sender.
        let _ = self.kept.subscribe().wait_for(Kept::is_complete).await;
    }

    /// The states of one record from now on, the present one first; `None` while there is none. Who
    /// reads slowly misses states, but never the last one. Ends with the store.
    pub fn changes(
        &self,
        namespace: &str,
        name: &str,
    ) -> impl Stream<Item = Option<Arc<R>>> + Send + use<R> {
        let key = (namespace.to_owned(), name.to_owned());
        let start = (self.kept.subscribe(), key, None);
        stream::unfold(start, |(mut kept, key, seen)| async move {
            let is_news = |kept: &Kept<R>| kept.is_complete() && !is_same(&seen, &kept.get(&key));
            let now = kept.wait_for(is_news).await.ok()?.get(&key);
            Some((now.clone(), (kept, key, Some(now))))
        })
    }

    /// A tick whenever anything has changed, the first at once. Many changes may be one tick. Ends
    /// with the store.
    pub fn ticks(&self) -> impl Stream<Item = ()> + Send + use<R> {
        let mut kept = self.kept.subscribe();
        kept.mark_changed();
        stream::unfold(kept, |mut kept| async {
            kept.changed().await.ok()?;
            Some(((), kept))
        })
    }
}

/// Whether what was seen last, if anything, is what is there now.
fn is_same<R>(seen: &Option<Option<Arc<R>>>, now: &Option<Arc<R>>) -> bool {
    match (seen, now) {
        (Some(Some(seen)), Some(now)) => Arc::ptr_eq(seen, now),
        (Some(None), None) => true,
        _ => false,
    }
}

/// Watches without end.
async fn follow<R: Record>(
    records: Api<Read<R>>,
    number: usize,
    kept: watch::Sender<Kept<R>>,
    restarts: Arc<AtomicU64>,
) {
    let mut backoff = Backoff::new();
    loop {
        let started = Instant::now();
        let Some(error) = watch_once(&records, number, &kept).await else { continue };
        restarts.fetch_add(1, Ordering::Relaxed);
        let reason = root_cause(&error);
        tracing::debug!(kind = %R::kind(&()), reason, "the watch of records begins again");
        if let Some(health) = health(&error, reason) {
            kept.send_modify(|kept| kept.set(number, health));
        }
        tokio::time::sleep(backoff.after(started.elapsed())).await;
    }
}

/// Reads all and watches on, until that fails, or `None` if all is to be read again. A watch that was
/// cut off is not resumed: only a list says for certain that nothing is missing and all is well.
async fn watch_once<R: Record>(
    records: &Api<Read<R>>,
    number: usize,
    kept: &watch::Sender<Kept<R>>,
) -> Option<watcher::Error> {
    let config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    let mut events = pin!(watcher(records.clone(), config));
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(error) => return Some(error),
        };
        kept.send_if_modified(|kept| kept.take(number, event));
        if kept.borrow().has_room_again(number) {
            break;
        }
    }
    None
}

/// What a failure says of the store; `None` where only the server's history was too short, of which
/// nobody needs to know.
fn health(error: &watcher::Error, reason: String) -> Option<Health> {
    match error {
        watcher::Error::WatchError(status) if status.code == 410 => None,
        watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 404 => {
            Some(Health::NotServed)
        }
        _ => Some(Health::Away(reason)),
    }
}
