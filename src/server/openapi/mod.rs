//! The description of the native API in OpenAPI 3.1, made from the table of its routes. Anybody may
//! read it: it says nothing that the documentation does not.

mod operation;
mod schemas;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use self::operation::operation;
use self::schemas::Schemas;
use super::json::MEDIA_TYPE;
use super::router::wrong_method;
use super::routes::{Answer, Route, router};
use super::state::State;
use super::{health, limit, native};
use crate::error::Code;

/// Version of the specification that the document follows (spec.openapis.org/oas/v3.1.1).
const OPENAPI: &str = "3.1.1";

/// What stands above all.
const DESCRIPTION: &str = "\
    Exports running Kubernetes applications to OCI registries, each as one Helm chart pinned by digest \
    to its images. JSON in camelCase; times are RFC 3339 in UTC; `…Bytes` and `…Ms` are sizes and \
    durations. Failures are RFC 9457 problems; `code` is what programs look at. A refusal of what the \
    caller may not is the same whether or not anything is there. `HEAD` is answered as `GET`.";

/// The one route.
fn table() -> Vec<Route> {
    let route = Route::get("/v1/openapi.json", read)
        .named("describe", "This description")
        .answers(Answer::text(MEDIA_TYPE, "The description of this API."))
        .refuses(&[Code::Overloaded, Code::RateLimited]);
    vec![route]
}

/// It, for whoever asks: nobody has to be known, and so it is limited by address.
pub(super) fn routes(state: &Arc<State>) -> Router<Arc<State>> {
    router(table())
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(state), limit::strangers))
}

/// `GET /v1/openapi.json`
async fn read() -> impl IntoResponse {
    static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());
    ([(header::CONTENT_TYPE, MEDIA_TYPE)], TEXT.as_str())
}

/// The description: the same for the same release, byte by byte.
pub fn document() -> Value {
    let mut routes = native::table();
    routes.extend(table());
    routes.extend(health::table());
    let (mut schemas, mut paths) = (Schemas::new(), Map::new());
    for route in &routes {
        let method = route.method.as_str().to_ascii_lowercase();
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method] = operation(route, &mut schemas);
    }
    json!({
        "openapi": OPENAPI,
        "info": {
            "title": "Outhaul",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas.into_components(), "securitySchemes": security()},
    })
}

/// How a caller becomes known (`docs/SERVER.md`, section 9).
fn security() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of a Kubernetes ServiceAccount for the server's audience, as \
                `kubectl create token NAME --audience outhaul.dev` makes it.",
        },
        "password": {
            "type": "http",
            "scheme": "basic",
            "description": "A user of Epinio, where the server knows them.",
        },
    })
}
