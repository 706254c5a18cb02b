//! A schedule as the command line shows it.

use jiff::Timestamp;
use serde::Serialize;

use crate::cluster::record::schedule::{
    ExportSchedule, ExportScheduleSpec, ExportScheduleStatus, NEXT_TIMES,
};
use crate::schedule::preview::local;
use crate::schedule::rules::Plan;
use crate::schedule::simulate::upcoming;

/// One schedule.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) created_at: Option<Timestamp>,
    pub(super) spec: ExportScheduleSpec,
    /// When it is due next, by the clock of its zone; nothing while it is suspended.
    pub(super) next: Vec<String>,
    /// What the server says of it; `None` before it has seen it.
    pub(super) status: Option<ExportScheduleStatus>,
}

impl From<ExportSchedule> for View {
    fn from(schedule: ExportSchedule) -> Self {
        Self {
            namespace: schedule.namespace().to_owned(),
            name: schedule.name().to_owned(),
            created_at: schedule.created(),
            next: next(&schedule, Timestamp::now()),
            spec: schedule.spec,
            status: schedule.status,
        }
    }
}

/// Nothing of one that is not valid: its status says why.
fn next(schedule: &ExportSchedule, now: Timestamp) -> Vec<String> {
    let Ok(plan) = Plan::of(schedule) else { return Vec::new() };
    if plan.suspended {
        return Vec::new();
    }
    let times = upcoming(&plan, schedule.created().unwrap_or(now), now, NEXT_TIMES);
    times.into_iter().map(|due| local(due, &plan.zone)).collect()
}

impl View {
    /// What is exported, in a word or two.
    pub(super) fn what(&self) -> String {
        let template = &self.spec.template;
        match (&template.app, &template.app_selector, &template.namespace_selector) {
            (Some(app), ..) => app.clone(),
            (_, Some(labels), _) => format!("apps {labels}"),
            (.., Some(labels)) => format!("namespaces {labels}"),
            _ => "-".to_owned(),
        }
    }

    /// Why it stands as it does, in a word.
    pub(super) fn reason(&self) -> Option<&str> {
        let conditions = &self.status.as_ref()?.conditions;
        conditions.iter().find(|of| of.kind == "Healthy").map(|of| of.reason.as_str())
    }
}
