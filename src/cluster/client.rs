//! One Kubernetes client: requests with bounds on time, size and retries. Exports only `GET`; what an
//! import sends is in [`super::target`], what the server writes in [`super::record`].

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::Body as _;
use hyper::http::{Method, Request, Response, header};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::error::root_cause;
use super::{Error, config};

pub use super::config::ClientOptions;

/// A client of one API server.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    /// Address of the API server, for messages.
    server: String,
    /// Namespace of the context.
    namespace: String,
}

/// One request.
struct Call<'a> {
    method: Method,
    path: &'a str,
    accept: &'a str,
    /// Type and bytes of what is sent.
    body: Option<(&'a str, Vec<u8>)>,
}

/// What the API server says when it refuses.
#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
}

/// A name that does not resolve or a port that drops packets is told within this time; a real API
/// server accepts in milliseconds, one across the world in under a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A page of 500 objects takes a busy API server a second or two; its own limit is 60 s.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Login plugins of a kubeconfig may open a browser and wait for a person.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(180);

/// kube's own retries go on for minutes (15 tries up to 1000 s apart); three tell a passing fault
/// from a lasting one.
const ATTEMPTS: u32 = 3;

/// First pause between attempts; the next is twice as long, each with up to as much jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest `Retry-After` that is waited for: API servers under load say one second.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Longest text of the API server that goes into a message.
const MAX_REASON: usize = 300;

/// Largest answer that is no list of objects (discovery of a cluster with hundreds of CRDs is
/// about 2 MiB).
pub(super) const MAX_DOCUMENT: usize = 32 << 20;

/// Levels of a document that serde_json reads; what walks through objects is safe within them.
/// Kinds of Kubernetes itself have about twenty.
const MAX_DEPTH: usize = 128;

pub(super) const JSON: &str = "application/json";

/// An error and how long the server asks to wait.
struct Failed(Box<Error>, Option<Duration>);

impl Failed {
    fn new(error: Error, pause: Option<Duration>) -> Self {
        Self(Box::new(error), pause)
    }
}

impl Api {
    /// Reads the configuration and makes a client. No request is sent yet, but login plugins run.
    ///
    /// # Errors
    /// When there is no configuration, or one that cannot be used.
    pub(super) async fn connect(options: &ClientOptions) -> Result<Self, Error> {
        let mut config = config::read(options).await?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(CALL_TIMEOUT);
        config.reset_reader_on_write = true;
        config.default_retry = false;
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespace = config.default_namespace.clone();
        // Login plugins are programs that kube waits for in place.
        let made = tokio::task::spawn_blocking(move || Client::try_from(config));
        let bad = |reason: String| Error::BadConfig { config: config::describe(options), reason };
        let client = timeout(LOGIN_TIMEOUT, made)
            .await
            .map_err(|_| bad(format!("its login took over {} s", LOGIN_TIMEOUT.as_secs())))?
            .map_err(|error| bad(error.to_string()))?
            .map_err(|error| bad(root_cause(&error)))?;
        Ok(Self { client, server, namespace })
    }

    /// Address of the API server.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// The client itself, for watches, which last longer than any answer.
    pub(super) fn kube(&self) -> Client {
        self.client.clone()
    }

