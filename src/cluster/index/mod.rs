//! The applications of the whole cluster, kept up to date by watches, so that a list of all of them
//! reads nothing. What single objects say is kept ([`Glance`](crate::app::Glance)), no objects.

mod kept;
mod kinds;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use kube::Client;
use kube::ResourceExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::sync::{Semaphore, watch};
use tokio_util::task::AbortOnDropHandle;

use self::kept::{Kept, Read as Seen, Standing, Watch};
use self::kinds::{HELM, KINDS, Kind, Read, Shallow};
use super::Live;
use super::error::root_cause;
use super::watching::{Backoff, WATCH_SECONDS, jitter};
use crate::app::Candidate;

/// Objects of one page of a list: whole ones have some 5 KiB, and parsing takes a multiple.
const PAGE: u32 = 200;

/// Kinds that are listed at once: a page of each is in memory then.
const AT_ONCE: usize = 2;

/// When a kind that is not served, or that we may not read, is asked for again: somebody has to
/// install it, or to give the right.
const LATER: Duration = Duration::from_secs(60);

/// The applications of the cluster, or of some namespaces. Its watches end with the last clone.
#[derive(Clone, Debug)]
pub struct AppIndex(Arc<Index>);

#[derive(Debug)]
struct Index {
    shared: Arc<Shared>,
    _watching: Vec<AbortOnDropHandle<()>>,
}

/// What the watches write.
#[derive(Debug)]
struct Shared {
    kept: watch::Sender<Kept>,
    restarts: [AtomicU64; KINDS.len()],
    listing: Semaphore,
}

impl Live {
    /// Watches what applications are made of, in these namespaces or, without any, in all, until the
    /// last clone of the index is dropped.
    pub fn watch_apps(&self, namespaces: &[String]) -> AppIndex {
        let places: Vec<Option<String>> = match namespaces {
            [] => vec![None],
            some => some.iter().cloned().map(Some).collect(),
        };
        let kinds = 0..KINDS.len();
        let watches: Vec<Watch> = { kinds }
            .flat_map(|kind| places.iter().cloned().map(move |namespace| Watch { kind, namespace }))
            .collect();
        let shared = Arc::new(Shared {
            kept: watch::Sender::new(Kept::new(watches.clone())),
            restarts: Default::default(),
            listing: Semaphore::new(AT_ONCE),
        });
        let watching = watches.into_iter().enumerate().map(|(number, watch)| {
            let (client, shared) = (self.api.kube(), Arc::clone(&shared));
            AbortOnDropHandle::new(tokio::spawn(follow(client, number, watch, shared)))
        });
        AppIndex(Arc::new(Index { _watching: watching.collect(), shared }))
    }
}

impl AppIndex {
    /// The applications of a namespace, in order of name; none where it knows nothing of it.
    pub fn apps(&self, namespace: &str) -> Vec<Candidate> {
        self.kept().apps(namespace)
    }

    /// Names of the namespaces with something that may be an application's, in order.
    pub fn namespaces(&self) -> Vec<String> {
        self.kept().namespaces()
    }

    /// Names of Epinio's applications of a namespace, in order; `None` while they are not all known.
    pub fn epinio_apps(&self, namespace: &str) -> Option<Vec<String>> {
        self.kept().epinio_apps(namespace)
    }

    /// Waits until everything that may be read was read once.
    pub async fn synced(&self) {
        // It cannot be closed: we hold its sender.
        let _ = self.0.shared.kept.subscribe().wait_for(Kept::is_complete).await;
    }

    /// What is not up to date now, and why, if anything.
    pub fn unread(&self) -> Option<String> {
        self.kept().unread()
    }

    /// Kinds of which not every object is in it: the server's account may not read them, or there are
    /// more than it keeps.
    pub fn unreadable(&self) -> Vec<String> {
        self.kept().unreadable()
    }

