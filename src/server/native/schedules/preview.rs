//! Previews: when a schedule is due next, and which versions would stay. Nothing is written.

use axum::extract::Path;
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::asked::{fault, invalid, misfit};
use super::model::{PreviewOf, PreviewRequest};
use super::{Asked, Named, find};
use crate::cluster::record::schedule::{MAX_JITTER, Retention, strict};
use crate::error::Code;
use crate::export::scheduled::Fault;
use crate::schedule::declared::Invalid;
use crate::schedule::preview::Preview;
use crate::schedule::retention::Rules;
use crate::server::audit::Event;
use crate::server::auth::Verb;
use crate::server::json::{Body, Json};
use crate::server::problem::Problem;

/// Most runs of a preview over HTTP. Each looks at all versions before it: a thousand are some
/// milliseconds, and nearly three years of days.
pub(super) const MOST_RUNS: usize = 1000;

/// Runs of a preview, if nobody says how many.
const USUAL: usize = 5;

/// `POST /v1/schedules/preview`
pub(super) async fn declared(
    asked: Asked,
    request: Body<PreviewRequest>,
) -> Result<Json<Preview>, Problem> {
    let PreviewRequest { schedule, time_zone, jitter_seconds, retention, from, count } = request.0;
    if jitter_seconds > MAX_JITTER {
        return Err(invalid("jitterSeconds", format!("it is at most {MAX_JITTER}")));
    }
    let (rules, window) = (rules(retention.as_ref())?, window(from, count)?);
    let time_zone = time_zone.unwrap_or_else(|| "UTC".to_owned());
    apart(&asked, move || {
        Preview::declared(&schedule, &time_zone, jitter_seconds, rules.as_ref(), window)
    })
    .await
}

/// `POST /v1/namespaces/{ns}/schedules/{name}/preview`
pub(super) async fn stored(
    asked: Asked,
    Path((namespace, name)): Named,
    request: Body<PreviewOf>,
) -> Result<Json<Preview>, Problem> {
    let schedule = find(&asked, &namespace, &name, Verb::Get, Event::Read).await?;
    let PreviewOf { retention, from, count } = request.0;
    let (rules, window) = (rules(retention.as_ref())?, window(from, count)?);
    apart(&asked, move || Preview::of(&schedule, rules, window)).await
}

/// Works on a thread of its own, in its turn: it only counts, and what else is served should not wait.
async fn apart(
    asked: &Asked,
    work: impl FnOnce() -> Result<Preview, Invalid> + Send + 'static,
) -> Result<Json<Preview>, Problem> {
    let busy = || Problem::overloaded("as many previews are made as are at once");
    let turn = std::sync::Arc::clone(&asked.state.limits.reads).try_acquire_owned();
    let turn = turn.map_err(|_| busy())?;
    let made = spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    match made.await {
        Ok(made) => Ok(Json(made.map_err(unfit)?)),
        Err(error) => {
            tracing::error!("a preview failed: {error}");
            Err(Problem::new(Code::Internal, Code::Internal.title()))
        }
    }
}

/// What stays, as a caller has written it.
pub(in crate::server::native) fn rules(written: Option<&Value>) -> Result<Option<Rules>, Problem> {
    let Some(written) = written else { return Ok(None) };
    let retention: Retention = strict(written, "retention").map_err(|error| misfit(&error))?;
    Rules::of(&retention).map(Some).map_err(unfit)
}

fn window(from: Option<Timestamp>, count: Option<usize>) -> Result<(Timestamp, usize), Problem> {
    let count = count.unwrap_or(USUAL);
    if !(1..=MOST_RUNS).contains(&count) {
        return Err(invalid("count", format!("it is between 1 and {MOST_RUNS}")));
    }
    Ok((from.unwrap_or_else(Timestamp::now), count))
}

/// A field of what is asked here, which is no schedule yet.
pub(in crate::server::native) fn unfit(error: Invalid) -> Problem {
    let problem = Fault::Declared(error);
    let field = problem.field();
    fault(problem).field(field.trim_start_matches("spec."))
}
