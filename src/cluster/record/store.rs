//! Exports as they are stored: made, read, written and removed, one at a time.

use hyper::http::Method;
use serde_json::json;

use super::schedule::SCHEDULE;
use super::stored::{Stored as _, overtaken};
use super::{Export, ExportStatus};
use crate::cluster::{Error, Live};

/// Media type of server-side apply. JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

/// Whose the fields are that an attempt in a Job writes.
const WORKER: &str = "outhaul-worker";

impl Live {
    /// Makes an export. Its status is the server's to write. Sent once: who gets no answer reads what
    /// is there before asking again.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is one of its name; else what the cluster says against it, or that
    /// it does not answer.
    pub async fn create_export(&self, export: &Export) -> Result<Export, Error> {
        self.create_stored(export, "").await
    }

    /// What would become of making an export; nothing is made.
    ///
    /// # Errors
    /// As [`Self::create_export`].
    pub(in crate::cluster) async fn dry_run_export(
        &self,
        export: &Export,
    ) -> Result<Export, Error> {
        self.create_stored(export, "?dryRun=All").await
    }

    /// The export of this name; `None` where there is none, or where the cluster does not know the
    /// resource.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn export(&self, namespace: &str, name: &str) -> Result<Option<Export>, Error> {
        self.read_stored(namespace, name).await
    }

    /// At most `limit` exports of a namespace, or of all, in the order of their names.
    ///
    /// # Errors
    /// When they may not be listed, there is no such resource, or the cluster does not answer.
    pub async fn exports(
        &self,
        namespace: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Export>, Error> {
        self.list_stored(namespace, "", limit).await
    }

    /// The exports of a schedule, in the order of their names: those that have its label, which anybody
    /// can write.
    ///
    /// # Errors
    /// As [`Self::exports`].
    pub async fn exports_of_schedule(
        &self,
        namespace: &str,
        schedule: &str,
        limit: usize,
    ) -> Result<Vec<Export>, Error> {
        let selector = format!("{SCHEDULE}={schedule}");
        self.list_stored(Some(namespace), &selector, limit).await
    }

    /// Writes the status of an export, if the export is still what was read, and gives what is there
    /// then. All of the status is written: a field that is `None` goes away.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it was changed or removed meanwhile; else what the cluster says.
    pub async fn patch_status(
        &self,
        export: &Export,
        status: &ExportStatus,
    ) -> Result<Export, Error> {
        self.put_status(&Export { status: Some(status.clone()), ..export.clone() }).await
    }

    /// Writes what an attempt in a Job says of itself, as its own fields: `planned`, `progress`, `step`
    /// and `result` of `status`, and nothing else of it. It is written if the export is still what was
    /// read. Gives what is there then.
    ///
    /// # Errors
    /// As [`Self::patch_status`].
    pub async fn apply_attempt(
        &self,
        export: &Export,
        status: &ExportStatus,
    ) -> Result<Export, Error> {
        let ExportStatus { planned, progress, step, result, .. } = status.clone();
        let own = ExportStatus { planned, progress, step, result, ..ExportStatus::default() };
        let mut body = self.written(&Export { status: Some(own), ..export.clone() })?;
        if let Some(status) = body["status"].as_object_mut() {
            status.remove("attempts"); // the one field that is always there
        }
        let body = json!({
            "apiVersion": body["apiVersion"], "kind": body["kind"], "status": body["status"],
            "metadata": {
                "namespace": export.namespace(), "name": export.name(), "uid": export.uid(),
                "resourceVersion": export.version(),
            },
        });
        let path = format!("{}/status?fieldManager={WORKER}&force=true", export.path());
        let sent = self.api.send(Method::PATCH, &path, APPLY, &body).await;
        sent.map_err(|error| overtaken(export, error))
    }

    /// Sets annotations of an export, and no others. Anybody's later changes stay.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it was removed meanwhile; else what the cluster says.
    pub async fn annotate(
        &self,
        export: &Export,
        annotations: &[(&str, &str)],
    ) -> Result<Export, Error> {
        self.put_annotations(export, annotations).await
    }

    /// The same, if the export is still what was read: one that was begun meanwhile stays as it is.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it was changed or removed meanwhile; else what the cluster says.
    pub async fn annotate_as_read(
        &self,
        export: &Export,
        (key, value): (&str, &str),
    ) -> Result<Export, Error> {
        let metadata = json!({
            "uid": export.uid(), "resourceVersion": export.version(), "annotations": {key: value},
        });
        self.merge(export, &json!({"metadata": metadata})).await
    }

    /// Removes an export, if it is still this one and not a later one of its name.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is gone; else what the cluster says.
    pub async fn delete_export(&self, export: &Export) -> Result<(), Error> {
        self.delete_stored(export).await
    }
}
