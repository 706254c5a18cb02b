//! Blobs and parts of blobs.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Server;
use super::refusal::Refusal;
use crate::registry::Digest;

/// Which bytes are asked for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    All,
    Bytes(Range<u64>),
    /// None that exist.
    Nothing,
}

impl Server {
    /// The blob or a part of it; without its bytes if only asked about.
    pub(super) async fn blob(
        &self,
        digest: &Digest,
        asked: Option<&HeaderValue>,
        bytes: bool,
    ) -> Result<Response, Refusal> {
        let unknown = || Refusal::not_found("BLOB_UNKNOWN", format!("blob {digest}"));
        let size = self.layout.blob_size(digest).await?.ok_or_else(unknown)?;
        let (status, range) = match part(asked.and_then(|value| value.to_str().ok()), size) {
            Part::All => (StatusCode::OK, 0..size),
            Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
            Part::Nothing => {
                let headers = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
            }
        };
        let length = range.end - range.start;
        let body = if bytes {
            let stream = self.layout.read_part(digest, range.start, length).await?;
            Body::from_stream(stream.ok_or_else(unknown)?)
        } else {
            Body::empty()
        };
        let headers = [
            (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
            (header::CONTENT_LENGTH, length.to_string()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::ETAG, format!("\"{digest}\"")),
        ];
        let mut response = (status, headers, digest_header(digest), body).into_response();
        if status == StatusCode::PARTIAL_CONTENT
            && let Ok(value) = format!("bytes {}-{}/{size}", range.start, range.end - 1).parse()
        {
            response.headers_mut().insert(header::CONTENT_RANGE, value);
        }
        Ok(response)
    }
}

pub(super) fn digest_header(digest: &Digest) -> [(&'static str, String); 1] {
    [("docker-content-digest", digest.to_string())]
}

/// Reads a `Range` header. What is not one range of bytes is ignored, as the header may be
/// (RFC 9110, 14.2).
fn part(header: Option<&str>, size: u64) -> Part {
    let Some(bounds) = header.and_then(|text| text.strip_prefix("bytes=")?.split_once('-')) else {
        return Part::All;
    };
    let (start, end) = match bounds {
        ("", last) => match last.parse::<u64>() {
            Ok(last) => (size.saturating_sub(last), size),
            Err(_) => return Part::All,
        },
        (first, "") => match first.parse() {
            Ok(first) => (first, size),
            Err(_) => return Part::All,
        },
        (first, last) => match (first.parse::<u64>(), last.parse::<u64>()) {
            (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
            _ => return Part::All,
        },
    };
    if start < end { Part::Bytes(start..end) } else { Part::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        let cases = [
            (None, Part::All),
            (Some("bytes=0-"), Part::Bytes(0..10)),
            (Some("bytes=3-5"), Part::Bytes(3..6)),
            (Some("bytes=3-99"), Part::Bytes(3..10)),
            (Some("bytes=-4"), Part::Bytes(6..10)),
            (Some("bytes=-99"), Part::Bytes(0..10)),
            (Some("bytes=10-"), Part::Nothing),
            (Some("bytes=-0"), Part::Nothing),
            (Some("bytes=5-3"), Part::All),
            (Some("bytes=0-1,3-4"), Part::All),
            (Some("lines=1-2"), Part::All),
            (Some("bytes=x-"), Part::All),
            (Some("bytes=0-18446744073709551615"), Part::Bytes(0..10)),
        ];
        for (header, expected) in cases {
            assert_eq!(part(header, 10), expected, "{header:?}");
        }
    }
}
