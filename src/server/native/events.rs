//! `/v1/namespaces/{ns}/exports/{name}/events`: an export as it goes on, as server-sent events (WHATWG
//! HTML, section 9.2). Each event is a whole state, so that whoever comes back has missed nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::time::sleep;

use super::Asked;
use super::exports::{find, places_of};
use super::headers::LastEventId;
use super::model::View;
use crate::cluster::record::Export;
use crate::server::audit;
use crate::server::auth::Verb;
use crate::server::limit;
use crate::server::problem::Problem;
use crate::server::state::State;
use crate::server::watching::{Update, watch};

/// Media type of server-sent events.
pub(super) const MEDIA_TYPE: &str = "text/event-stream";

/// What comes, for whoever reads the description of the API.
pub(super) const DESCRIPTION: &str = "\
    Server-sent events. `export`: its data is an `Export`, its id the number of the state; the present \
    state comes at once, then each new one. The last one is `end` after the end, `gone` where the \
    record was removed, or `reconnect`: come again with `Last-Event-ID`, after 15 minutes at the \
    latest. These have no more data than `{}`.";

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
    last: LastEventId,
) -> Result<Response, Problem> {
    find(&asked, &namespace, &name, Verb::Get, audit::Event::Read).await?;
    let room = asked.state.limits.streams.take(&asked.sender.caller.user)?;
    let updates = watch(&asked.state, &namespace, &name, last.0);
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
    let events = until(updates, pause, room).map(move |update| match update {
        Some(Update::State(export)) => vec![described(&state, &export)],
        Some(Update::End(export)) => vec![described(&state, &export), bare("end")],
        Some(Update::Gone) => vec![bare("gone")],
        None => vec![bare("reconnect").retry(AGAIN)],
    });
    events.flat_map(stream::iter)
}

/// The updates until the last, or until `pause` ends: then, or where they end without a last one,
/// `None`, and nothing after it. What was told is told first. Holds `room` until then.
fn until(
    updates: impl Stream<Item = Update> + Send,
    pause: impl Future<Output = ()> + Send,
    room: limit::Stream,
) -> impl Stream<Item = Option<Update>> + Send {
    let start = (Box::pin(updates), Box::pin(pause), room);
    stream::unfold(Some(start), |going| async move {
        let (mut updates, mut pause, room) = going?;
        let update = tokio::select! {
            biased;
            update = updates.next() => update,
            () = &mut pause => None,
        };
        let goes_on = matches!(update, Some(Update::State(_)));
        Some((update, goes_on.then_some((updates, pause, room))))
    })
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt as _;

    use super::*;
    use crate::cluster::record::ExportSpec;
    use crate::server::limit::Streams;

    fn export() -> Arc<Export> {
        Arc::new(Export::draft("shop", "web-1", ExportSpec::new("web", "team")))
    }

    async fn events(updates: Vec<Update>, goes_on: bool, pause: bool) -> Vec<Option<Update>> {
        let streams = Arc::new(Streams::new(1, 1));
        let room = streams.take("alice").ok().unwrap();
        let updates = stream::iter(updates);
        let updates = match goes_on {
            true => updates.chain(stream::pending()).boxed(),
            false => updates.boxed(),
        };
        let pause = if pause { ready(()).boxed() } else { pending().boxed() };
        let told: Vec<_> = until(updates, pause, room).collect().await;
        assert!(streams.is_empty(), "the place is given back at the end");
        told
    }

    #[tokio::test]
    async fn who_has_watched_long_enough_has_seen_all_and_has_to_come_again() {
        let state = || Update::State(export());
        let told = events(vec![state(), state()], true, true).await;
        assert_eq!(told, [Some(state()), Some(state()), None]);
    }

    #[tokio::test]
    async fn nothing_comes_after_the_end_and_a_server_that_goes_says_so() {
        let (state, end) = (|| Update::State(export()), || Update::End(export()));
        let told = events(vec![state(), end(), state()], true, false).await;
        assert_eq!(told, [Some(state()), Some(end())]);
        let told = events(vec![Update::Gone], true, false).await;
        assert_eq!(told, [Some(Update::Gone)]);
        assert_eq!(events(vec![state()], false, false).await, [Some(state()), None]);
    }
}
