//! One try to tell a receiver.

use std::error::Error as StdError;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use url::Position;

use super::event::Event;
use super::hook::Hook;
use super::sign;
use crate::registry::{Host, Surroundings};

/// For all of it: a receiver puts an event aside and answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a receiver was not told.
#[derive(Debug)]
pub(super) enum Failed {
    /// It may be told later.
    Now(String),
    /// It will not be, for a reason in a word and in a sentence.
    ForGood(&'static str, String),
}

/// Reason of what leads to the server itself.
const REFUSED: &str = "AddressRefused";

/// Reason of what the receiver does not want.
const REJECTED: &str = "Rejected";

/// Sends the event, signed at `now`. No redirect is followed: the signature is for this receiver.
///
/// # Errors
/// When there is no answer in time, or it is no success. No error has more of the address than scheme,
/// host and port.
pub(super) async fn post(
    hook: &Hook,
    surroundings: &Surroundings,
    event: &Event,
    now: Timestamp,
) -> Result<(), Failed> {
    let client = client(hook, surroundings)?;
    let mut request = client.post(hook.url.clone()).body(event.body.clone());
    for (name, value) in event.headers() {
        request = request.header(name, value);
    }
    let signature = sign::sign(&hook.key, now.as_second(), &event.body);
    let answer = request.header(sign::HEADER, signature).send().await;
    let answer = answer.map_err(|error| unanswered(hook, &error))?;
    let (place, status) = (hook.place(), answer.status());
    match status {
        _ if status.is_success() => Ok(()),
        _ if status.is_redirection() => {
            let text = format!("{place} answered {status}; redirects are not followed");
            Err(Failed::ForGood(REJECTED, text))
        }
        // HTTP webhooks for event delivery, section 2.2: the receiver is no more.
        StatusCode::GONE => Err(Failed::ForGood(REJECTED, format!("{place} answered {status}"))),
        _ => Err(Failed::Now(format!("{place} answered {status}"))),
    }
}

/// One for each try: a receiver is told a few times a day.
fn client(hook: &Hook, surroundings: &Surroundings) -> Result<Client, Failed> {
    let mut builder = Client::builder()
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .timeout(PATIENCE);
    if !hook.allow_private {
        let place = &hook.url[Position::BeforeHost..Position::AfterPort];
        if place.parse().is_ok_and(|host: Host| surroundings.hold(&host)) {
            return Err(refused(hook));
        }
        builder = builder.dns_resolver(surroundings.clone());
    }
    builder.build().map_err(|error| {
        let reason = innermost(&error);
        Failed::Now(format!("{} cannot be told: {reason}", hook.place()))
    })
}

fn unanswered(hook: &Hook, error: &reqwest::Error) -> Failed {
    if Surroundings::are_why(error) {
        return refused(hook);
    }
    let reason = match error.is_timeout() {
        true => format!("no answer within {} s", PATIENCE.as_secs()),
        false => innermost(error),
    };
    Failed::Now(format!("{}: {reason}", hook.place()))
}

fn refused(hook: &Hook) -> Failed {
    let text = format!(
        "{} is an address of the server's own surroundings; `allow-private: \"true\"` in the \
         webhook's Secret lets it be told",
        hook.place()
    );
    Failed::ForGood(REFUSED, text)
}

/// The last cause: those before it repeat the URL.
fn innermost(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (**cause).source());
    causes.last().map_or_else(|| "unknown".to_owned(), ToString::to_string)
}
