//! `POST …/export`: asks for an export as every door does, and answers at its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use serde::Serialize;
use tokio::time::sleep;

use super::Asked;
use super::apps::find;
use super::envelope::{Json, Refusal};
use super::target::{BAD, check};
use super::wish::Wish;
use crate::cluster::record::{ChosenNames, Door, Export, ExportSpec, Phase};
use crate::error::Code;
use crate::export::moving::EPINIO;
use crate::server::audit::{About, Event};
use crate::server::auth::epinio::Action;
use crate::server::json::bytes;
use crate::server::problem::Problem;
use crate::server::submit::{self, Submission, submit};
use crate::server::watching::{Update, watch};
use crate::server::work::DEADLINE_EXCEEDED;
use crate::server::work::accept::NOT_AUTHORIZED;

/// The client waits 15 min for the header of an answer, and no longer.
const PATIENCE: Duration = Duration::from_secs(14 * 60 + 30);

const STOPPING: &str = "the server is stopping; the export goes on, ask again to join it";

/// Label of pods: which staging their image came from.
const STAGE: &str = "epinio.io/stage-id";

#[derive(Serialize)]
pub(super) struct Done {
    status: &'static str,
}

/// `POST /api/v1/namespaces/{ns}/applications/{app}/export`. Whoever goes away meanwhile changes
/// nothing: the export goes on, and who asks again joins it.
pub(super) async fn export(
    asked: Asked,
    Path((namespace, app)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Done>, Refusal> {
    let about = About { namespace: Some(&namespace), app: Some(&app), ..About::default() };
    asked.need(Action::AppExport, Event::ExportCreate, about).await?;
    asked.namespace(&namespace).await?;
    let wish = Wish::read(&read(request).await?)?;
    let export = start(&asked, &namespace, &app, wish).await?;
    let Ok(_waits) = asked.state.limits.waits.try_acquire() else {
        let title =
            "too many wait for the end of an export already; it goes on, ask again to join it";
        return Err(Refusal::away(title));
    };
    let state = &asked.state;
    let stopping = async {
        state.health.stopped().await;
        sleep(state.drain / 2).await; // it may end before connections are cut
    };
    tokio::select! {
        ended = end(&asked, &export) => ended.map(|()| Json(Done { status: "ok" })),
        () = stopping => Err(Refusal::away(STOPPING)),
        () = sleep(PATIENCE) => {
            let name = format!("{namespace}/{}", export.name());
            let title = format!("export {name} is still running; ask again to join it");
            Err(Refusal::new(StatusCode::GATEWAY_TIMEOUT, title))
        }
    }
}

async fn read(request: Request) -> Result<Bytes, Refusal> {
    bytes(request).await.map_err(Refusal::from)
}

/// Looks whether it can be done, and asks for it.
async fn start(
    asked: &Asked,
    namespace: &str,
    app: &str,
    wish: Wish,
) -> Result<Arc<Export>, Refusal> {
    let stored = find(asked, namespace, app).await?;
    let system = asked.system_namespace().await?;
    check(asked, &system, namespace, app, &wish.destination).await?;
    let parts = asked.state.live.epinio_parts(namespace, &system, Some(stored.name())).await?;
    let Some(pod) = parts.pods.first() else {
        let title = "no chart available for application without workload";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, title));
    };
    // What was staged last may never have run; that of the pod is the image's.
    let stage = pod.label(STAGE).filter(|stage| !stage.is_empty()).map(str::to_owned);
    let moves = wish.chart_version.as_ref().is_none_or(|version| *version == EPINIO.to_string());
    let spec = ExportSpec {
        names: ChosenNames {
            chart_name: wish.chart_name,
            chart_version: wish.chart_version.filter(|_| !moves),
            image_name: wish.image_name,
            image_tag: wish.image_tag.or(stage),
        },
        epinio: moves,
        ..ExportSpec::new(app, wish.destination)
    };
    let submission = Submission {
        namespace: namespace.to_owned(),
        spec,
        key: None,
        door: Door::Epinio,
        request_id: asked.sender.id.as_str().to_owned(),
        source: Some(asked.sender.source),
    };
    let submitted = submit(&asked.state, &asked.sender.caller, submission).await;
    Ok(submitted.map_err(refusal)?.export)
}

fn refusal(error: submit::Error) -> Refusal {
    match error {
        submit::Error::Forbidden(_) => Refusal::new(StatusCode::FORBIDDEN, "user unauthorized"),
        other => Problem::from(other).into(),
    }
}

/// Waits for the end.
async fn end(asked: &Asked, export: &Export) -> Result<(), Refusal> {
    let mut updates = pin!(watch(&asked.state, export.namespace(), export.name(), None));
    while let Some(update) = updates.next().await {
        match update {
            Update::State(_) => {}
            Update::End(ended) => return outcome(&ended),
            Update::Gone => {
                let title = "the record of the export was removed, and so it was cancelled";
                return Err(Refusal::new(StatusCode::CONFLICT, title));
            }
        }
    }
    Err(Refusal::away(STOPPING))
}

/// A failure and its causes in a line, which is all that the client shows. Of one that is the
/// destination's, its users and Epinio's own tests look for the words that it begins with.
fn title(message: &str) -> String {
    let parts = message.split("\ncaused by: ").map(|part| part.lines().next().unwrap_or_default());
    let title = parts.collect::<Vec<_>>().join(": ");
    if title.starts_with("destination ") {
        format!("bad export {title}")
    } else if title.contains(": the destination failed") {
        format!("{BAD}: {title}")
    } else {
        title
    }
}

/// What a finished export is answered with: the status of what went wrong as of every door, in the
/// words that its record has.
fn outcome(export: &Export) -> Result<(), Refusal> {
    let status = export.status.clone().unwrap_or_default();
    if status.phase == Some(Phase::Succeeded) {
        return Ok(());
    }
    let reason = status.reason.unwrap_or_default();
    let known = Code::ALL.iter().find(|code| code.as_str() == reason);
    let code = match (known, status.phase, reason.as_str()) {
        (Some(code), ..) => code.status(),
        (None, Some(Phase::Cancelled), _) => 409,
        (None, _, NOT_AUTHORIZED) => 403,
        (None, _, DEADLINE_EXCEEDED) => 504,
        (None, ..) => 500,
    };
    let title = match (status.message, status.phase) {
        (Some(message), _) => title(&message),
        (None, Some(Phase::Cancelled)) => "the export was cancelled".to_owned(),
        (None, _) => format!("the export failed: {reason}"),
    };
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let refusal = Refusal::new(code, title);
    Err(match status.hint {
        Some(hint) => refusal.details(hint),
        None => refusal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_says_whose_failure_it_was_and_why() {
        for (message, words) in [
            (
                "destination good: a.example refused",
                "bad export destination good: a.example refused",
            ),
            (
                "web: cannot copy x: the destination failed\ncaused by: a.example answered 507",
                "bad export destination: web: cannot copy x: the destination failed: a.example \
                 answered 507",
            ),
            (
                "web: cannot copy x: the source failed\nmore\ncaused by: away\ncaused by: DNS",
                "web: cannot copy x: the source failed: away: DNS",
            ),
            ("nothing is known", "nothing is known"),
        ] {
            assert_eq!(title(message), words);
        }
    }
}
