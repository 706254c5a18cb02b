//! An export as the command line shows it: as the server tells it over HTTP, and as its record has it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cluster::record::{
    Door, Export, ExportResult, ExportSpec, Phase, Planned, Progress, RequestedBy, Step,
};

/// One export.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    pub(crate) namespace: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) request: ExportSpec,
    pub(crate) requested_by: By,
    pub(crate) phase: Phase,
    #[serde(default)]
    pub(crate) step: Option<Step>,
    /// Place in the queue, where the server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) queue_position: Option<usize>,
    #[serde(default)]
    pub(crate) message: Option<String>,
    /// Why it is so, in a word.
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) hint: Option<String>,
    #[serde(default)]
    pub(crate) exit_code: Option<u8>,
    #[serde(default)]
    pub(crate) queued_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) started_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) finished_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) attempts: u32,
    #[serde(default)]
    pub(crate) planned: Option<Planned>,
    #[serde(default)]
    pub(crate) progress: Option<Progress>,
    #[serde(default)]
    pub(crate) result: Option<ExportResult>,
}

/// Who asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct By {
    pub(crate) user: String,
    pub(crate) via: Door,
}

/// Who asked, where nobody has said it, in the server's words.
const UNKNOWN: &str = "unknown (Kubernetes API)";

impl View {
    /// What messages call it.
    pub(crate) fn title(&self) -> String {
        format!("Export {}/{}", self.namespace, self.name)
    }

    /// `namespace/name` of the application.
    pub(crate) fn app(&self) -> String {
        let namespace = self.request.namespace.as_ref().unwrap_or(&self.namespace);
        format!("{namespace}/{}", self.request.app)
    }

    /// Whether a leader of the server has seen it.
    pub(super) fn is_taken_up(&self) -> bool {
        self.queued_at.is_some() || self.phase != Phase::Pending
    }
}

impl From<Export> for View {
    fn from(export: Export) -> Self {
        let (namespace, name) = (export.namespace().to_owned(), export.name().to_owned());
        let created_at = export.created();
        let status = export.status.unwrap_or_default();
        let by = export.spec.requested_by.clone();
        let RequestedBy { user, via, .. } =
            by.unwrap_or_else(|| RequestedBy::new(UNKNOWN, &[], Door::Kubernetes));
        Self {
            namespace,
            name,
            created_at,
            request: ExportSpec { requested_by: None, ..export.spec },
            requested_by: By { user, via: via.unwrap_or(Door::Kubernetes) },
            phase: status.phase.unwrap_or(Phase::Pending),
            step: status.step,
            queue_position: None,
            message: status.message,
            code: status.reason,
            hint: status.hint,
            exit_code: status.exit_code,
            queued_at: status.queued_at,
            started_at: status.started_at,
            finished_at: status.finished_at,
            attempts: status.attempts,
            planned: status.planned,
            progress: status.progress,
            result: status.result,
        }
    }
}
