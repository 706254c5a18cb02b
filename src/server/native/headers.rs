//! Headers of requests that mean something to a handler.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use crate::error::Code;
use crate::server::problem::Problem;
use crate::server::routes::{Argument, Header, Takes};

/// Where a caller says which request it is, if it should come twice.
pub(super) struct IdempotencyKey(pub(super) Option<String>);

/// Where a client that comes back says what it has seen.
pub(super) struct LastEventId(pub(super) Option<u64>);

/// Which state of a thing a caller means.
pub(super) struct IfMatch(Option<String>);

/// Longest key that is taken; a UUID has 36 characters.
const MAX_KEY: usize = 128;

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let refused = || {
            let detail = format!("`Idempotency-Key` is one of 1 to {MAX_KEY} printable characters");
            Problem::new(Code::RequestInvalid, detail)
        };
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let Some(key) = keys.next() else { return Ok(Self(None)) };
        let key = key.to_str().map_err(|_| refused())?;
        let is_plain = key.bytes().all(|byte| byte.is_ascii_graphic());
        if keys.next().is_some() || !is_plain || !(1..=MAX_KEY).contains(&key.len()) {
            return Err(refused());
        }
        Ok(Self(Some(key.to_owned())))
    }
}

impl Argument for IdempotencyKey {
    fn describe(takes: &mut Takes) {
        takes.headers.push(Header {
            name: "Idempotency-Key",
            text: "Makes the same request, sent again by the same caller, count once: 1 to 128 printable \
                   characters, such as a UUID.",
        });
        takes.refuses.push(Code::RequestInvalid);
    }
}

impl IfMatch {
    /// Whether the thing with this ETag is meant: anything is, where nobody says (RFC 9110, 13.1.1).
    pub(super) fn holds(&self, etag: &str) -> bool {
        let Some(wanted) = &self.0 else { return true };
        wanted.split(',').map(str::trim).any(|wanted| wanted == "*" || wanted == etag)
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    /// What is no text is the ETag of nothing.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let values = parts.headers.get_all(header::IF_MATCH).iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap_or_default()).collect();
        Ok(Self(Some(values.join(",")).filter(|_| !values.is_empty())))
    }
}

impl Argument for IfMatch {
    fn describe(takes: &mut Takes) {
        takes.headers.push(Header {
            name: "If-Match",
            text: "The `ETag` of what is meant: if it has been changed meanwhile, nothing is done.",
        });
        takes.refuses.push(Code::ScheduleChanged);
    }
}

impl<S: Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    /// What is no number of ours is what another server has said: all is told from the beginning.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let last = parts.headers.get("last-event-id");
        Ok(Self(last.and_then(|last| last.to_str().ok()?.parse().ok())))
    }
}

impl Argument for LastEventId {
    fn describe(takes: &mut Takes) {
        takes.headers.push(Header {
            name: "Last-Event-ID",
            text: "The id of the last event that was seen: only later states come, and the end.",
        });
    }
}
