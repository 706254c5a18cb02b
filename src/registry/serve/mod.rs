//! An OCI layout served as a registry: pull and push by the OCI distribution specification.
//!
//! ```text
//!  request ─► route ─┬─► manifests (tags, referrers) ─┐
//!                    ├─► blobs (ranges)               ├─► Layout
//!                    └─► uploads (sessions, mounts) ──┘
//! ```
//!
//! For sites without a network, and for the demo. It asks nobody who they are and speaks plain
//! HTTP: it belongs on a loopback address, or behind something that does both. It deletes nothing.

mod blobs;
mod manifests;
mod refusal;
mod route;
mod sessions;
mod uploads;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::serve::ListenerExt as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Layout;
use refusal::{Refusal, json_body};
use route::Endpoint;
use sessions::Uploads;

/// How long requests in progress may go on after the shutdown has begun: as long as an
/// orchestrator waits before it kills (Kubernetes: 30 s), with some to spare.
const GRACE: Duration = Duration::from_secs(20);

/// How often abandoned uploads are looked for.
const SWEEP: Duration = Duration::from_secs(5 * 60);

/// What every request works on.
#[derive(Clone, Debug)]
struct Server {
    layout: Arc<Layout>,
    uploads: Arc<Uploads>,
}

/// The parts of a request other than its path.
#[derive(Debug)]
struct Request {
    method: Method,
    query: Parameters,
    headers: HeaderMap,
    body: Body,
}

/// The parameters of all end points; each takes what concerns it.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Parameters {
    digest: Option<String>,
    mount: Option<String>,
    n: Option<String>,
    last: Option<String>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
}

/// Serves `layout` on `listener` until `shutdown` is ready; then requests in progress may end and
/// unfinished uploads are removed.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    layout: Arc<Layout>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let server = Server { layout, uploads: Arc::default() };
    let uploads = Arc::clone(&server.uploads);
    let (stopping, stopped) = oneshot::channel();
    let until = async move {
        shutdown.await;
        let _ = stopping.send(()); // nobody waits for it if the server ended before
    };
    // Answers are written in two parts, head and body: without this, the second waits for the
    // client's delayed acknowledgement of the first.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let serving = axum::serve(listener, routes(server)).with_graceful_shutdown(until);
    let grace = async {
        if stopped.await.is_ok() {
            tokio::time::sleep(GRACE).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let result = tokio::select! {
        result = serving.into_future() => result,
        () = grace => Ok(()),
        () = sweep(&uploads) => Ok(()),
    };
    uploads.clear();
    result
}

/// The routes, to be served by other means than [`serve`]. Uploads are then removed when the
/// router is dropped.
pub fn router(layout: Arc<Layout>) -> Router {
    routes(Server { layout, uploads: Arc::default() })
}

fn routes(server: Server) -> Router {
    Router::new()
        .route("/v2", any(version))
        .route("/v2/", any(version))
        .route("/v2/{*rest}", any(dispatch))
        .with_state(server)
}

async fn sweep(uploads: &Uploads) {
    loop {
        tokio::time::sleep(SWEEP).await;
        uploads.sweep();
    }
}

async fn version() -> Response {
    named(json_body(&json!({})).into_response())
}

async fn dispatch(
    State(server): State<Server>,
    Path(rest): Path<String>,
    query: Result<Query<Parameters>, QueryRejection>,
    method: Method,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = async {
        let Query(query) = query.map_err(|error| Refusal::invalid("UNSUPPORTED", error))?;
        server.answer(route::parse(&rest)?, Request { method, query, headers, body }).await
    };
    named(answer.await.unwrap_or_else(|refusal| refusal.into_response()))
}

/// Docker asks for this header before it believes that this is a registry.
fn named(mut response: Response) -> Response {
    let value = HeaderValue::from_static("registry/2.0");
    response.headers_mut().insert("docker-distribution-api-version", value);
    response
}

impl Server {
    async fn answer(&self, endpoint: Endpoint, request: Request) -> Result<Response, Refusal> {
        match (endpoint, request.method.as_str()) {
            (Endpoint::Catalog, "GET" | "HEAD") => self.catalog(&request.query).await,
            (Endpoint::Tags(of), "GET" | "HEAD") => self.tags(&of, &request.query).await,
            (Endpoint::Manifest(of, at), "GET" | "HEAD") => self.manifest(&of, &at).await,
            (Endpoint::Manifest(of, at), "PUT") => self.put_manifest(&of, &at, request).await,
            (Endpoint::Referrers(of, subject), "GET" | "HEAD") => {
                self.referrers(&of, &subject, &request.query).await
            }
            (Endpoint::Blob(_, digest), method @ ("GET" | "HEAD")) => {
                self.blob(&digest, request.headers.get(header::RANGE), method == "GET").await
            }
            (Endpoint::Uploads(to), "POST") => self.begin(&to, request).await,
            (Endpoint::Upload(to, id), "GET") => self.status(&to, &id).await,
            (Endpoint::Upload(to, id), "PATCH") => self.patch(&to, &id, request).await,
            (Endpoint::Upload(to, id), "PUT") => self.finish(&to, &id, request).await,
            (Endpoint::Upload(to, id), "DELETE") => self.cancel(&to, &id),
            (_, method) => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "UNSUPPORTED",
                format!("{method} is not supported here"),
            )),
        }
    }
}
