//! A Controller of Eclipse ioFog in this process: it answers as a real one was recorded
//! (`tests/fixtures/systems/recorded/iofog-*.txt`), and fails as it is told.
//!
//! | request | answers |
//! |---|---|
//! | `POST /api/v3/user/login` | a token, or 401 |
//! | `… /api/v3/registries[/ID]` | [`rows`]: seeds 1 and 2, own rows, rows of another user |
//! | `POST /api/v3/application/yaml` | [`application`]: the checks of images and registries |
//!
//! What was not recorded is as its source has it (eclipse-iofog/Controller, ccf098c).

mod application;
mod rows;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::sync::oneshot;

pub(crate) use rows::Row;
use rows::Rows;

/// Who may log in.
pub(crate) const EMAIL: &str = "ann@example.com";

/// Her password.
pub(crate) const PASSWORD: &str = "canary-of-ann";

/// The token that every login gives, as long as it is good.
pub(crate) const TOKEN: &str = "canary-token";

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// An error of this status, as JSON of the Controller's form.
    Status(u16),
    /// A page in place of JSON, with this status.
    Html(u16),
    /// The token is no longer good: 401.
    Expired,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The header `Authorization`, empty where there is none.
    pub(crate) authorization: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    rows: Rows,
    applications: Vec<application::Application>,
    received: Vec<Received>,
    trouble: Option<(usize, Trouble)>,
    /// Whether the trouble is over with its first answer.
    is_once: bool,
}

/// It, on a free loopback port. Dropping it ends it.
pub(crate) struct Controller {
    url: String,
    shared: Arc<Mutex<Shared>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Controller {
    /// A fresh one: the two rows that each has by itself.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::<Mutex<Shared>>::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, app).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { url, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Scheme, host and port.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All rows with everything that is stored of them.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.shared().rows.all().to_vec()
    }

    /// Adds a row of another user, and gives its id.
    pub(crate) fn add_foreign(&self, url: &str, is_public: bool) -> u64 {
        self.shared().rows.add_foreign(url, is_public)
    }

    /// From the request after the next `good` on, this happens to each.
    pub(crate) fn fail_after(&self, good: usize, trouble: Trouble) {
        let mut shared = self.shared();
        (shared.trouble, shared.is_once) = (Some((good, trouble)), false);
    }

    /// After the next `good` requests, one finds the token expired.
    pub(crate) fn expire_once_after(&self, good: usize) {
        let mut shared = self.shared();
        (shared.trouble, shared.is_once) = (Some((good, Trouble::Expired)), true);
    }

    /// An application names the row from now on.
    pub(crate) fn use_row(&self, id: u64) {
        self.shared().applications.push(application::Application { rows: vec![id] });
    }

    /// Everything is well again.
    pub(crate) fn recover(&self) {
        self.shared().trouble = None;
    }

    /// What it got since the last call.
    pub(crate) fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut self.shared().received)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Status and body of an answer; 204 has none.
type Answer = (u16, Value);

/// An error as the Controller writes it; one that nobody foresaw has its stack.
fn refusal(status: u16, name: &str, message: &str) -> Answer {
    let mut body = json!({"name": name, "message": message});
    if status == 500 {
        body["stack"] = format!("{name}: {message}\n    at scripted (/controller.js:1:1)").into();
    }
    (status, body)
}

async fn answer(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap());
    let mut shared = shared.lock().unwrap();
    shared.received.push(Received {
        method: method.to_string(),
        path: uri.to_string(),
        authorization: authorization.unwrap_or_default().to_owned(),
        body: body.to_vec(),
    });
    let (status, body) = match shared.next_trouble() {
        Some(Trouble::Html(status)) => {
            let page = "<!DOCTYPE html><html><body>Sign in</body></html>";
            let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            return (StatusCode::from_u16(status).unwrap(), html, page).into_response();
        }
        Some(Trouble::Status(status)) => refusal(status, "Error", "as it was told"),
        Some(Trouble::Expired) => refusal(401, "AuthenticationError", "token expired"),
        None => {
            let path = uri.path().strip_prefix("/api/v3/").unwrap_or_default();
            shared.answer(&method, path, authorization, content_type.unwrap_or_default(), &body)
        }
    };
    let status = StatusCode::from_u16(status).unwrap();
    if status == StatusCode::NO_CONTENT {
        return status.into_response();
    }
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, json, body.to_string()).into_response()
}

impl Shared {
    fn next_trouble(&mut self) -> Option<Trouble> {
        let (good, trouble) = self.trouble.as_mut()?;
        if *good > 0 {
            *good -= 1;
            return None;
        }
        let trouble = *trouble;
        if self.is_once {
            self.trouble = None;
        }
        Some(trouble)
    }

    fn answer(
        &mut self,
        method: &Method,
        path: &str,
        authorization: Option<&str>,
        content_type: &str,
        body: &[u8],
    ) -> Answer {
        if (method, path) == (&Method::POST, "user/login") {
            return login(body);
        }
        match authorization {
            None => return refusal(500, "Error", "the token is undefined"),
            Some(token) if token != TOKEN => {
                return refusal(401, "AuthenticationError", "authorization failed");
            }
            Some(_) => {}
        }
        match (method.as_str(), path.split_once('/')) {
            ("GET", None) if path == "registries" => self.rows.list(),
            ("POST", None) if path == "registries" => self.rows.create(&parsed(body)),
            ("PATCH", Some(("registries", id))) => self.rows.update(id, &parsed(body)),
            ("DELETE", Some(("registries", id))) => {
                let used: Vec<u64> =
                    self.applications.iter().flat_map(|a| a.rows.clone()).collect();
                self.rows.delete(id, &used)
            }
            ("POST", Some(("application", "yaml"))) => {
                let file = application::part(content_type, body, "application");
                application::create(&file, &self.rows, &mut self.applications)
            }
            _ => refusal(404, "NotFoundError", "there is no such route here"),
        }
    }
}

fn login(body: &[u8]) -> Answer {
    let body = parsed(body);
    match (body["email"].as_str(), body["password"].as_str()) {
        (Some(EMAIL), Some(PASSWORD)) => (200, json!({"accessToken": TOKEN})),
        _ => refusal(401, "InvalidCredentialsError", "Invalid credentials"),
    }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}
