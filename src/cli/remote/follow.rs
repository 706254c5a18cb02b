//! The states of an export over HTTP, one after the other, whatever becomes of the connection.

use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use reqwest::Response;
use tokio::time::{sleep, timeout};

use super::answer::Refused;
use super::http::Server;
use super::sse::{Event, Parser};
use super::view::View;
use super::wait::State;
use crate::error::{Code, Error, Exit};

/// Silence after which a connection counts as dead: the server says something each 15 s.
const SILENCE: Duration = Duration::from_secs(45);

/// First pause before the server is asked again; doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause, also where the server asks for more: somebody waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// How long a server may be away: a rollout takes a minute, and one that is gone should be told of.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// What is known of the stream so far.
struct Follow<'a> {
    server: &'a Server,
    namespace: &'a str,
    name: &'a str,
    open: Option<Response>,
    parser: Parser,
    /// Events that have arrived and are not told yet.
    events: std::vec::IntoIter<Event>,
    /// Since when nothing has been heard.
    away: Option<Instant>,
    pauses: u32,
    pause: Duration,
}

/// The states of an export from now on, the present one first.
///
/// An item is an error where asking again is of no use, or the server was away for too long; nothing
/// comes after it.
pub(super) fn follow<'a>(
    server: &'a Server,
    namespace: &'a str,
    name: &'a str,
) -> impl Stream<Item = Result<State, Error>> + 'a {
    let start = Follow {
        server,
        namespace,
        name,
        open: None,
        parser: Parser::default(),
        events: Vec::new().into_iter(),
        away: None,
        pauses: 0,
        pause: Duration::ZERO,
    };
    stream::unfold(Some(start), |going| async {
        let mut follow = going?;
        let state = follow.next().await;
        let go_on = state.is_ok().then_some(follow);
        Some((state, go_on))
    })
}

impl Follow<'_> {
    async fn next(&mut self) -> Result<State, Error> {
        loop {
            if let Some(event) = self.events.next() {
                match self.told(&event) {
                    Some(state) => return Ok(state),
                    None => continue,
                }
            }
            if self.open.is_some() {
                self.hear().await;
                continue;
            }
            sleep(self.pause).await;
            let path = ["v1", "namespaces", self.namespace, "exports", self.name, "events"];
            match self.server.events(&path, self.parser.last()).await {
                Ok(open) => {
                    self.open = Some(open);
                    self.parser = Parser::after(self.parser.last().map(str::to_owned));
                }
                Err(refused) => return self.refused(refused),
            }
        }
    }

    /// What an event says, if it says anything of the export.
    fn told(&mut self, event: &Event) -> Option<State> {
        match event.name.as_str() {
            "export" => serde_json::from_str::<View>(&event.data)
                .inspect_err(|error| tracing::info!("a state that cannot be read: {error}"))
                .map(|view| State::Now(Box::new(view)))
                .ok(),
            "gone" => Some(State::Gone),
            "reconnect" => {
                self.open = None;
                self.pause = self.parser.retry().unwrap_or(FIRST_PAUSE).min(LONGEST_PAUSE);
                None
            }
            _ => None, // `end` says what the state before it has said
        }
    }

    /// Waits for the next bytes. Where the stream has ended or is broken, another one is needed.
    async fn hear(&mut self) {
        let Some(open) = &mut self.open else { return };
        if let Ok(Ok(Some(bytes))) = timeout(SILENCE, open.chunk()).await
            && let Ok(events) = self.parser.push(&bytes)
        {
            self.events = events.into_iter();
            (self.away, self.pauses, self.pause) = (None, 0, FIRST_PAUSE);
            return;
        }
        tracing::info!("the stream of events is broken");
        self.open = None;
        self.step_back(None);
    }

    fn refused(&mut self, refused: Refused) -> Result<State, Error> {
        if refused.code == Some(Code::ExportUnknown) {
            return Ok(State::Gone);
        }
        if refused.fault.is_none() {
            return Err(refused.error);
        }
        let away = self.step_back(refused.wait);
        if away > PATIENCE {
            return Err(Error::Server {
                text: format!(
                    "nothing was heard of it for {} s: {}",
                    away.as_secs(),
                    refused.error
                ),
                hint: refused.error.hint(),
                exit: Exit::Cluster,
            });
        }
        Ok(State::Away(format!("the server does not answer: {}", refused.error)))
    }

    /// Waits longer than before, at least as long as the server asks for. Gives how long nothing has
    /// been heard of it.
    fn step_back(&mut self, asked: Option<Duration>) -> Duration {
        self.pause = pause(self.pauses, asked);
        self.pauses += 1;
        self.away.get_or_insert_with(Instant::now).elapsed()
    }
}

/// The pause before try number `tries + 2`.
fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(10));
    pause.max(asked.unwrap_or_default()).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(pause(0, None), FIRST_PAUSE);
        assert_eq!(pause(2, None), FIRST_PAUSE * 4);
        assert_eq!(pause(0, seconds(3)), Duration::from_secs(3));
        assert_eq!(pause(0, seconds(3600)), LONGEST_PAUSE);
        assert_eq!(pause(u32::MAX, None), LONGEST_PAUSE);
    }
}
