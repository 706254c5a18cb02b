//! JSON in and out.

use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;

use super::problem::Problem;
use super::routes::{Argument, Takes};
use crate::error::{Code, Error};

/// Media type of what is taken and given.
pub(super) const MEDIA_TYPE: &str = "application/json";

/// Largest body that is taken. The longest request that makes sense, with all of its lists full, has
/// some 40 KiB.
const MAX_BODY: usize = 64 << 10;

/// How long a body may take to arrive. At the speed of a telephone line it takes ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer in JSON.
pub(super) struct Json<T>(pub(super) T);

/// The body of a request, as a type. Whatever its `Content-Type` says, it is read as JSON; whether
/// unknown fields are refused is the type's to say.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.0) {
            Ok(text) => {
                let headers = [
                    (header::CONTENT_TYPE, MEDIA_TYPE),
                    // What is of one caller belongs into nobody's cache.
                    (header::CACHE_CONTROL, "no-store"),
                ];
                (StatusCode::OK, headers, text).into_response()
            }
            Err(error) => {
                Problem::from(Error::Output { reason: error.to_string() }).into_response()
            }
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let bytes = bytes(request).await?;
        // A list of its values would make a struct as well.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(Problem::new(Code::BodyInvalid, "the body is not a JSON object"));
        }
        let read = serde_json::from_slice(&bytes);
        read.map(Self).map_err(|error| Problem::new(Code::BodyInvalid, described(&error)))
    }
}

impl<T: JsonSchema> Argument for Body<T> {
    fn describe(takes: &mut Takes) {
        takes.body = Some(|generator| generator.subschema_for::<T>());
        takes.refuses.extend([Code::BodyInvalid, Code::BodyTooLarge, Code::RequestTimeout]);
    }
}

/// The body of a request, of at most 64 KiB.
///
/// # Errors
/// When it is larger, or does not arrive in time or not whole.
pub(super) async fn bytes(request: Request) -> Result<Bytes, Problem> {
    let late = || Problem::new(Code::RequestTimeout, "the body did not arrive in time");
    let bytes = timeout(PATIENCE, to_bytes(request.into_body(), MAX_BODY));
    bytes.await.map_err(|_| late())?.map_err(|error| unread(&error))
}

fn unread(error: &axum::Error) -> Problem {
    let is_too_large = std::error::Error::source(error)
        .is_some_and(|source| source.to_string() == "length limit exceeded");
    if is_too_large {
        let detail = format!("the body has more than {} KiB", MAX_BODY >> 10);
        return Problem::new(Code::BodyTooLarge, detail);
    }
    Problem::new(Code::BodyInvalid, "the body ended before its end")
}

/// What is wrong with a body, and where, without a word of the body's own: it may be a secret that
/// came here by mistake.
fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let what = match error.classify() {
        Category::Data => of_data(text),
        Category::Io => "it cannot be read".to_owned(),
        // serde_json's own words, which quote nothing.
        Category::Syntax | Category::Eof => text.to_owned(),
    };
    format!("the body, line {}, column {}: {what}", error.line(), error.column())
}

/// What is wrong with a value, without a word of its own: serde says what it has found, then what it has
/// expected; the latter is in words of our types.
pub(super) fn of_data(text: &str) -> String {
    // Names of fields that are missing or there twice are ours.
    if text.starts_with("missing field ") || text.starts_with("duplicate field ") {
        return text.to_owned();
    }
    let found = if text.starts_with("unknown field ") {
        "a field that is not known"
    } else if text.starts_with("unknown variant ") {
        "a value that is not known"
    } else {
        "a value that does not fit"
    };
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("{found}; expected is {expected}"),
        None => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it is read counts")]
    struct Sample {
        app: String,
        #[serde(default)]
        all: bool,
        #[serde(default)]
        how: Option<How>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum How {
        Fast,
        Slow,
    }

    #[tokio::test]
    async fn a_fault_is_told_by_its_place_and_never_quoted() {
        let cases = [
            ("{", "line 1, column 1: EOF while parsing an object"),
            ("{\"app\":\n\"canary\"", "line 2, column 8: EOF while parsing an object"),
            ("{\"app\": \"canary\"} x", "line 1, column 19: trailing characters"),
            ("{\"app\": 'canary'}", "line 1, column 9: expected value"),
            ("{}", "line 1, column 2: missing field `app`"),
            ("{\"app\":\"a\",\"app\":\"canary\"}", "line 1, column 16: duplicate field `app`"),
            (
                "{\"app\":\"a\",\"canary\":1}",
                "line 1, column 19: a field that is not known; expected is one of `app`, `all`, `how`",
            ),
            (
                "{\"app\":\"a\",\"all\":\"canary, expected canary\"}",
                "line 1, column 42: a value that does not fit; expected is a boolean",
            ),
            (
                "{\"app\":\"a\",\"how\":\"canary at line 1\"}",
                "line 1, column 35: a value that is not known; expected is `fast` or `slow`",
            ),
        ];
        for (body, words) in cases {
            let error = serde_json::from_str::<Sample>(body).unwrap_err();
            let text = described(&error);
            assert!(text.starts_with(&format!("the body, {words}")), "{body}: {text}");
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_body_is_read_whatever_it_says_it_is_and_never_without_end() {
        let read = |text: String| async {
            let request = Request::post("/").header("content-type", "text/plain");
            let request = request.body(axum::body::Body::from(text)).unwrap();
            Body::<Sample>::from_request(request, &()).await
        };
        assert_eq!(read("{\"app\": \"a\"}".to_owned()).await.unwrap().0.app, "a");
        for other in ["", "[\"a\"]", "\"a\"", "null"] {
            let refused = read(other.to_owned()).await.unwrap_err().into_response();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        }
        let large = format!("{{\"app\": \"{}\"}}", "a".repeat(MAX_BODY));
        let refused = read(large).await.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
