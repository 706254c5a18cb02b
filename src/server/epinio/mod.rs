//! Epinio's API, `/api/v1`: what its unmodified client and its UI use to log in, look around and
//! export. Paths, bodies and titles are Epinio's; `docs/SERVER.md` §13 says where a status is not.
//!
//! ```text
//! out: envelope ─► 404, 405, moved ─► known: who asks, Epinio-Version ─► handler ─► Asked::need
//! ```

mod application;
mod apps;
mod asked;
mod door;
mod envelope;
mod export;
mod info;
mod me;
mod namespaces;
mod paging;
mod registries;
mod target;
mod wish;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};

use super::limit;
use super::state::State;

use asked::Asked;
use envelope::Refusal;

/// Where the API is.
const ROOT: &str = "/api/v1";

/// The routes, and the refusals of everything else below them.
pub(super) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let known = [
        ("/me", get(me::me)),
        ("/authtoken", get(me::token)),
        ("/namespaces", get(namespaces::list)),
        ("/namespaces/{ns}", get(namespaces::one)),
        ("/namespacematches", get(namespaces::matches_all)),
        ("/namespacematches/{prefix}", get(namespaces::matches)),
        ("/exportregistries", get(registries::list)),
        ("/exportregistrymatches", get(registries::matches_all)),
        ("/exportregistrymatches/{prefix}", get(registries::matches)),
        ("/applications", get(apps::all)),
        ("/applications/grouped", get(apps::grouped)),
        ("/namespaces/{ns}/applications", get(apps::list)),
        ("/namespaces/{ns}/applications/{app}", get(apps::one)),
        ("/namespaces/{ns}/appsmatches", get(apps::matches_all)),
        ("/namespaces/{ns}/appsmatches/{prefix}", get(apps::matches)),
    ];
    let known_layer = from_fn_with_state(Arc::clone(state), door::known);
    let strangers = from_fn_with_state(Arc::clone(state), limit::strangers);
    let open = |handlers: MethodRouter<Arc<State>>| handlers.layer(strangers.clone());
    let export = post(export::export).route_layer(known_layer.clone()).fallback(not_post);
    let mut routes = Router::new()
        .route("/ready", get(info::ready))
        .route(&format!("{ROOT}/info"), open(get(info::info)).fallback(not_get))
        .route(&format!("{ROOT}/namespaces/{{ns}}/applications/{{app}}/export"), export);
    for (path, handlers) in known {
        routes = routes
            .route(
                &format!("{ROOT}{path}"),
                handlers.route_layer(known_layer.clone()).fallback(not_get),
            )
            // The client asks so for what begins with nothing.
            .route(&format!("{ROOT}{path}/"), open(any(moved)));
    }
    for root in [ROOT, "/wapi/v1"] {
        for rest in ["", "/", "/{*rest}"] {
            routes = routes.route(&format!("{root}{rest}"), open(any(unknown)));
        }
    }
    routes.layer(from_fn(door::out))
}

async fn unknown(uri: Uri) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("route '{}' does not exist", uri.path()))
}

/// `HEAD` is answered as well, but Epinio does not speak of it.
async fn not_get() -> impl IntoResponse {
    wrong_method("GET")
}

async fn not_post() -> impl IntoResponse {
    wrong_method("POST")
}

fn wrong_method(allowed: &'static str) -> impl IntoResponse {
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    ([(header::ALLOW, allowed)], refusal)
}

/// Sends to the same path without the slash at its end, as Epinio's router does.
async fn moved(request: Request) -> Response {
    let (path, is_get) = (request.uri().path(), request.method() == Method::GET);
    let path = path.strip_suffix('/').unwrap_or(path);
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{path}{query}");
    if !is_get {
        return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response();
    }
    let escaped = location.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let escaped = escaped.replace('"', "&#34;").replace('\'', "&#39;");
    let body = format!("<a href=\"{escaped}\">Moved Permanently</a>.\n\n");
    let html = "text/html; charset=utf-8";
    let headers = [(header::LOCATION, location), (header::CONTENT_TYPE, html.to_owned())];
    (StatusCode::MOVED_PERMANENTLY, headers, body).into_response()
}
