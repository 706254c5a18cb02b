//! What anybody may ask: whether it is ready, and what it is.

use std::sync::Arc;
use std::time::Duration;

use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::envelope::Json;
use crate::server::state::State;

/// Who asks who we are does not wait for the cluster any longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What Epinio says of clusters that are none that it knows.
const PLATFORM: &str = "generic";

/// What a server of Epinio says of itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Info {
    /// Such as `v1.14.0`.
    pub(super) version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    kube_version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    platform: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    default_builder_image: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    oidc_enabled: bool,
}

/// `GET /api/v1/info`: what Epinio's own server says, if there is one beside us.
pub(super) async fn info(extract::State(state): extract::State<Arc<State>>) -> Json<Info> {
    if let Some(info) = state.upstream.as_ref().and_then(|upstream| upstream.info()) {
        return Json(info);
    }
    let version = timeout(PATIENCE, state.live.version());
    let has_dex = timeout(PATIENCE, state.users.has_dex());
    let (kube_version, has_dex) = tokio::join!(version, has_dex);
    Json(Info {
        version: state.epinio.version.clone(),
        kube_version: kube_version.ok().and_then(Result::ok).unwrap_or_default(),
        platform: PLATFORM.to_owned(),
        default_builder_image: String::new(),
        oidc_enabled: has_dex.is_ok_and(|has| has == Ok(true)),
    })
}

/// `GET /ready`
pub(super) async fn ready(extract::State(state): extract::State<Arc<State>>) -> Response {
    if state.readiness().ready {
        return Json(serde_json::json!({})).into_response();
    }
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    let body = r#"{"message":"Roles are not yet initialized"}"#;
    (StatusCode::SERVICE_UNAVAILABLE, headers, body).into_response()
}