    /// Namespace of the context.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The JSON at `path`, of at most `limit` bytes, and how many bytes it was.
    ///
    /// # Errors
    /// By situation; 404 and other statuses that are no success as [`Error::Api`].
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        accept: &str,
        limit: usize,
    ) -> Result<(T, usize), Error> {
        let call = Call { method: Method::GET, path, accept, body: None };
        self.repeat(&call, limit).await
    }

    /// Sends JSON of a media type, and reads the JSON of the answer. Asked again as [`Self::get`]
    /// is, so only what may be sent twice.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: &Value,
    ) -> Result<T, Error> {
        let body = Some((media_type, body.to_string().into_bytes()));
        let call = Call { method, path, accept: JSON, body };
        Ok(self.repeat(&call, MAX_DOCUMENT).await?.0)
    }

    /// As [`Self::send`], but never asked again: for what may not be sent twice, and for what
    /// somebody waits for who can ask again.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub(super) async fn send_once<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        media_type: &str,
        body: &Value,
    ) -> Result<T, Error> {
        let body = Some((media_type, body.to_string().into_bytes()));
        let call = Call { method, path, accept: JSON, body };
        let bytes = self.attempt(&call, MAX_DOCUMENT).await.map_err(|Failed(error, _)| *error)?;
        serde_json::from_slice(&bytes).map_err(|error| self.garbled(path, &error))
    }

    async fn repeat<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
        limit: usize,
    ) -> Result<(T, usize), Error> {
        let path = call.path;
        let mut attempt = 1;
        let bytes = loop {
            match self.attempt(call, limit).await {
                Ok(bytes) => break bytes,
                Err(Failed(error, pause)) if attempt < ATTEMPTS && error.is_transient() => {
                    // What is said of a body may quote it.
                    let error = call.body.is_none().then(|| tracing::field::display(&error));
                    tracing::debug!(server = self.server, path, error, "asking again");
                    tokio::time::sleep(pause.unwrap_or_else(|| backoff(attempt))).await;
                    attempt += 1;
                }
                Err(Failed(error, _)) => return Err(*error),
            }
        };
        let value = serde_json::from_slice(&bytes).map_err(|error| self.garbled(path, &error))?;
        Ok((value, bytes.len()))
    }

    async fn attempt(&self, call: &Call<'_>, limit: usize) -> Result<Vec<u8>, Failed> {
        let path = call.path;
        let expired = || Error::Timeout {
            server: self.server.clone(),
            what: bare(path),
            seconds: CALL_TIMEOUT.as_secs(),
        };
        timeout(CALL_TIMEOUT, self.call(call, limit))
            .await
            .unwrap_or_else(|_| Err(Failed::new(expired(), None)))
    }

    // `Client::request` would do, but it logs a body that does not parse, and reads without end.
    async fn call(&self, call: &Call<'_>, limit: usize) -> Result<Vec<u8>, Failed> {
        let path = call.path;
        let request = Request::builder().method(&call.method).uri(path);
        let request = request.header(header::ACCEPT, call.accept);
        let request = match &call.body {
            Some((media_type, bytes)) => {
                request.header(header::CONTENT_TYPE, *media_type).body(Body::from(bytes.clone()))
            }
            None => request.body(Body::empty()),
        };
        let request = request.map_err(|error| Failed::new(self.protocol(path, &error), None))?;
        let response = self
            .client
            .send(request)
            .await
            .map_err(|error| Failed::new(self.broken(&error), None))?;
        let status = response.status();
        if status.is_success() {
            return self
                .collect(path, response, limit)
                .await
                .map_err(|error| Failed::new(error, None));
        }
        let pause = retry_after(&response);
        // A refusal whose words cannot be read is still that refusal.
        let words = self.collect(path, response, MAX_DOCUMENT).await.unwrap_or_default();
        Err(Failed::new(self.refused(path, status.as_u16(), &words), pause))
    }

    async fn collect(
        &self,
        path: &str,
        response: Response<Body>,
        limit: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let frame = frame.map_err(|error| self.broken(&error))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > limit {
                let limit = format!("{} MiB", limit >> 20);
                return Err(Error::TooLarge {
                    what: format!("the answer to {}", bare(path)),
                    limit,
                });
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    fn refused(&self, path: &str, status: u16, body: &[u8]) -> Error {
        let server = self.server.clone();
        let said: Status = serde_json::from_slice(body).unwrap_or_default();
        let reason = one_line(&said.message);
        match status {
            401 => Error::Unauthorized { server },
            403 => Error::Forbidden { resource: bare(path), reason },
            _ => Error::Api { server, status, path: bare(path), reason },
        }
    }

    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        Error::Unreachable { server: self.server.clone(), reason: root_cause(error) }
    }

    fn garbled(&self, path: &str, error: &serde_json::Error) -> Error {
        // serde_json says it in words alone; those of this error quote nothing.
        if error.to_string().starts_with("recursion limit exceeded") {
            let server = self.server.clone();
            return Error::TooDeep { server, path: bare(path), limit: MAX_DEPTH };
        }
        // Not serde's own words: they may quote what was read.
        let reason = format!("line {}, column {}", error.line(), error.column());
        Error::Protocol { server: self.server.clone(), path: bare(path), reason }
    }

    fn protocol(&self, path: &str, error: &dyn std::error::Error) -> Error {
        let reason = error.to_string();
        Error::Protocol { server: self.server.clone(), path: bare(path), reason }
    }
}

fn backoff(attempt: u32) -> Duration {
    let pause = FIRST_PAUSE * 2u32.pow(attempt - 1);
    pause + pause.mul_f64(fastrand::f64())
}

fn retry_after(response: &Response<Body>) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

fn bare(path: &str) -> String {
    path.split('?').next().unwrap_or_default().to_owned()
}

fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_REASON) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "no reason given".to_owned(),
        None => text,
    }
}
