//! A schedule as the command line shows it: as the server tells it over HTTP, and as the cluster has it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::view::By;
use crate::cluster::record::Door;
use crate::cluster::record::schedule::{ExportSchedule, ExportScheduleSpec, ExportScheduleStatus};
use crate::schedule::preview::next;

/// One schedule.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleView {
    pub(crate) namespace: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) spec: ExportScheduleSpec,
    /// In whose name it runs, where no service account is named.
    #[serde(default)]
    pub(crate) requested_by: Option<By>,
    /// When it is due next, by the clock of its zone; nothing while it is suspended.
    #[serde(default)]
    pub(crate) next: Vec<String>,
    /// What the server says of it; `None` before it has seen it.
    #[serde(default)]
    pub(crate) status: Option<ExportScheduleStatus>,
}

impl From<ExportSchedule> for ScheduleView {
    fn from(schedule: ExportSchedule) -> Self {
        let by = schedule.spec.requested_by.clone();
        Self {
            namespace: schedule.namespace().to_owned(),
            name: schedule.name().to_owned(),
            created_at: schedule.created(),
            next: next(&schedule, Timestamp::now()),
            requested_by: by
                .map(|by| By { user: by.user, via: by.via.unwrap_or(Door::Kubernetes) }),
            spec: ExportScheduleSpec { requested_by: None, ..schedule.spec },
            status: schedule.status,
        }
    }
}

impl ScheduleView {
    /// What messages call it.
    pub(crate) fn title(&self) -> String {
        format!("ExportSchedule {}/{}", self.namespace, self.name)
    }

    /// What is exported, in a word or two.
    pub(crate) fn what(&self) -> String {
        let template = &self.spec.template;
        match (&template.app, &template.app_selector, &template.namespace_selector) {
            (Some(app), ..) => app.clone(),
            (_, Some(labels), _) => format!("apps {labels}"),
            (.., Some(labels)) => format!("namespaces {labels}"),
            _ => "-".to_owned(),
        }
    }

    /// Why it stands as it does, in a word.
    pub(crate) fn reason(&self) -> Option<&str> {
        let conditions = &self.status.as_ref()?.conditions;
        conditions.iter().find(|of| of.kind == "Healthy").map(|of| of.reason.as_str())
    }
}
