//! `/v1/namespaces/{ns}/exports` and `/v1/exports`: exports that are asked for, seen and cancelled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Asked;
use super::headers::IdempotencyKey;
use super::model::{ExportRequest, View, location};
use super::query::Query;
use crate::cluster::record::{CANCEL, Door, Export, Health, Phase};
use crate::error::{Code, Error};
use crate::schedule::run::{is_of_run, schedule_of};
use crate::server::audit::{About, Decision, Event};
use crate::server::auth::{Right, Verb};
use crate::server::json::{Body, Json};
use crate::server::page::{MOST, Page};
use crate::server::problem::Problem;
use crate::server::routes::Header;
use crate::server::state::State;
use crate::server::submit::{self, Submission, Submitted, submit};
use crate::server::work::queue::{Key, places};

/// When to come back while as many exports wait as are let wait; each takes seconds to minutes.
const FULL: Duration = Duration::from_secs(30);

/// Exports of one schedule that are looked at: as many records stay of all schedules, and the last of each
/// application besides.
const MOST_OF_ONE: usize = 10_000;

/// Says that the answer is an export that was asked for before.
const JOINED: &str = "outhaul-joined";

/// Headers of the answer to who asks for an export.
pub(super) const CREATED: [Header; 2] = [
    Header { name: "Location", text: "Where the export is." },
    Header {
        name: "Outhaul-Joined",
        text: "`true` where the same was asked for before and is under way: it is that export.",
    },
];

/// Which exports.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only those that are so far.
    phase: Option<Phase>,
    /// Only those of this application.
    app: Option<String>,
    /// Only those to this destination.
    destination: Option<String>,
    /// Only those of this run of a schedule, as the answer to who asks for one names it.
    run: Option<String>,
    /// Items of a page.
    #[schemars(range(min = 1, max = MOST))]
    limit: Option<usize>,
    /// Where the page begins: `next` of the one before.
    cursor: Option<String>,
}

