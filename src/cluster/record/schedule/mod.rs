//! The resource `ExportSchedule` (`outhaul.dev/v1alpha1`): its wire types.

mod spec;
mod status;
mod store;
mod strict;

use jiff::Timestamp;

pub use spec::{
    CatchUp, ConcurrencyPolicy, ExportSchedule, ExportScheduleSpec, HistoryLimits, MAX_DEADLINE,
    MAX_JITTER, MAX_KEPT, MAX_RECORDS, MIN_DEADLINE, Retention, Template,
};
pub use status::{
    AppStatus, Attempt, ExportScheduleStatus, MAX_ACTIVE, MAX_APPS, NEXT_TIMES, Pruned, Runs,
    Skipped,
};
pub use strict::{Misfit, strict};

/// Label of the records of a schedule, with its name.
pub const SCHEDULE: &str = "outhaul.dev/schedule";

/// Annotation of a schedule by which a run is asked for outside of its times: any value that was not
/// there before.
pub const RUN: &str = "outhaul.dev/run";

impl ExportSchedule {
    /// A schedule to be made.
    pub fn draft(namespace: &str, name: &str, spec: ExportScheduleSpec) -> Self {
        let mut schedule = Self::new(name, spec);
        schedule.metadata.namespace = Some(namespace.to_owned());
        schedule
    }

    /// The same with one more annotation.
    #[must_use]
    pub fn with_annotation(mut self, key: &str, value: &str) -> Self {
        let annotations = self.metadata.annotations.get_or_insert_default();
        annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The namespace that it is in.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    /// What a message calls it.
    pub fn title(&self) -> String {
        format!("ExportSchedule {}/{}", self.namespace(), self.name())
    }

    /// What tells it from a later one of the same name.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// What changes whenever it is written.
    pub fn version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// The namespace of its applications, where that is one.
    pub fn target(&self) -> &str {
        self.spec.template.namespace.as_deref().unwrap_or_else(|| self.namespace())
    }

    /// When it was made.
    pub fn created(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }
}
