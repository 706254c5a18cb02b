//! `/v1/namespaces/{ns}/schedules` and `/v1/schedules`: schedules that are seen, made, changed, run and
//! removed, with the rights that the API of Kubernetes and its admission would ask for.

mod asked;
mod change;
mod create;
mod merge;
mod model;
mod preview;
mod run;
mod schema;
mod table;

use std::sync::Arc;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use self::model::{View, etag};
use super::Asked;
use super::headers::IfMatch;
use super::query::Query;
use crate::cluster::record::Health;
use crate::cluster::record::schedule::ExportSchedule;
use crate::error::{Code, Error};
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::{Right, Verb};
use crate::server::json::Json;
use crate::server::page::{MOST, Page};
use crate::server::problem::Problem;
use crate::server::routes::Header;
use crate::server::state::State;

pub(super) use asked::invalid;
pub(super) use preview::{rules, unfit};
pub(super) use schema::RequestedRetention;
pub(super) use table::table;

/// What a cluster without schedules does not know.
const KIND: &str = "ExportSchedule";

/// Headers of an answer with a schedule.
const SEEN: [Header; 1] =
    [Header { name: "ETag", text: "What changes when the schedule says something else." }];

/// Which schedules.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WantedSchedules")]
struct Wanted {
    /// Only those of this one application.
    app: Option<String>,
    /// Only those to this destination.
    destination: Option<String>,
    /// Only those that are suspended, or are not.
    suspended: Option<bool>,
    /// Items of a page.
    #[schemars(range(min = 1, max = MOST))]
    limit: Option<usize>,
    /// Where the page begins: `next` of the one before.
    cursor: Option<String>,
}

/// Namespace and name in a path.
type Named = Path<(String, String)>;

/// `GET /v1/schedules`
async fn all(asked: Asked, wanted: Query<Wanted>) -> Result<Response, Problem> {
    list(&asked, None, wanted.0).await
}

/// `GET /v1/namespaces/{ns}/schedules`
async fn of_namespace(
    asked: Asked,
    Path(namespace): Path<String>,
    wanted: Query<Wanted>,
) -> Result<Response, Problem> {
    list(&asked, Some(namespace), wanted.0).await
}

/// `GET /v1/namespaces/{ns}/schedules/{name}`
async fn one(asked: Asked, Path((namespace, name)): Named) -> Result<Response, Problem> {
    let schedule = find(&asked, &namespace, &name, Verb::Get, Event::Read).await?;
    Ok(told(&schedule, StatusCode::OK))
}

/// `DELETE /v1/namespaces/{ns}/schedules/{name}`: its records and versions stay.
async fn delete(
    asked: Asked,
    Path((namespace, name)): Named,
    meant: IfMatch,
) -> Result<Response, Problem> {
    let event = Event::ScheduleDelete;
    let schedule = find(&asked, &namespace, &name, Verb::Delete, event).await?;
    if !meant.holds(&etag(&schedule)) {
        return Err(changed(&name));
    }
    match asked.state.live.delete_schedule(&schedule).await {
        Ok(()) => {}
        Err(crate::cluster::Error::Conflict { .. }) => return Err(unknown(&name)),
        Err(error) => return Err(Error::from(error).into()),
    }
    asked.sender.audit(event, about(&schedule), Decision::Allow, None);
    Ok(told(&schedule, StatusCode::OK))
}

async fn list(
    asked: &Asked,
    namespace: Option<String>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let about = About { namespace: namespace.as_deref(), ..About::default() };
    asked.need(&right(Verb::List, namespace.as_deref()), Event::Read, about).await?;
    is_known(&asked.state)?;
    let Wanted { app, destination, suspended, limit, cursor } = wanted;
    let is_wanted = |schedule: &Arc<ExportSchedule>| {
        let spec = &schedule.spec;
        namespace.as_ref().is_none_or(|namespace| schedule.namespace() == namespace)
            && app.as_ref().is_none_or(|app| spec.template.app.as_ref() == Some(app))
            && destination.as_ref().is_none_or(|name| spec.template.destination == *name)
            && suspended.is_none_or(|suspended| spec.suspend == suspended)
    };
    let found = asked.state.schedules.list().into_iter().filter(is_wanted);
    // As the store orders them: by namespace, then by name.
    let keyed = found.map(|of| (format!("{}\0{}", of.namespace(), of.name()), of));
    let page = Page { limit, cursor }.of(keyed.collect(), |(key, _)| key)?;
    Ok(Json(page.each(|(_, schedule)| View::of(schedule))).into_response())
}

/// The schedule of this name as it is now, for a caller who may do `verb` with it. It is asked for each
/// time: who is going to change it needs what is there, and a watch may be behind.
async fn find(
    asked: &Asked,
    namespace: &str,
    name: &str,
    verb: Verb,
    event: Event,
) -> Result<ExportSchedule, Problem> {
    let about = About { namespace: Some(namespace), schedule: Some(name), ..About::default() };
    asked.need(&right(verb, Some(namespace)), event, about).await?;
    stored(asked, namespace, name).await
}

/// The schedule of this name, for who was let already.
async fn stored(asked: &Asked, namespace: &str, name: &str) -> Result<ExportSchedule, Problem> {
    let found = asked.state.live.schedule(namespace, name).await.map_err(Error::from)?;
    match found {
        Some(found) => Ok(found),
        None if asked.state.schedules.health() == Health::NotServed => {
            Err(Problem::not_served(KIND))
        }
        None => Err(unknown(name)),
    }
}

fn right(verb: Verb, namespace: Option<&str>) -> Right {
    Right::Schedules { verb, namespace: namespace.map(str::to_owned) }
}

/// Whether schedules are known here well enough to list them.
fn is_known(state: &State) -> Result<(), Problem> {
    match state.schedules.health() {
        Health::Synced | Health::Full => Ok(()),
        Health::NotServed => Err(Problem::not_served(KIND)),
        Health::Starting | Health::Away(_) => {
            Err(Problem::new(Code::ClusterUnreachable, "the schedules cannot be read now"))
        }
    }
}

/// What a line of the audit says of it.
fn about(schedule: &ExportSchedule) -> About<'_> {
    About {
        namespace: Some(schedule.namespace()),
        app: schedule.spec.template.app.as_deref(),
        destination: Some(&schedule.spec.template.destination),
        schedule: Some(schedule.name()),
        ..About::default()
    }
}

/// The answer that shows it.
fn told(schedule: &ExportSchedule, status: StatusCode) -> Response {
    let mut response = (status, Json(View::of(schedule))).into_response();
    if let Ok(etag) = HeaderValue::try_from(etag(schedule)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

fn unknown(name: &str) -> Problem {
    Problem::new(Code::ScheduleUnknown, format!("there is no schedule `{name}`"))
}

fn changed(name: &str) -> Problem {
    Problem::new(Code::ScheduleChanged, format!("the schedule `{name}` has been changed meanwhile"))
        .hint("read it again, and send what is to be changed with its `ETag` in `If-Match`")
}
