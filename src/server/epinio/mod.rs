//! Epinio's API, `/api/v1`: what its unmodified client and its UI use to log in, look around and
//! export. Paths, bodies and titles are Epinio's; `docs/SERVER.md` §13 says where a status is not.
//!
//! ```text
//! cors ─► out: envelope ─► 404, 405, moved ─► known: who asks, Epinio-Version ─► handler ─► Asked::need
//!                             └► or Epinio's own server
//! ```

mod application;
mod apps;
mod asked;
mod charts;
mod configurations;
mod cors;
mod door;
mod envelope;
mod export;
mod info;
mod me;
mod namespaces;
mod paging;
mod parts;
mod registries;
mod services;
mod target;
mod upstream;
mod wish;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};

use super::limit;
use super::state::State;

pub(super) use upstream::{Upstream, follow};

use asked::Asked;
use envelope::Refusal;

/// Where the API is.
const ROOT: &str = "/api/v1";

/// Whether it is ready, for whoever asks.
const READY: &str = "/ready";

/// What it is, for whoever asks.
const INFO: &str = "/info";

/// Where exports are asked for.
const EXPORT: &str = "/namespaces/{ns}/applications/{app}/export";

/// What those who are known may `GET` here; with a server of Epinio's own behind, `passes`, the token is
/// that server's to give.
fn known(passes: bool) -> Vec<(&'static str, MethodRouter<Arc<State>>)> {
    let mut known = vec![
        ("/me", get(me::me)),
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
        ("/namespaces/{ns}/applications/{app}/part/{part}", get(parts::part)),
        ("/namespaces/{ns}/appsmatches", get(apps::matches_all)),
        ("/namespaces/{ns}/appsmatches/{prefix}", get(apps::matches)),
    ];
    if !passes {
        // Epinio's own server tells more of these.
        known.extend([
            ("/authtoken", get(me::token)),
            ("/appcharts", get(charts::list)),
            ("/appcharts/{name}", get(charts::one)),
            ("/appchartsmatch", get(charts::matches_all)),
            ("/appchartsmatch/{prefix}", get(charts::matches)),
            ("/configurations", get(configurations::all)),
            ("/namespaces/{ns}/configurations", get(configurations::list)),
            ("/services", get(services::services)),
            ("/namespaces/{ns}/services", get(services::within)),
            ("/catalogservices", get(services::catalogue)),
            ("/gitconfigs", get(services::gitconfigs)),
            ("/builderimages", get(services::builderimages)),
        ]);
    }
    known
}

/// Method and path of each route that answers here, for the tests that hold all of them.
pub fn table() -> Vec<(Method, String)> {
    let mut all = vec![(Method::GET, READY.to_owned()), (Method::POST, format!("{ROOT}{EXPORT}"))];
    let known = known(false);
    let paths = known.iter().map(|(path, _)| *path).chain([INFO]);
    all.extend(paths.map(|path| (Method::GET, format!("{ROOT}{path}"))));
    all
}

/// The routes, and what becomes of everything else below them: a refusal, or a request to Epinio's own
/// server.
pub(super) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    let passes = state.upstream.is_some();
    let known_layer = from_fn_with_state(Arc::clone(state), door::known);
    let strangers = from_fn_with_state(Arc::clone(state), limit::strangers);
    let at_once = from_fn_with_state(Arc::clone(state), limit::at_once);
    let open = |handlers: MethodRouter<_>| handlers.layer(strangers.clone()).layer(at_once.clone());
    // Layers of routes alone: what passes has limits of its own, as an upload or a websocket must not
    // take the room of others.
    let own = |handlers: MethodRouter<_>| {
        handlers.route_layer(known_layer.clone()).route_layer(at_once.clone())
    };
    let gets = |handlers: MethodRouter<_>| match passes {
        true => handlers.fallback(upstream::pass),
        false => handlers.fallback(not_get),
    };
    let posts = |handlers: MethodRouter<_>| match passes {
        true => handlers.fallback(upstream::pass),
        false => handlers.fallback(not_post),
    };
    let rest = || if passes { any(upstream::pass) } else { open(any(unknown)) };
    let export = posts(own(post(export::export)));
    let mut routes = Router::new()
        .route(READY, get(info::ready).layer(at_once.clone()))
        .route(&format!("{ROOT}{INFO}"), gets(open(get(info::info))))
        .route(&format!("{ROOT}{EXPORT}"), export);
    for (path, handlers) in known(passes) {
        routes = routes
            .route(&format!("{ROOT}{path}"), gets(own(handlers)))
            // The client asks so for what begins with nothing.
            .route(&format!("{ROOT}{path}/"), open(any(moved)));
    }
    for root in [ROOT, "/wapi/v1"] {
        for below in ["", "/", "/{*rest}"] {
            routes = routes.route(&format!("{root}{below}"), rest());
        }
    }
    if passes {
        routes = routes.route("/api/swagger.json", rest());
    }
    let routes = routes.layer(from_fn(door::out));
    let origin =
        state.epinio.allow_origin.as_ref().map(|origin| HeaderValue::try_from(origin.to_string()));
    match origin {
        Some(Ok(origin)) => routes.layer(from_fn_with_state(origin, cors::allow)),
        _ => routes, // an origin is ASCII
    }
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
