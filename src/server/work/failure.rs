//! Why an export failed, in the words that its status has for it.

use std::time::Duration;

use super::reconcile::MOST_ATTEMPTS;
use crate::error::{Error, Exit};

/// Reason of an export whose leaders died too often.
const INTERRUPTED: &str = "Interrupted";

/// Reason of an export that took too long, as a Job of Kubernetes has it.
pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";

/// Why an export failed, as its status says it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// In a word.
    pub reason: &'static str,
    /// In a sentence.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
    /// The exit code that the command line would have.
    pub exit: Exit,
}

impl Failure {
    /// Of an attempt in a Job that was the last, and was lost for this reason.
    pub(super) fn lost(why: &str) -> Self {
        let Self { message, .. } = Self::interrupted();
        Self {
            message: format!("{message}; the last time: {why}"),
            hint: Some(
                "look at the Job's pods and their Events; the Job's template says how much memory they \
                 have; then make another Export"
                    .to_owned(),
            ),
            ..Self::interrupted()
        }
    }

    /// Of a worker that ended well without a word in the record.
    pub(super) fn no_result() -> Self {
        Self {
            reason: Exit::Failed.name(),
            message: "its worker ended well and has written no result".to_owned(),
            hint: Some(
                "the image of the Job's template has to be of the server's release".to_owned(),
            ),
            exit: Exit::Failed,
        }
    }

    pub(super) fn interrupted() -> Self {
        Self {
            reason: INTERRUPTED,
            message: format!("it was begun {MOST_ATTEMPTS} times and never ended"),
            hint: Some("look at the server's log and its memory; then make another Export".into()),
            exit: Exit::Interrupted,
        }
    }

    pub(super) fn too_long(longest: Duration) -> Self {
        Self {
            reason: DEADLINE_EXCEEDED,
            message: format!("it ran for {} s and had not ended", longest.as_secs()),
            hint: Some(
                "make another Export, which goes on where this one was; `serve --longest`, or the \
                 template of Jobs, gives more time"
                    .to_owned(),
            ),
            exit: Exit::Failed,
        }
    }

    pub(super) fn unavailable() -> Self {
        Self {
            reason: "CLUSTER_UNREACHABLE",
            message: "rights cannot be verified now".to_owned(),
            hint: Some("make another Export when the API server answers again".to_owned()),
            exit: Exit::Cluster,
        }
    }
}

impl Failure {
    /// The failure that the error is.
    pub(super) fn of(error: &Error) -> Self {
        let causes = error.causes().into_iter();
        let message = std::iter::once(error.to_string()).chain(causes).collect::<Vec<_>>();
        Self {
            reason: error.code().as_str(),
            message: message.join("\ncaused by: "),
            hint: error.hint(),
            exit: error.exit(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}
