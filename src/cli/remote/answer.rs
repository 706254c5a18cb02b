//! What an answer of the server means: its problems become the errors that the same failure is here.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::token;
use crate::error::{Code, Error, Exit};
use crate::registry::retry::{self, Fault};

/// Longest problem that is read: one that shows a plan has some hundred kB.
const MAX_PROBLEM: usize = 16 << 20;

/// Longest text of a server that goes into a message.
const MAX_TEXT: usize = 4096;

/// Why a request came to nothing.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What to tell.
    pub(crate) error: Error,
    /// In one word, if it is the server that refused.
    pub(crate) code: Option<Code>,
    /// The plan that the server will not carry out.
    pub(super) plan: Option<Value>,
    /// What may pass, so that it is worth to ask again.
    pub(super) fault: Option<Fault>,
    /// How long the server asks to wait.
    pub(super) wait: Option<Duration>,
}

/// A problem (RFC 9457).
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Problem {
    title: String,
    detail: String,
    code: String,
    hint: Option<String>,
    request_id: String,
    plan: Option<Value>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, code: None, plan: None, fault: None, wait: None }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        refused.error
    }
}

/// The answer if it is a success of this media type; `place` is who was asked.
pub(super) async fn check(
    answer: Response,
    place: &str,
    media_type: &str,
) -> Result<Response, Refused> {
    let (status, found) = (answer.status(), media_type_of(&answer));
    if status.is_success() {
        return if found == media_type { Ok(answer) } else { Err(strange(&answer, place)) };
    }
    if !status.is_client_error() && !status.is_server_error() || found != "application/problem+json"
    {
        return Err(strange(&answer, place));
    }
    let wait = asked_wait(&answer);
    let problem = body(answer, MAX_PROBLEM).await.ok();
    let problem = problem.and_then(|text| serde_json::from_slice(&text).ok());
    Err(refused(status, problem.unwrap_or_default(), wait))
}

/// The body, of at most `limit` bytes.
///
/// # Errors
/// When there is more, or the connection breaks.
pub(crate) async fn body(mut answer: Response, limit: usize) -> Result<Vec<u8>, Broken> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(Broken::Connection)? {
        if bytes.len() + chunk.len() > limit {
            return Err(Broken::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Why a body was not read.
pub(crate) enum Broken {
    /// It is longer than anything that a server of ours sends.
    TooLong,
    /// The connection broke.
    Connection(reqwest::Error),
}

fn refused(status: StatusCode, problem: Problem, wait: Option<Duration>) -> Refused {
    let code = Code::of(&problem.code);
    let text = if problem.detail.is_empty() { problem.title } else { problem.detail };
    let hint = match code {
        Some(Code::Unauthenticated) => {
            Some(format!("the token is not good there; {}", token::HINT))
        }
        Some(Code::Internal) => {
            Some(format!("the log of the server has it under `{}`", problem.request_id))
        }
        Some(Code::ServerLacksRight) => {
            Some("tell who runs the server: its own account lacks the right".to_owned())
        }
        _ => problem.hint,
    };
    let error = Error::Server {
        text: plain(&text),
        hint: hint.as_deref().map(plain),
        exit: code.map_or(Exit::Failed, Code::exit),
    };
    let fault = if may_pass(code) { retry::of_status(status.as_u16()) } else { None };
    Refused { error, code, plan: problem.plan, fault, wait }
}

/// Whether the same may succeed in a while. A server of ours that answers 502 or 503 with another code
/// has found out something that stays so.
fn may_pass(code: Option<Code>) -> bool {
    match code {
        None => true,
        Some(code) => matches!(
            code,
            Code::AuthUnavailable
                | Code::ClusterUnreachable
                | Code::Overloaded
                | Code::QueueFull
                | Code::RateLimited
                | Code::RequestTimeout
                | Code::StreamsExhausted
        ),
    }
}

/// An answer that no server of ours gives: of a proxy, a login page, or something else altogether.
fn strange(answer: &Response, place: &str) -> Refused {
    let (status, found) = (answer.status(), media_type_of(answer));
    let text = if status.is_redirection() {
        let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok());
        format!("{place} sends elsewhere (HTTP {}): {}", status.as_u16(), to.unwrap_or("nowhere"))
    } else {
        let found = if found.is_empty() { "nothing that is named" } else { &found };
        format!("{place} answered HTTP {} with {found}", status.as_u16())
    };
    let hint = "is that the address of a server of Outhaul? A proxy or a login page may be in between; \
                no redirect is followed, as the token goes to that address only";
    let error =
        Error::Server { text: plain(&text), hint: Some(hint.to_owned()), exit: Exit::Cluster };
    let fault = retry::of_status(status.as_u16());
    Refused { fault, wait: asked_wait(answer), ..Refused::from(error) }
}

fn asked_wait(answer: &Response) -> Option<Duration> {
    let value = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    retry::retry_after(value, Timestamp::now())
}

/// The media type of an answer, without parameters; empty where it names none.
pub(crate) fn media_type_of(answer: &Response) -> String {
    let value = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Somebody else's words as a terminal may have them.
fn plain(text: &str) -> String {
    let is_text = |c: &char| *c == '\n' || !c.is_control();
    text.chars().filter(is_text).take(MAX_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, problem: &str) -> Refused {
        let problem = serde_json::from_str(problem).unwrap();
        refused(StatusCode::from_u16(status).unwrap(), problem, None)
    }

    #[test]
    fn a_problem_is_the_error_that_it_would_be_here() {
        let refused = of(
            404,
            r#"{"code":"DESTINATION_UNKNOWN","detail":"bad export destination `x`","hint":"h"}"#,
        );
        assert_eq!(refused.error.to_string(), "bad export destination `x`");
        assert_eq!(refused.error.hint().as_deref(), Some("h"));
        assert_eq!(refused.error.exit(), Exit::Destination);
        assert_eq!((refused.code, refused.fault), (Some(Code::DestinationUnknown), None));
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        for (status, code, fault) in [
            (429, "RATE_LIMITED", Some(Fault::Throttled)),
            (503, "QUEUE_FULL", Some(Fault::Server)),
            (503, "CRD_MISSING", None),
            (502, "REGISTRY_FAILED", None),
            (502, "SOMETHING_NEW", Some(Fault::Server)),
            (500, "INTERNAL", None),
            (403, "FORBIDDEN", None),
        ] {
            let refused = of(status, &format!(r#"{{"code":"{code}","title":"t"}}"#));
            assert_eq!(refused.fault, fault, "{code}");
            assert_eq!(refused.error.to_string(), "t");
        }
    }

    #[test]
    fn words_of_others_do_not_move_the_cursor() {
        let refused = of(500, "{\"detail\":\"a\\u001b[2Jb\\r\\nc\"}");
        assert_eq!(refused.error.to_string(), "a[2Jb\nc");
        assert_eq!(refused.error.exit(), Exit::Failed);
    }
}
