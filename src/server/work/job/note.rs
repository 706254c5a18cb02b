//! The last words of a worker: its termination message, which Kubernetes keeps in the pod's status.
//! They are what the record would have said, and so nothing secret.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Exit};
use crate::server::work::Failure;
use crate::server::work::accept::NOT_AUTHORIZED;
use crate::server::work::attempt::FINISHED_BEFORE_CRASH;

/// Longest message that kubelet keeps, in bytes.
const MAX_NOTE: usize = 4096;

/// Longest last words of a program that are no note of ours, in characters.
const MAX_WORDS: usize = 1024;

/// What a worker says at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// In a word, as the record has it.
    reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Note {
    /// That of an attempt that failed.
    pub(super) fn of(failure: &Failure) -> Self {
        Self {
            reason: failure.reason.to_owned(),
            message: failure.message.clone(),
            hint: failure.hint.clone(),
        }
    }

    /// That of an attempt that ended well, if there is more to say.
    pub(super) fn done(reason: &str) -> Self {
        Self { reason: reason.to_owned(), ..Self::default() }
    }

    /// Leaves it where kubelet reads it. The file is kubelet's: where there is none, nobody reads it.
    pub(super) fn leave(&self, path: &Path) {
        let file = OpenOptions::new().write(true).truncate(true).open(path);
        let written = file.and_then(|mut file| file.write_all(self.text().as_bytes()));
        if let Err(error) = written {
            tracing::debug!("no last words: {error}");
        }
    }

    /// As JSON, with a message that is cut until all of it fits.
    fn text(&self) -> String {
        let mut note = self.clone();
        loop {
            let text = serde_json::to_string(&note).unwrap_or_default();
            if text.len() <= MAX_NOTE {
                return text;
            }
            let half = note.message.floor_char_boundary(note.message.len() / 2);
            note.message.truncate(half);
            if half == 0 {
                note.hint = None;
            }
        }
    }
}

/// Whether these last words say that there was nothing left to do.
pub(super) fn was_before(text: &str) -> bool {
    serde_json::from_str::<Note>(text).is_ok_and(|note| note.reason == FINISHED_BEFORE_CRASH)
}

/// Why an attempt failed, by its last words and its exit code. `exit` is what we call that code.
pub(super) fn failure(text: &str, code: i64, exit: Option<Exit>) -> Failure {
    let by_code = exit.unwrap_or(Exit::Failed);
    match serde_json::from_str::<Note>(text) {
        Ok(Note { reason, message, hint }) => {
            let known = known(&reason).unwrap_or(by_code.name());
            Failure { reason: known, message, hint, exit: by_code }
        }
        Err(_) => {
            // The last line of a log says most.
            let words = text.trim();
            let from = words.char_indices().rev().nth(MAX_WORDS - 1).map_or(0, |(at, _)| at);
            let words = words[from..].to_owned();
            let none = || format!("its worker ended with exit code {code} and left no word");
            Failure {
                reason: by_code.name(),
                message: if words.is_empty() { none() } else { words },
                hint: Some(
                    "the log of its pod says more, if it is still there; the image of the \
                     Job's template has to be of the server's release"
                        .to_owned(),
                ),
                exit: by_code,
            }
        }
    }
}

/// The reason if it is one of ours: metrics have it as a label.
fn known(reason: &str) -> Option<&'static str> {
    let codes = Code::ALL.iter().map(|code| code.as_str());
    codes.chain([NOT_AUTHORIZED]).find(|known| *known == reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(message: String) -> Failure {
        let hint = Some("ask".to_owned());
        Failure { reason: "FINDINGS", message, hint, exit: Exit::Findings }
    }

    #[test]
    fn what_is_left_is_read_back() {
        let left = Note::of(&failed("two \"findings\"".to_owned())).text();
        let read = failure(&left, 17, Exit::of(17));
        assert_eq!((read.reason, read.exit), ("FINDINGS", Exit::Findings));
        assert_eq!(
            (read.message.as_str(), read.hint.as_deref()),
            ("two \"findings\"", Some("ask"))
        );
    }

    #[test]
    fn it_fits_and_is_whole_json_however_long_the_message() {
        for message in ["ü".repeat(5000), "\"".repeat(5000), "\u{1}".repeat(5000)] {
            let text = Note::of(&failed(message)).text();
            assert!(text.len() <= MAX_NOTE);
            assert_eq!(failure(&text, 17, Exit::of(17)).reason, "FINDINGS");
        }
        let hint = Some("h".repeat(9000));
        let long = Note::of(&Failure { hint, ..failed(String::new()) }).text();
        assert!(serde_json::from_str::<Note>(&long).is_ok());
    }

    #[test]
    fn reasons_are_of_a_closed_set_whatever_a_pod_says() {
        let read = failure(r#"{"reason":"anything","message":"m"}"#, 9, Exit::of(9));
        assert_eq!((read.reason, read.message.as_str()), ("Registry", "m"));
        assert_eq!(failure("", 42, None).reason, "Failed");
    }
}