    /// How often watches failed and began again, by kind.
    pub fn restarts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let restarts = KINDS.iter().zip(&self.0.shared.restarts);
        restarts.map(|(kind, count)| (kind.name, count.load(Ordering::Relaxed)))
    }

    fn kept(&self) -> watch::Ref<'_, Kept> {
        self.0.shared.kept.borrow()
    }
}

/// Watches without end.
async fn follow(client: Client, number: usize, watch: Watch, shared: Arc<Shared>) {
    let kind = &KINDS[watch.kind];
    let mut backoff = Backoff::new();
    loop {
        let started = Instant::now();
        let place = watch.namespace.as_deref();
        let ended = match kind.read {
            Read::Templates => watch_once::<false>(&client, kind, place, number, &shared).await,
            Read::Metadata | Read::OfHelm => {
                watch_once::<true>(&client, kind, place, number, &shared).await
            }
        };
        let Err(error) = ended else { continue };
        let reason = root_cause(&error);
        let standing = standing(&error, &reason);
        let pause = match standing {
            Some(Standing::NotServed | Standing::Forbidden) => jitter(LATER),
            _ => {
                shared.restarts[watch.kind].fetch_add(1, Ordering::Relaxed);
                backoff.after(started.elapsed())
            }
        };
        tracing::debug!(kind = kind.name, reason, "the watch begins again");
        if let Some(standing) = standing {
            shared.kept.send_modify(|kept| kept.set(number, standing));
        }
        tokio::time::sleep(pause).await;
    }
}

/// Reads all and watches on, until that fails. A watch that was cut off is not resumed: only a list
/// says for certain that nothing is missing.
async fn watch_once<const METADATA: bool>(
    client: &Client,
    kind: &Kind,
    namespace: Option<&str>,
    number: usize,
    shared: &Shared,
) -> Result<(), watcher::Error> {
    let (client, resource) = (client.clone(), kind.resource());
    let api = match namespace {
        Some(namespace) => {
            kube::Api::<Shallow<METADATA>>::namespaced_with(client, namespace, &resource)
        }
        None => kube::Api::all_with(client, &resource),
    };
    let mut config = watcher::Config::default().page_size(PAGE).timeout(WATCH_SECONDS);
    if kind.read == Read::OfHelm {
        config = config.labels(HELM);
    }
    let mut turn = shared.listing.acquire().await.ok();
    let mut listed: Vec<Seen> = Vec::new();
    let mut events = pin!(watcher(api, config));
    while let Some(event) = events.try_next().await? {
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(read) => {
                let seen = seen(kind, read);
                // What says nothing is most of it.
                if seen.2.is_some() {
                    listed.push(seen);
                }
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut listed);
                shared.kept.send_modify(|kept| kept.replace(number, listed));
                turn = None;
            }
            Event::Apply(read) => {
                let seen = seen(kind, read);
                shared.kept.send_modify(|kept| kept.put(number, seen));
            }
            Event::Delete(read) => {
                let (namespace, name, _) = seen(kind, read);
                shared.kept.send_modify(|kept| kept.remove(number, &namespace, name));
            }
        }
    }
    drop(turn);
    Ok(())
}

fn seen<const METADATA: bool>(kind: &Kind, read: Shallow<METADATA>) -> Seen {
    (read.namespace().unwrap_or_default(), read.name_any(), kind.glance(read))
}

/// What a failure says of a watch; `None` where only the server's history was too short, of which
/// nobody needs to know.
fn standing(error: &watcher::Error, reason: &str) -> Option<Standing> {
    use watcher::Error as E;
    let status = match error {
        E::WatchError(status) => Some(status.code),
        E::InitialListFailed(kube::Error::Api(status))
        | E::WatchStartFailed(kube::Error::Api(status)) => Some(status.code),
        _ => None,
    };
    match status {
        Some(410) => None,
        Some(404) => Some(Standing::NotServed),
        Some(403) => Some(Standing::Forbidden),
        _ => Some(Standing::Away(reason.to_owned())),
    }
}
