//! One export from the side of who asked for it: its states until it is finished.

use futures_util::{Stream, StreamExt as _, stream};
use kube::Api;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};

use super::Export;
use crate::cluster::error::root_cause;
use crate::cluster::watching::WATCH_SECONDS;
use crate::cluster::{Error, Live};

/// A state of an export, or what keeps us from knowing it.
#[derive(Debug)]
pub enum Seen {
    /// This is how it is now.
    Now(Box<Export>),
    /// It is gone, or a later one of its name is there.
    Gone,
    /// The cluster does not say; it is asked again, and again.
    Away(String),
}

impl Live {
    /// The states of `export` from now on, the present one first. Goes on whatever happens to the
    /// connection, so that who waits for its end sees it; never ends by itself.
    ///
    /// # Errors
    /// An item is an error where asking again is of no use: the export may not be watched.
    pub fn follow_export(
        &self,
        export: &Export,
    ) -> impl Stream<Item = Result<Seen, Error>> + Send + use<> {
        let (name, uid) = (export.name(), export.uid().to_owned());
        let exports = Api::<Export>::namespaced(self.api.kube(), export.namespace());
        let config = watcher::Config::default()
            .fields(&format!("metadata.name={name}"))
            .timeout(WATCH_SECONDS);
        let resource = format!("exports.outhaul.dev/{name}");
        let events = watcher(exports, config).default_backoff();
        let mut found = false;
        events.flat_map(move |event| {
            let seen = seen(event, &uid, &resource, &mut found);
            stream::iter(seen.transpose())
        })
    }
}

/// What an event says of the export with this uid. `found` is whether a list had it so far.
fn seen(
    event: Result<Event<Export>, watcher::Error>,
    uid: &str,
    resource: &str,
    found: &mut bool,
) -> Result<Option<Seen>, Error> {
    let is_ours = |export: &Export| export.uid() == uid;
    Ok(match event {
        Ok(Event::Init) => {
            *found = false;
            None
        }
        Ok(Event::InitApply(export) | Event::Apply(export)) if is_ours(&export) => {
            *found = true;
            Some(Seen::Now(Box::new(export)))
        }
        Ok(Event::InitDone) if *found => None,
        Ok(Event::InitApply(_)) => None,
        Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => Some(Seen::Gone),
        Err(error) => match refusal(&error) {
            Some(reason) => {
                return Err(Error::Forbidden { resource: resource.to_owned(), reason });
            }
            None => Some(Seen::Away(root_cause(&error))),
        },
    })
}

/// The API server's words if it refused to let us look.
fn refusal(error: &watcher::Error) -> Option<String> {
    let (watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))) = error
    else {
        return None;
    };
    matches!(status.code, 401 | 403).then(|| status.message.clone())
}
