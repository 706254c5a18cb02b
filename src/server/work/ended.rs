//! How an export ends: in its record, in the metrics, and in Events.

use jiff::Timestamp;

use super::{Desk, Failure, conditions};
use crate::cluster::events::About;
use crate::cluster::record::{Bytes, Export, ExportResult, ExportStatus, Phase};
use crate::error::Exit;
use crate::server::notify;
use crate::server::telemetry::events::{News, tell};
use crate::server::telemetry::metrics::End;

/// How an export ended.
pub(super) enum Ended {
    /// It is done; with a reason if it was not this attempt that did it.
    Done(Box<ExportResult>, Option<&'static str>),
    Failed(Failure),
    Cancelled,
}

impl Ended {
    /// Makes the status that of an export that has ended so, which is to be told to a webhook or not.
    pub(super) fn conclude(&self, status: &mut ExportStatus, is_told: bool, now: Timestamp) {
        let (phase, message, exit) = match self {
            Self::Done(result, _) => {
                status.result = Some((**result).clone());
                (Phase::Succeeded, None, 0)
            }
            Self::Failed(failure) => {
                status.hint.clone_from(&failure.hint);
                (Phase::Failed, Some(failure.message.clone()), failure.exit as u8)
            }
            Self::Cancelled => (Phase::Cancelled, None, Exit::Interrupted as u8),
        };
        let text = message.as_deref().unwrap_or_default();
        let complete = phase == Phase::Succeeded;
        conditions::set(status, conditions::COMPLETE, complete, self.reason(), text, now);
        status.phase = Some(phase);
        status.step = None;
        status.reason = Some(self.reason().to_owned());
        status.message = message;
        status.exit_code = Some(exit);
        status.finished_at = Some(now);
        if is_told {
            notify::owe(status, now);
        }
    }

    /// In a word; one of a closed set.
    fn reason(&self) -> &'static str {
        match self {
            Self::Done(_, reason) => reason.unwrap_or("Done"),
            Self::Failed(failure) => failure.reason,
            Self::Cancelled => "Cancelled",
        }
    }

    fn news(&self) -> News<'_> {
        match self {
            Self::Done(result, _) => News::Done(result),
            Self::Failed(Failure { reason, message, .. }) => News::Failed { reason, message },
            Self::Cancelled => News::Cancelled,
        }
    }
}

impl Desk {
    /// Counts an export whose end is written, and tells of it at its record and at the application's
    /// root.
    pub(super) async fn ended(&self, export: &Export, root: Option<&About>, ended: &Ended) {
        let (end, bytes) = match ended {
            Ended::Done(result, _) => (End::Done(result.status), result.bytes),
            Ended::Failed(_) => (End::Failed, Bytes::default()),
            Ended::Cancelled => (End::Cancelled, Bytes::default()),
        };
        let started = export.status.as_ref().and_then(|status| status.started_at);
        let took = started.and_then(|at| Timestamp::now().duration_since(at).try_into().ok());
        self.metrics.export(end, ended.reason(), took, bytes);
        let record = About::export(export);
        let about: Vec<&About> = std::iter::once(&record).chain(root).collect();
        tell(&self.means.live, &self.me, &about, &ended.news()).await;
    }
}
