//! Bodies of answers: never more than is asked for, and a refusal in one line.

use bytes::{Bytes, BytesMut};
use reqwest::Response;
use serde::Deserialize;

use super::super::Error;
use super::{Failure, translate};

/// The error body of the distribution specification.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: Option<String>,
}

/// Most of an error's body that is read: enough for any registry's JSON, and of a proxy's HTML
/// page the part that says something.
pub(in crate::registry) const MAX_ERROR: usize = 64 << 10;

/// Longest reason that is repeated in a message: about two lines of a terminal.
const MAX_REASON: usize = 200;

/// Reads a whole body of at most `limit` bytes; `what` is what the message calls it.
pub(in crate::registry) async fn read(
    host: &str,
    what: &str,
    mut answer: Response,
    limit: usize,
) -> Result<Bytes, Failure> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| translate(host, &error))? {
        if bytes.len() + chunk.len() > limit {
            let (host, what) = (host.to_owned(), what.to_owned());
            return Err(Error::TooLarge { host, what, limit }.into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Reads what there is of an error's body, which must not hide the error itself.
pub(in crate::registry) async fn read_error(mut answer: Response) -> Bytes {
    let mut bytes = BytesMut::new();
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = MAX_ERROR - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() == MAX_ERROR {
            break;
        }
    }
    bytes.freeze()
}

/// The registry's own codes and words in one line.
pub(in crate::registry) fn reason(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Errors>(body) {
        Ok(Errors { errors }) => errors
            .iter()
            .map(Entry::line)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("; "),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line: String =
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_REASON) {
        _ if line.is_empty() => "it gave no reason".to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether the registry's answer has this code.
pub(in crate::registry) fn has_code(body: &[u8], codes: &[&str]) -> bool {
    serde_json::from_slice::<Errors>(body)
        .is_ok_and(|body| body.errors.iter().any(|entry| codes.contains(&entry.code.as_str())))
}

impl Entry {
    fn line(&self) -> String {
        match self.message.as_deref() {
            Some(message) if !message.is_empty() && !self.code.is_empty() => {
                format!("{}: {message}", self.code)
            }
            Some(message) if self.code.is_empty() => message.to_owned(),
            _ => self.code.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_refusal_is_one_line() {
        for (body, line) in [
            (r#"{"errors":[{"code":"DENIED","message":"no\nright"}]}"#, "DENIED: no right"),
            (r#"{"errors":[{"code":"A"},{"message":"b"}]}"#, "A; b"),
            (r#"{"errors":[{"code":"A","message":null,"detail":{"x":1}}]}"#, "A"),
            ("404 page not\r\n\x1b[31mfound\n", "404 page not [31mfound"),
            (r#"{"errors":[]}"#, "it gave no reason"),
            ("", "it gave no reason"),
        ] {
            assert_eq!(reason(body.as_bytes()), line);
        }
        assert_eq!(reason("é".repeat(500).as_bytes()).chars().count(), MAX_REASON + 1);
    }

    #[test]
    fn codes_are_found() {
        let body = br#"{"errors":[{"code":"X"},{"code":"NAME_UNKNOWN","message":"m"}]}"#;
        assert!(has_code(body, &["NAME_UNKNOWN"]));
        assert!(!has_code(body, &["DENIED"]));
        assert!(!has_code(b"NAME_UNKNOWN", &["NAME_UNKNOWN"]));
    }

    proptest! {
        #[test]
        fn a_reason_is_short_and_has_no_control_characters(body in ".{0,600}") {
            let line = reason(body.as_bytes());
            prop_assert!(line.chars().count() <= MAX_REASON + 1);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
