//! A server in the place of Epinio's own: it remembers what comes, and answers by the path.
//!
//! | path | answer |
//! |---|---|
//! | `/api/v1/info` | a version of its own |
//! | an upgrade | an echo of every message; where the path ends in `/refused`, 403 |
//! | ends in `/text` | 400, JSON that says it is text, as Epinio's do |
//! | others | 201, JSON |

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum_server::tls_rustls::RustlsConfig;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::certs::Identity;

/// What it says that it is.
pub(crate) const VERSION: &str = "v1.13.7";

/// What it says of itself.
pub(crate) const INFO: &str = r#"{"version":"v1.13.7","kube_version":"v1.33.1","platform":"k3s","default_builder_image":"builder:1","oidc_enabled":true}"#;

/// What it answers with status 400.
pub(crate) const REFUSAL: &str =
    r#"{"errors":[{"status":400,"title":"EOF","details":"<as it is>"}]}"#;

/// The server. Dropping it ends it.
pub(crate) struct Upstream {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// One request that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, as they came.
    pub(crate) target: String,
    /// In order of name.
    pub(crate) headers: Vec<(String, String)>,
    /// Length of the body.
    pub(crate) length: usize,
    /// SHA-256 of the body, hexadecimal.
    pub(crate) digest: String,
}

impl Upstream {
    /// Listens in clear.
    pub(crate) fn start() -> Self {
        Self::listen(None)
    }

    /// Listens by TLS.
    pub(crate) fn start_tls(identity: &Identity) -> Self {
        let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        Self::listen(Some(config))
    }

    fn listen(tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                listener.set_nonblocking(true).unwrap();
                let app = app.into_make_service();
                match tls {
                    None => {
                        let server = axum_server::from_tcp(listener).unwrap();
                        tokio::spawn(server.serve(app));
                    }
                    Some(tls) => {
                        let tls = RustlsConfig::from_config(Arc::new(tls));
                        let server = axum_server::from_tcp_rustls(listener, tls).unwrap();
                        tokio::spawn(server.serve(app));
                    }
                }
                // Its sender is dropped to say that it is over; the runtime takes the tasks with it.
                let _ = stopped.await;
            });
        });
        let url = format!("{scheme}://{address}");
        Self { url, seen, stop: Some(stop), thread: Some(thread) }
    }

    /// Scheme, host and port.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What has come since the last call, but for questions of who it is.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        let seen = std::mem::take(&mut *lock(&self.seen));
        seen.into_iter().filter(|seen| seen.target != "/api/v1/info").collect()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Seen {
    /// The value of a header, empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value)
    }
}

fn lock(seen: &Mutex<Vec<Seen>>) -> MutexGuard<'_, Vec<Seen>> {
    seen.lock().unwrap()
}

async fn answer(State(seen): State<Arc<Mutex<Vec<Seen>>>>, mut request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let upgrade = request.headers().get(header::UPGRADE).is_some();
    if upgrade && !path.ends_with("/refused") {
        let (key, upgraded) = (key(request.headers()), hyper::upgrade::on(&mut request));
        note(&seen, &request.into_parts().0, 0, &Sha256::new());
        tokio::spawn(async move { echo(upgraded.await.unwrap()).await });
        let headers = [
            (header::CONNECTION, "upgrade".to_owned()),
            (header::UPGRADE, "websocket".to_owned()),
            (header::SEC_WEBSOCKET_ACCEPT, derive_accept_key(key.as_bytes())),
        ];
        return (StatusCode::SWITCHING_PROTOCOLS, headers).into_response();
    }
    let (parts, body) = request.into_parts();
    let (length, hash) = read(body).await;
    note(&seen, &parts, length, &hash);
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    match path.as_str() {
        "/api/v1/info" => (json, INFO).into_response(),
        path if path.ends_with("/refused") => (StatusCode::FORBIDDEN, json, "{}").into_response(),
        path if path.ends_with("/secret") => (StatusCode::UNAUTHORIZED, json, "{}").into_response(),
        path if path.ends_with("/text") => (StatusCode::BAD_REQUEST, REFUSAL).into_response(),
        _ => {
            let own = [("epinio-version", VERSION), ("x-request-id", "theirs"), ("x-more", "a")];
            (StatusCode::CREATED, json, own, r#"{"passed":"<yes>"}"#).into_response()
        }
    }
}

fn key(headers: &HeaderMap) -> String {
    let key = headers.get(header::SEC_WEBSOCKET_KEY).unwrap();
    key.to_str().unwrap().to_owned()
}

/// Reads a body piece by piece, as it may be large.
async fn read(body: Body) -> (usize, Sha256) {
    let (mut length, mut hash, mut pieces) = (0, Sha256::new(), body.into_data_stream());
    while let Some(Ok(piece)) = pieces.next().await {
        length += piece.len();
        hash.update(&piece);
    }
    (length, hash)
}

fn note(seen: &Mutex<Vec<Seen>>, parts: &Parts, length: usize, hash: &Sha256) {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value)));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    let digest = hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let (method, target) = (parts.method.to_string(), parts.uri.to_string());
    lock(seen).push(Seen { method, target, headers, length, digest });
}

async fn echo(upgraded: hyper::upgrade::Upgraded) {
    let io = TokioIo::new(upgraded);
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() || socket.send(message).await.is_err() {
            break;
        }
    }
    let _ = socket.close(None).await; // the other end may be gone
}
