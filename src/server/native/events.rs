//! `/v1/namespaces/{ns}/exports/{name}/events`: an export as it goes on, as server-sent events (WHATWG
//! HTML, section 9.2). Each event is a whole state, so that whoever comes back has missed nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::sleep;

use super::Asked;
use super::exports::{find, places_of};
use super::model::View;
use crate::cluster::record::Export;
use crate::server::audit;
use crate::server::auth::Verb;
use crate::server::limit;
use crate::server::problem::Problem;
use crate::server::state::State;
use crate::server::watching::{Update, watch};

/// Where a client that comes back says what it has seen.
const LAST: &str = "last-event-id";

/// Proxies such as nginx gather an answer unless told not to.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Silence that proxies take for a dead connection begins at 30 s.
const ALIVE: Duration = Duration::from_secs(15);

/// After so long the client has to come again, with a token and rights that hold then.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long a client waits before it comes again: another replica is ready by then.
const AGAIN: Duration = Duration::from_secs(2);

/// `GET /v1/namespaces/{ns}/exports/{name}/events`
pub(super) async fn events(
    asked: Asked,
    Path((namespace, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    find(&asked, &namespace, &name, Verb::Get, audit::Event::Read).await?;
    let room = asked.state.limits.streams.take(&asked.sender.caller.user)?;
    // What is no number of ours is what another server has said: all is told from the beginning.
    let after = headers.get(LAST).and_then(|last| last.to_str().ok()?.parse().ok());
    let updates = watch(&asked.state, &namespace, &name, after);
    let events = told(asked.state, updates, room).map(Ok::<_, Infallible>);
    let alive = KeepAlive::new().interval(ALIVE).text("alive");
    let mut response = Sse::new(events).keep_alive(alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

/// The updates as events, until the end or until the client has to come again.
fn told(
    state: Arc<State>,
    updates: impl Stream<Item = Update> + Send,
    room: limit::Stream,
) -> impl Stream<Item = Event> + Send {
    let stopped = state.health.stopped();
    let pause = async move {
        tokio::select! {
            () = sleep(LONGEST) => {}
            () = stopped => {}
        }
    };
    let start = (Box::pin(updates), Box::pin(pause), state, room);
    let events = stream::unfold(Some(start), |going| async move {
        let (mut updates, mut pause, state, room) = going?;
        let update = tokio::select! {
            biased;
            update = updates.next() => update,
            () = &mut pause => None,
        };
        Some(match update {
            Some(Update::State(export)) => {
                (vec![described(&state, &export)], Some((updates, pause, state, room)))
            }
            Some(Update::End(export)) => (vec![described(&state, &export), bare("end")], None),
            Some(Update::Gone) => (vec![bare("gone")], None),
            None => (vec![bare("reconnect").retry(AGAIN)], None),
        })
    });
    events.flat_map(stream::iter)
}

fn described(state: &State, export: &Export) -> Event {
    let view = View::of(export, &places_of(state, export));
    let text = serde_json::to_string(&view).unwrap_or_default();
    Event::default().id(export.sequence().to_string()).event("export").data(text)
}

/// One that says all by its name. Without data, clients would not see it.
fn bare(name: &str) -> Event {
    Event::default().event(name).data("{}")
}
