//! `POST /v1/namespaces/{ns}/schedules/{name}/run`: a run outside of the times of a schedule.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::model::{RunLinks, Started, location};
use super::{Asked, Named, about, find, unknown};
use crate::cluster;
use crate::cluster::record::schedule::{ExportSchedule, RUN};
use crate::error::{Code, Error};
use crate::schedule::run::requested_run;
use crate::server::audit::{Decision, Event};
use crate::server::auth::{Caller, Verb};
use crate::server::json::Json;
use crate::server::native::headers::IdempotencyKey;
use crate::server::problem::Problem;
use crate::server::routes::Header;

/// Headers of the answer.
pub(super) const STARTED: [Header; 1] =
    [Header { name: "Location", text: "Where the exports of the run are, once they are made." }];

/// Its exports have the rights of who asks in the schedule, and each asks for them again.
pub(super) async fn run(
    asked: Asked,
    Path((namespace, name)): Named,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    let event = Event::ScheduleRun;
    let schedule = find(&asked, &namespace, &name, Verb::Update, event).await?;
    if schedule.spec.suspend {
        let detail = format!("the schedule `{name}` is suspended, and begins nothing");
        return Err(Problem::new(Code::ScheduleSuspended, detail).hint("resume it, then run it"));
    }
    let request = request(&asked.sender.caller, key.0.as_deref());
    let schedule = match is_asked(&schedule, &request) {
        true => schedule,
        false => ask(&asked, &schedule, &request).await?,
    };
    asked.sender.audit(event, about(&schedule), Decision::Allow, None);
    Ok(started(&schedule, request))
}

async fn ask(
    asked: &Asked,
    schedule: &ExportSchedule,
    request: &str,
) -> Result<ExportSchedule, Problem> {
    match asked.state.live.annotate_schedule(schedule, &[(RUN, request)]).await {
        Ok(annotated) => Ok(annotated),
        Err(cluster::Error::Conflict { .. }) => Err(unknown(schedule.name())),
        Err(error) => Err(Error::from(error).into()),
    }
}

/// Whether this run is what was last asked for, or last begun.
fn is_asked(schedule: &ExportSchedule, request: &str) -> bool {
    let begun = schedule.status.as_ref().and_then(|status| status.last_run.as_deref());
    schedule.annotation(RUN) == Some(request) || begun == Some(request)
}

/// What the run is asked for by: with a key, the same for the same caller and key; else what was not there
/// before.
fn request(caller: &Caller, key: Option<&str>) -> String {
    let Some(key) = key else { return format!("{}-{:08x}", Timestamp::now(), fastrand::u32(..)) };
    let mut hash = Sha256::new();
    for part in [&caller.user, &caller.uid, key] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn started(schedule: &ExportSchedule, request: String) -> Response {
    let run = requested_run(schedule.name(), schedule.uid(), &request);
    let exports = format!("/v1/namespaces/{}/exports?run={run}", schedule.namespace());
    let location = HeaderValue::try_from(exports.as_str());
    let links = RunLinks { schedule: self::location(schedule), exports };
    let mut response =
        (StatusCode::ACCEPTED, Json(Started { request, run, links })).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
