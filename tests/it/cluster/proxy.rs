//! A proxy between the code under test and kube-apiserver: it sees every request, and may answer
//! in its place.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::cluster::Cluster;

/// A request as the hook sees it.
pub(crate) struct Seen {
    /// Such as `/api/v1/namespaces/a/pods?limit=500`.
    pub(crate) path: String,
    /// Whether metadata alone was asked for.
    pub(crate) metadata: bool,
    /// How often this very request came before.
    pub(crate) before: usize,
}

/// What happens to a request.
pub(crate) enum Verdict {
    /// It goes on as it is.
    Pass,
    /// It goes on with this path.
    Rewrite(String),
    /// It is answered here.
    Answer(u16, String),
    /// As before, with `Retry-After`.
    Later(u16, u32),
}

type Hook = Box<dyn Fn(&Seen) -> Verdict + Send + Sync>;

struct Inner {
    upstream: String,
    client: reqwest::Client,
    hook: Hook,
    log: Mutex<Vec<(String, String)>>,
    /// How often watches were cut.
    cuts: watch::Sender<usize>,
}

/// A running proxy. It ends with the runtime that it was started on.
pub(crate) struct Proxy {
    inner: Arc<Inner>,
    folder: TempDir,
    url: String,
}

impl Proxy {
    pub(crate) async fn start(
        cluster: &Cluster,
        hook: impl Fn(&Seen) -> Verdict + Send + Sync + 'static,
    ) -> Self {
        let kubeconfig = std::fs::read_to_string(cluster.kubeconfig("admin")).unwrap();
        let ca = kubeconfig.split("certificate-authority: '").nth(1).unwrap();
        let ca = std::fs::read(ca.split('\'').next().unwrap()).unwrap();
        let ca = reqwest::Certificate::from_pem(&ca).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let upstream = cluster.url().to_owned();
        let (hook, log, cuts) = (Box::new(hook), Mutex::default(), watch::Sender::new(0));
        let inner = Inner { upstream, client, hook, log, cuts };
        let inner = Arc::new(inner);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(forward).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { inner, folder: TempDir::new().unwrap(), url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A kubeconfig that goes through here.
    pub(crate) fn kubeconfig(&self, user: &str) -> PathBuf {
        let path = self.folder.path().join(user);
        let content = format!(
            "apiVersion: v1
kind: Config
current-context: test
clusters: [{{name: test, cluster: {{server: '{}'}}}}]
contexts: [{{name: test, context: {{cluster: test, user: {user}, namespace: chosen}}}}]
users: [{{name: {user}, user: {{token: {user}-token}}}}]
",
            self.url
        );
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Breaks the connection of every watch that goes through here.
    pub(super) fn cut(&self) {
        self.inner.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Methods and paths of all requests so far.
    pub(crate) fn log(&self) -> Vec<(String, String)> {
        self.inner.log.lock().unwrap().clone()
    }
}

async fn forward(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let path = request.uri().path_and_query().unwrap().to_string();
    let accept = request.headers().get(header::ACCEPT).cloned();
    let metadata = accept.as_ref().is_some_and(|a| a.to_str().unwrap().contains("PartialObject"));
    let before = {
        let mut log = inner.log.lock().unwrap();
        let entry = (request.method().to_string(), format!("{path} {metadata}"));
        log.push(entry.clone());
        log.iter().filter(|other| **other == entry).count() - 1
    };
    let target = match (inner.hook)(&Seen { path: path.clone(), metadata, before }) {
        Verdict::Pass => path,
        Verdict::Rewrite(path) => path,
        Verdict::Answer(status, body) => {
            return (StatusCode::from_u16(status).unwrap(), body).into_response();
        }
        Verdict::Later(status, seconds) => {
            let wait = [(header::RETRY_AFTER, seconds.to_string())];
            return (StatusCode::from_u16(status).unwrap(), wait).into_response();
        }
    };
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut on = inner.client.request(parts.method, format!("{}{target}", inner.upstream));
    for name in [header::ACCEPT, header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = parts.headers.get(&name) {
            on = on.header(name, value);
        }
    }
    on = on.body(body);
    let answer = on.send().await.unwrap();
    let status = answer.status();
    let body = match target.contains("watch=true") {
        true => watched(answer, inner.cuts.subscribe()),
        false => Body::from(answer.bytes().await.unwrap()),
    };
    (status, body).into_response()
}

/// What comes of a watch, as it comes, until it is cut.
fn watched(answer: reqwest::Response, mut cuts: watch::Receiver<usize>) -> Body {
    let cut = futures_util::stream::once(async move {
        let _ = cuts.changed().await;
        Err(std::io::Error::other("cut"))
    });
    let pieces = answer.bytes_stream().map(|piece| piece.map_err(std::io::Error::other));
    Body::from_stream(futures_util::stream::select(pieces, cut))
}
