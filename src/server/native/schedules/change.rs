//! What schedules are changed to say, where somebody else may be faster.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::asked::{fault, is_askable, may, read, refused, requester, said};
use super::merge::{difference, merge};
use super::model::{SchedulePatch, ScheduleReplacement, etag};
use super::{Asked, Named, about, changed, find, stored, told};
use crate::cluster;
use crate::cluster::record::MARK;
use crate::cluster::record::schedule::{ExportSchedule, ExportScheduleSpec};
use crate::export::scheduled::check;
use crate::server::audit::{Decision, Event};
use crate::server::auth::Verb;
use crate::server::json::Body;
use crate::server::native::headers::IfMatch;
use crate::server::problem::Problem;

/// How often a change is tried that somebody else's came before: a handful of writers at once, and the
/// leader, which writes statuses a few times a minute at most.
const TRIES: usize = 10;

/// `PUT /v1/namespaces/{ns}/schedules/{name}`
pub(super) async fn replace(
    asked: Asked,
    Path((namespace, name)): Named,
    meant: IfMatch,
    request: Body<ScheduleReplacement>,
) -> Result<Response, Problem> {
    write(&asked, (&namespace, &name), &meant, |_| read(&request.0.spec)).await
}

/// `PATCH /v1/namespaces/{ns}/schedules/{name}`
pub(super) async fn patch(
    asked: Asked,
    Path((namespace, name)): Named,
    meant: IfMatch,
    request: Body<SchedulePatch>,
) -> Result<Response, Problem> {
    let patch = Value::Object(request.0.spec);
    let patched = |now: &ExportSchedule| {
        is_askable(&patch)?;
        let mut spec = json!(ExportScheduleSpec {
            requested_by: None,
            service_account_name: None,
            ..now.spec.clone()
        });
        merge(&mut spec, &patch);
        read(&spec)
    };
    write(&asked, (&namespace, &name), &meant, patched).await
}

/// `POST /v1/namespaces/{ns}/schedules/{name}/suspend`
pub(super) async fn suspend(
    asked: Asked,
    Path((namespace, name)): Named,
    meant: IfMatch,
) -> Result<Response, Problem> {
    let suspended =
        |now: &ExportSchedule| Ok(ExportScheduleSpec { suspend: true, ..now.spec.clone() });
    write(&asked, (&namespace, &name), &meant, suspended).await
}

/// `POST /v1/namespaces/{ns}/schedules/{name}/resume`
pub(super) async fn resume(
    asked: Asked,
    Path((namespace, name)): Named,
    meant: IfMatch,
) -> Result<Response, Problem> {
    let resumed =
        |now: &ExportSchedule| Ok(ExportScheduleSpec { suspend: false, ..now.spec.clone() });
    write(&asked, (&namespace, &name), &meant, resumed).await
}

/// Makes the schedule say what `change` makes of what it says now. If somebody else was faster, that is
/// asked again, unless the caller has said which state is meant.
async fn write(
    asked: &Asked,
    (namespace, name): (&str, &str),
    meant: &IfMatch,
    change: impl Fn(&ExportSchedule) -> Result<ExportScheduleSpec, Problem>,
) -> Result<Response, Problem> {
    let event = Event::ScheduleUpdate;
    let mut now = find(asked, namespace, name, Verb::Update, event).await?;
    for _ in 0..TRIES {
        if !meant.holds(&etag(&now)) {
            return Err(changed(name));
        }
        let next = allowed(asked, &now, change(&now)?, event).await?;
        match put(asked, &now, &next).await {
            Ok(written) => {
                asked.sender.audit(event, about(&written), Decision::Allow, None);
                return Ok(told(&written, StatusCode::OK));
            }
            Err(cluster::Error::Conflict { .. }) => now = stored(asked, namespace, name).await?,
            Err(error) => return Err(refused(&next, error)),
        }
    }
    Err(changed(name))
}

/// The schedule as it is to be, if the caller may make it that. As in admission, when it runs may be
/// changed by whoever may change it; who changes what is exported, or what stays of it, needs the rights
/// of an export, and is from then on who asks.
async fn allowed(
    asked: &Asked,
    now: &ExportSchedule,
    spec: ExportScheduleSpec,
    event: Event,
) -> Result<ExportSchedule, Problem> {
    if (&spec.template, &spec.retention) == (&now.spec.template, &now.spec.retention) {
        let requested_by = now.spec.requested_by.clone();
        let service_account_name = now.spec.service_account_name.clone();
        let spec = ExportScheduleSpec { requested_by, service_account_name, ..spec };
        // What is not valid can be suspended, too.
        let is_other = ExportScheduleSpec { suspend: now.spec.suspend, ..spec.clone() } != now.spec;
        let next = ExportSchedule { spec, ..now.clone() };
        if is_other {
            check(&next).map_err(fault)?;
        }
        return Ok(next);
    }
    let requested_by = Some(requester(asked));
    let spec = ExportScheduleSpec { requested_by, service_account_name: None, ..spec };
    let next = ExportSchedule { spec, ..now.clone() };
    may(asked, &next, event).await?;
    said(asked, &next).await?;
    // A mark is good within a minute of what the record says of its creation.
    let created = now.created().unwrap_or_default();
    Ok(asked.state.marks.put(next, created).await?)
}

/// Writes what differs.
async fn put(
    asked: &Asked,
    now: &ExportSchedule,
    next: &ExportSchedule,
) -> Result<ExportSchedule, cluster::Error> {
    let fields = difference(&json!(now.spec), &json!(next.spec));
    if fields.as_object().is_some_and(Map::is_empty) {
        return Ok(now.clone());
    }
    let mark = next.annotation(MARK).filter(|mark| now.annotation(MARK) != Some(*mark));
    let mark: Vec<_> = mark.map(|mark| (MARK, mark)).into_iter().collect();
    asked.state.live.patch_schedule(now, &fields, &mark).await
}
