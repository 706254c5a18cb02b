//! Schedules as they are stored: made, read, written and removed, one at a time.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ExportSchedule, ExportScheduleStatus};
use crate::cluster::{Error, Live};

impl Live {
    /// Makes a schedule. Sent once: who gets no answer reads what is there before asking again.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is one of its name; else what the cluster says against it, or that
    /// it does not answer.
    pub async fn create_schedule(
        &self,
        schedule: &ExportSchedule,
    ) -> Result<ExportSchedule, Error> {
        self.create_stored(schedule, "").await
    }

    /// What would become of making a schedule; nothing is made.
    ///
    /// # Errors
    /// As [`Self::create_schedule`].
    pub(in crate::cluster) async fn dry_run_schedule(
        &self,
        schedule: &ExportSchedule,
    ) -> Result<ExportSchedule, Error> {
        self.create_stored(schedule, "?dryRun=All").await
    }

    /// The schedule of this name; `None` where there is none, or where the cluster does not know the
    /// resource.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn schedule(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<ExportSchedule>, Error> {
        self.read_stored(namespace, name).await
    }

    /// At most `limit` schedules of a namespace, or of all, in the order of their names.
    ///
    /// # Errors
    /// When they may not be listed, there is no such resource, or the cluster does not answer.
    pub async fn schedules(
        &self,
        namespace: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ExportSchedule>, Error> {
        self.list_stored(namespace, "", limit).await
    }

    /// Writes fields of the spec, if the schedule is still what was read: those of `fields` (RFC 7396:
    /// null takes one away), and no others; and sets these annotations.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it was changed or removed meanwhile; else what the cluster says.
    pub async fn patch_schedule(
        &self,
        schedule: &ExportSchedule,
        fields: &Value,
        annotations: &[(&str, &str)],
    ) -> Result<ExportSchedule, Error> {
        let annotations: BTreeMap<_, _> = annotations.iter().copied().collect();
        let metadata = json!({
            "uid": schedule.uid(), "resourceVersion": schedule.version(), "annotations": annotations,
        });
        self.merge(schedule, &json!({"metadata": metadata, "spec": fields})).await
    }

    /// Writes the status of a schedule, if the schedule is still what was read, and gives what is there
    /// then. All of the status is written: a field that is `None` goes away.
    ///
    /// # Errors
    /// As [`Self::patch_schedule`].
    pub async fn patch_schedule_status(
        &self,
        schedule: &ExportSchedule,
        status: &ExportScheduleStatus,
    ) -> Result<ExportSchedule, Error> {
        let written = ExportSchedule { status: Some(status.clone()), ..schedule.clone() };
        self.put_status(&written).await
    }

    /// Sets annotations of a schedule, and no others. Anybody's later changes stay.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it was removed meanwhile; else what the cluster says.
    pub async fn annotate_schedule(
        &self,
        schedule: &ExportSchedule,
        annotations: &[(&str, &str)],
    ) -> Result<ExportSchedule, Error> {
        self.put_annotations(schedule, annotations).await
    }

    /// Removes a schedule, if it is still this one and not a later one of its name. Its records and
    /// versions stay.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is gone; else what the cluster says.
    pub async fn delete_schedule(&self, schedule: &ExportSchedule) -> Result<(), Error> {
        self.delete_stored(schedule).await
    }
}
