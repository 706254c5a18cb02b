//! A registry in this process that keeps to the protocol, but for the faults that a test asks for.
//!
//! It is strict where it can be: a manifest whose parts are missing is refused, a token must name the
//! scope, and once the test is over nothing may be left half done (see [`Faulty`]'s `Drop`).
//!
//! ```text
//!  request ─► log ─► auth ─► first fault that matches ─► protocol ─► the fault's change ─► answer
//! ```
//!
//! It has a second address, [`Faulty::other_host`], with the same content and no login: where
//! redirects and upload locations lead that go to somebody else's machine.

mod auth;
mod fault;
mod protocol;
mod server;
mod state;

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub(crate) use auth::Auth;
pub(crate) use fault::{Fault, Place, Trouble};
use state::State;

use super::images::Target;

/// What the registry is like apart from its faults.
pub(crate) struct Options {
    pub(crate) auth: Auth,
    /// Whether it has the referrers API; 404 if not, as Distribution answers.
    pub(crate) referrers: bool,
    /// The most tags on one page.
    pub(crate) page: usize,
}

/// A request, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// The `Authorization` header as it came.
    pub(crate) authorization: Option<String>,
    /// Whether it came to [`Faulty::other_host`].
    pub(crate) other_host: bool,
    /// Bytes of the body that were read.
    pub(crate) body: usize,
    /// 0 when the connection was dropped instead of answered.
    pub(crate) status: u16,
}

/// A running registry.
///
/// Dropping it fails the test when an upload session is still open, when a fault has not fired as
/// often as it was to, or when credentials came to the other host.
pub(crate) struct Faulty {
    address: String,
    other: String,
    back: String,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { auth: Auth::Open, referrers: false, page: 1000 }
    }
}

impl Faulty {
    /// Starts one that lets everybody in.
    pub(crate) fn start() -> Self {
        Self::with(Options::default())
    }

    /// Starts one that asks who is there.
    pub(crate) fn with_auth(auth: Auth) -> Self {
        Self::with(Options { auth, ..Options::default() })
    }

    /// Starts one.
    pub(crate) fn with(options: Options) -> Self {
        server::start(options)
    }

    /// `127.0.0.1:PORT`, as image references have it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// `localhost:PORT`, by another name and port: another host as far as a client can know.
    pub(crate) fn other_host(&self) -> &str {
        &self.other
    }

    /// How a test reaches it: past its login, its faults and its log.
    pub(crate) fn target(&self) -> Target {
        Target { url: self.back.clone(), login: None, ca: None }
    }

    /// Adds a fault. The oldest that matches a request and has not worn out is the one that fires.
    pub(crate) fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Makes every token that is out there worthless.
    pub(crate) fn expire_tokens(&self) {
        self.state().tokens.clear();
    }

    /// Every request so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state().log.values().cloned().collect()
    }

    /// How many requests had this method and this in their path.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        let matches = |request: &&Request| request.method == method && request.path.contains(path);
        self.state().log.values().filter(matches).count()
    }

    /// Forgets the requests up to now.
    pub(crate) fn clear_requests(&self) {
        self.state().log.clear();
    }

    /// Upload sessions that are neither finished nor cancelled.
    pub(crate) fn open_uploads(&self) -> usize {
        self.state().uploads.len()
    }

    /// Tells it that sessions left open are what the test is about.
    pub(crate) fn forget_uploads(&self) {
        self.state().uploads.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if std::thread::panicking() {
            return;
        }
        assert!(!matches!(ended, Some(Err(_))), "the registry itself panicked");
        let state = self.state();
        let open: Vec<_> = state.uploads.values().map(|upload| &upload.repository).collect();
        assert!(open.is_empty(), "upload sessions left open in {open:?}");
        let waiting: Vec<_> = state.faults.iter().filter(|fault| !fault.is_done()).collect();
        assert!(waiting.is_empty(), "faults that have not fired: {waiting:#?}");
        assert!(!state.leaked, "credentials came to the other host");
    }
}
