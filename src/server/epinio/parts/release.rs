//! Helm's record of an application.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::super::envelope::Refusal;
use super::App;
use crate::app::helm::{Lookup, Record};

/// The record of the release that is the application's. Anybody who makes workloads can write the name
/// of another release on them, of a database as well, so the release has to name the application
/// itself, as Epinio's all do.
///
/// # Errors
/// 422 when there is none or it cannot be made out, 403 when the server itself may not read it.
pub(super) async fn record(app: &App) -> Result<Arc<Record>, Refusal> {
    let live = &app.asked.state.live;
    for name in live.epinio_releases(&app.namespace, &app.name).await? {
        match live.release(&app.namespace, &name).await? {
            Lookup::Found(release) => match release.record {
                Some(record) if is_of(&record, &app.name) => return Ok(record),
                _ => {}
            },
            Lookup::NotAsked | Lookup::Absent => {}
            Lookup::Forbidden { .. } => return Err(unreadable(&app.namespace)),
            Lookup::Broken { reason, .. } => {
                return Err(unusable(format!("helm's record of release '{name}': {reason}")));
            }
        }
    }
    Err(unusable(format!("there is no release of Helm for application '{}'", app.name)))
}

fn is_of(record: &Record, app: &str) -> bool {
    let named = record.config.expose().get("epinio").and_then(|of| of.get("appName"));
    named.and_then(Value::as_str) == Some(app)
}

fn unusable(title: String) -> Refusal {
    Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, title)
}

fn unreadable(namespace: &str) -> Refusal {
    let title = format!("the server may not read helm's records in namespace {namespace}");
    let hint = "whoever runs the server can let it read Secrets there";
    Refusal::new(StatusCode::FORBIDDEN, title).details(hint)
}
