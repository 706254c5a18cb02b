//! Exports as they are stored: made, read, written and removed, one at a time.

use hyper::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Export, ExportStatus};
use crate::cluster::client::{JSON, MAX_DOCUMENT};
use crate::cluster::discover::segment;
use crate::cluster::{Error, Live};

/// Where the API serves exports.
const API: &str = "/apis/outhaul.dev/v1alpha1";

/// Media type of a JSON merge patch (RFC 7396).
const MERGE: &str = "application/merge-patch+json";

/// Media type of server-side apply. JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

/// Whose the fields are that an attempt in a Job writes.
const WORKER: &str = "outhaul-worker";

/// Exports of one answer: a hundred of the largest are a few MiB.
const PAGE: usize = 100;

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    items: Vec<Export>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    more: Option<String>,
}

impl Live {
    /// Makes an export. Its status is the server's to write. Sent once: who gets no answer reads what
    /// is there before asking again.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is one of its name; else what the cluster says against it, or that
    /// it does not answer.
    pub async fn create_export(&self, export: &Export) -> Result<Export, Error> {
        self.create(export, "").await
    }

    /// What would become of making an export; nothing is made.
    ///
    /// # Errors
    /// As [`Self::create_export`].
    pub(in crate::cluster) async fn dry_run_export(
        &self,
        export: &Export,
    ) -> Result<Export, Error> {
        self.create(export, "?dryRun=All").await
    }

    async fn create(&self, export: &Export, query: &str) -> Result<Export, Error> {
        let path = format!("{API}/namespaces/{}/exports{query}", segment(export.namespace()));
        let body = self.body(export)?;
        let made = self.api.send_once(Method::POST, &path, JSON, &body).await;
        made.map_err(|error| match error {
            Error::Api { status: 409, .. } => Error::Exists { what: export.title() },
            other => other,
        })
    }

    /// The export of this name; `None` where there is none, or where the cluster does not know the
    /// resource.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn export(&self, namespace: &str, name: &str) -> Result<Option<Export>, Error> {
        match self.api.get(&path(namespace, name), JSON, MAX_DOCUMENT).await {
            Ok((export, _)) => Ok(Some(export)),
            Err(Error::Api { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
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
        let within = namespace.map(|name| format!("/namespaces/{}", segment(name)));
        let path = format!("{API}{}/exports", within.unwrap_or_default());
        let mut all: Vec<Export> = Vec::new();
        let mut more = String::new();
        while all.len() < limit {
            let size = PAGE.min(limit - all.len());
            let url = format!("{path}?limit={size}&continue={}", segment(&more));
            let (page, _): (Page, _) = self.api.get(&url, JSON, MAX_DOCUMENT).await?;
            all.extend(page.items);
            more = page.metadata.more.unwrap_or_default();
            if more.is_empty() {
                break;
            }
        }
        all.truncate(limit);
        Ok(all)
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
        let path = format!("{}/status", path(export.namespace(), export.name()));
        let written = Export { status: Some(status.clone()), ..export.clone() };
        let body = self.body(&written)?;
        let sent = self.api.send(Method::PUT, &path, JSON, &body).await;
        sent.map_err(|error| overtaken(export, error))
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
        let mut body = self.body(&Export { status: Some(own), ..export.clone() })?;
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
        let path = format!(
            "{}/status?fieldManager={WORKER}&force=true",
            path(export.namespace(), export.name())
        );
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
        let values = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        let values: Map<String, Value> = values.collect();
        let body = json!({"metadata": {"uid": export.uid(), "annotations": values}});
        let path = path(export.namespace(), export.name());
        let sent = self.api.send(Method::PATCH, &path, MERGE, &body).await;
        sent.map_err(|error| overtaken(export, error))
    }

    /// Removes an export, if it is still this one and not a later one of its name.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is gone; else what the cluster says.
    pub async fn delete_export(&self, export: &Export) -> Result<(), Error> {
        let path = path(export.namespace(), export.name());
        let body = json!({"preconditions": {"uid": export.uid()}});
        let sent = self.api.send::<Value>(Method::DELETE, &path, JSON, &body).await;
        sent.map(drop).map_err(|error| overtaken(export, error))
    }

    fn body(&self, export: &Export) -> Result<Value, Error> {
        serde_json::to_value(export).map_err(|error| Error::Protocol {
            server: self.server().to_owned(),
            path: path(export.namespace(), export.name()),
            reason: error.to_string(),
        })
    }
}

fn path(namespace: &str, name: &str) -> String {
    format!("{API}/namespaces/{}/exports/{}", segment(namespace), segment(name))
}

/// What a refusal to write means where somebody else was faster.
fn overtaken(export: &Export, error: Error) -> Error {
    let conflict = match &error {
        Error::Api { status: 404 | 409, .. } => true,
        // A patch of another object than was read.
        Error::Api { status: 422, reason, .. } => reason.contains("metadata.uid"),
        _ => false,
    };
    if conflict { Error::Conflict { what: export.title() } } else { error }
}