/// `POST /v1/namespaces/{ns}/exports`
pub(super) async fn create(
    asked: Asked,
    Path(namespace): Path<String>,
    key: IdempotencyKey,
    request: Body<ExportRequest>,
) -> Result<Response, Problem> {
    let submission = Submission {
        namespace,
        spec: request.0.into(),
        key: key.0,
        door: Door::Native,
        request_id: asked.sender.id.as_str().to_owned(),
        source: Some(asked.sender.source),
    };
    let Submitted { export, joined } =
        submit(&asked.state, &asked.sender.caller, submission).await?;
    let mut response = accepted(&asked.state, &export);
    if let Ok(location) = HeaderValue::try_from(location(&export)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if joined {
        response.headers_mut().insert(JOINED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// `GET /v1/exports`
pub(super) async fn all(asked: Asked, wanted: Query<Wanted>) -> Result<Response, Problem> {
    list(&asked, None, wanted.0).await
}

/// `GET /v1/namespaces/{ns}/exports`
pub(super) async fn of_namespace(
    asked: Asked,
    Path(namespace): Path<String>,
    wanted: Query<Wanted>,
) -> Result<Response, Problem> {
    list(&asked, Some(namespace), wanted.0).await
}

/// `GET /v1/namespaces/{ns}/exports/{name}`
pub(super) async fn one(
    asked: Asked,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let export = find(&asked, &namespace, &name, Verb::Get, Event::Read).await?;
    Ok(Json(View::of(&export, &places_of(&asked.state, &export))).into_response())
}

/// `POST /v1/namespaces/{ns}/exports/{name}/cancel`
pub(super) async fn cancel(
    asked: Asked,
    Path((namespace, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let event = Event::ExportCancel;
    let export = find(&asked, &namespace, &name, Verb::Update, event).await?;
    if export.is_terminal() {
        return Err(Problem::new(Code::ExportFinished, "the export is finished already"));
    }
    let cancelled = asked.state.live.annotate(&export, &[(CANCEL, asked.sender.id.as_str())]).await;
    let cancelled = cancelled.map_err(Error::from)?;
    let about = About {
        namespace: Some(&namespace),
        app: Some(&export.spec.app),
        destination: Some(&export.spec.destination),
        export: Some(&name),
        ..About::default()
    };
    asked.sender.audit(event, about, Decision::Allow, None);
    Ok(accepted(&asked.state, &cancelled))
}

/// The export of this name, for a caller who may do `verb` with it.
pub(super) async fn find(
    asked: &Asked,
    namespace: &str,
    name: &str,
    verb: Verb,
    event: Event,
) -> Result<Arc<Export>, Problem> {
    let about = About { namespace: Some(namespace), export: Some(name), ..About::default() };
    let right = Right::Exports { verb, namespace: Some(namespace.to_owned()) };
    asked.need(&right, event, about).await?;
    is_known(&asked.state)?;
    if let Some(export) = asked.state.exports.get(namespace, name) {
        return Ok(export);
    }
    // Made by another replica just now, or one too many to be kept.
    let found = asked.state.live.export(namespace, name).await.map_err(Error::from)?;
    let unknown = || Problem::new(Code::ExportUnknown, format!("there is no export `{name}`"));
    found.map(Arc::new).ok_or_else(unknown)
}

async fn list(
    asked: &Asked,
    namespace: Option<String>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    let about = About { namespace: namespace.as_deref(), ..About::default() };
    let right = Right::Exports { verb: Verb::List, namespace: namespace.clone() };
    asked.need(&right, Event::Read, about).await?;
    is_known(&asked.state)?;
    let Wanted { phase, app, destination, run, limit, cursor } = wanted;
    let is_wanted = |export: &Arc<Export>| {
        namespace.as_ref().is_none_or(|namespace| export.namespace() == namespace)
            && phase.is_none_or(|phase| export.phase().unwrap_or(Phase::Pending) == phase)
            && app.as_ref().is_none_or(|app| export.spec.app == *app)
            && destination.as_ref().is_none_or(|name| export.spec.destination == *name)
            && run.as_ref().is_none_or(|run| is_of_run(export.name(), run))
    };
    let all = match (&namespace, run.as_deref().and_then(schedule_of)) {
        (Some(namespace), Some(schedule)) => of_schedule(asked, namespace, schedule).await?,
        _ => asked.state.exports.list(),
    };
    let places = places(&asked.state.exports.list());
    let found = all.into_iter().filter(is_wanted);
    // As the store orders them: by namespace, then by name.
    let keyed = found.map(|export| (format!("{}\0{}", export.namespace(), export.name()), export));
    let page = Page { limit, cursor }.of(keyed.collect(), |(key, _)| key)?;
    Ok(Json(page.each(|(_, export)| View::of(export, &places))).into_response())
}

/// The exports of a schedule as they are now. Who follows a run has been told that all of its exports are
/// made, and a watch may be behind.
async fn of_schedule(
    asked: &Asked,
    namespace: &str,
    schedule: &str,
) -> Result<Vec<Arc<Export>>, Problem> {
    let found = asked.state.live.exports_of_schedule(namespace, schedule, MOST_OF_ONE).await;
    Ok(found.map_err(Error::from)?.into_iter().map(Arc::new).collect())
}

/// Whether exports are known here well enough to speak of them.
fn is_known(state: &State) -> Result<(), Problem> {
    match state.exports.health() {
        Health::Synced | Health::Full => Ok(()),
        Health::NotServed => Err(Problem::not_served("Export")),
        Health::Starting | Health::Away(_) => {
            let detail = "the records of exports cannot be read now";
            Err(Problem::new(Code::ClusterUnreachable, detail))
        }
    }
}

impl From<submit::Error> for Problem {
    fn from(error: submit::Error) -> Self {
        use submit::Error as E;
        let text = error.to_string();
        match error {
            E::Forbidden(_) => Self::new(Code::Forbidden, text),
            E::Unavailable => Self::new(Code::AuthUnavailable, text),
            E::KeyReused => Self::new(Code::IdempotencyKeyReused, text)
                .hint("a key is for one request; give each its own, such as a UUID"),
            E::QueueFull(_) => Self::new(Code::QueueFull, text).retry_after(FULL),
            E::NotServed => Self::not_served("Export"),
            E::Invalid(_) => Self::new(Code::BodyInvalid, text),
            E::Other(error) => error.into(),
        }
    }
}

/// The place of this export, if it waits.
pub(super) fn places_of(state: &State, export: &Export) -> BTreeMap<Key, usize> {
    match export.phase() {
        Some(Phase::Pending) => places(&state.exports.list()),
        _ => BTreeMap::new(),
    }
}

fn accepted(state: &State, export: &Export) -> Response {
    let view = View::of(export, &places_of(state, export));
    (StatusCode::ACCEPTED, Json(view)).into_response()
}
