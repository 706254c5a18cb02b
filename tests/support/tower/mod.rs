//! An Avassa Control Tower in this process: its REST for registries and secrets, and its own registry,
//! which is a real one behind the way that tokens are asked for.
//!
//! What the vendor documents is strict here, and what it does not document is not here: the user's name
//! is ignored, the token is the password (`docker login -u any -p TOKEN`); a token ends midway (401), is held back by its policy (403), and nothing goes while the Strongbox is
//! sealed (503).

mod rest;
mod way;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use reqwest::Client;
use serde_json::Value;
use tokio::sync::oneshot;

use super::block_on;
use super::registry::Registry;

/// The token that lets in, as the registry's password and as the bearer of the REST.
pub(crate) const TOKEN: &str = "96b08b7c-canary-2591816be019";

/// Largest body that passes: more than any blob of a test's image.
const MAX_BODY: usize = 64 << 20;

/// What the tests decide, and what came of it.
#[derive(Default)]
struct State {
    /// Whether the token ends at the next manifest that is put.
    ends_at_manifest: bool,
    /// Whether it has ended.
    is_ended: bool,
    is_sealed: bool,
    /// Whether the policy of the token lacks Registry-Push.
    is_pull_only: bool,
    /// What was made by the REST, by path.
    made: BTreeMap<String, Value>,
}

/// What serves a request.
#[derive(Clone)]
struct Door {
    state: Arc<Mutex<State>>,
    client: Client,
    /// Scheme, host and port of the registry behind.
    behind: String,
}

/// A running Control Tower. Dropping it ends it.
pub(crate) struct Tower {
    address: String,
    /// The registry itself, past all tokens.
    pub(crate) registry: Registry,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tower {
    pub(crate) fn start() -> Self {
        let registry = Registry::plain().start();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let state = Arc::<Mutex<State>>::default();
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let behind = format!("http://{}", registry.address());
        let door = Door { state: Arc::clone(&state), client, behind };
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let app = Router::new().fallback(answer).with_state(door);
                tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
                // Its sender is dropped to say that it is over; the runtime takes the tasks with it.
                let _ = stopped.await;
            });
        });
        Self { address, registry, state, stop: Some(stop), thread: Some(thread) }
    }

    /// `127.0.0.1:PORT`, as image references have it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What `docker login -u any` leaves behind for this token.
    pub(crate) fn docker_config(&self, token: &str) -> String {
        let login = serde_json::json!({ "username": "any", "password": token });
        serde_json::json!({ "auths": { &self.address: login } }).to_string()
    }

    /// Has the token end at the next manifest that is put, which is not taken any more.
    pub(crate) fn end_at_manifest(&self) {
        self.state().ends_at_manifest = true;
    }

    /// Makes the token good for any number of requests again.
    pub(crate) fn renew(&self) {
        let mut state = self.state();
        (state.ends_at_manifest, state.is_ended) = (false, false);
    }

    /// Seals or unseals the Strongbox.
    pub(crate) fn seal(&self, is_sealed: bool) {
        self.state().is_sealed = is_sealed;
    }

    /// Takes Registry-Push out of the policy, or gives it back.
    pub(crate) fn deny_push(&self, is_denied: bool) {
        self.state().is_pull_only = is_denied;
    }

    /// What the REST has made, by path.
    pub(crate) fn made(&self) -> BTreeMap<String, Value> {
        self.state().made.clone()
    }

    /// Sends a document to a path below `/v1/config/`, and gives the status of the answer.
    pub(crate) fn send(&self, method: &str, path: &str, document: &str, token: &str) -> u16 {
        let url = format!("http://{}/v1/config/{path}", self.address);
        block_on(async {
            let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
            let request = client.request(method.parse().unwrap(), url).bearer_auth(token);
            request.body(document.to_owned()).send().await.unwrap().status().as_u16()
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for Tower {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn answer(door: extract::State<Door>, request: extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    if door.state.lock().unwrap().is_sealed {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match parts.uri.path() {
        path if path.starts_with("/v2/") => way::pass(&door, &parts, body).await,
        path if path.starts_with("/v1/config/") => {
            let status = rest::answer(&mut door.state.lock().unwrap(), &parts, &body);
            Response::builder().status(status).body(Body::empty()).unwrap()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
