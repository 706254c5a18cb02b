//! The end of an export as a CloudEvent (version 1.0, HTTP binding, binary mode).

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::NOTIFIED;
use crate::cluster::record::{Export, Phase};

/// What is told, the same each time.
#[derive(Debug)]
pub(super) struct Event {
    id: String,
    kind: &'static str,
    source: String,
    subject: String,
    time: String,
    pub(super) body: Bytes,
}

impl Event {
    /// That this export, in the cluster of this uid, has ended; `None` before it has.
    pub(super) fn of(export: &Export, cluster: &str) -> Option<Self> {
        let status = export.status.as_ref()?;
        let (phase, kind) = match status.phase? {
            Phase::Succeeded => ("Succeeded", "dev.outhaul.export.succeeded"),
            Phase::Failed => ("Failed", "dev.outhaul.export.failed"),
            Phase::Cancelled => ("Cancelled", "dev.outhaul.export.cancelled"),
            Phase::Pending | Phase::Running => return None,
        };
        let (namespace, name) = (export.namespace(), export.name());
        Some(Self {
            id: format!("{}/{phase}", export.uid()),
            kind,
            source: format!("/clusters/{cluster}/namespaces/{namespace}/exports/{name}"),
            subject: format!("{}/{}", export.target(), export.spec.app),
            time: status.finished_at.unwrap_or(Timestamp::UNIX_EPOCH).to_string(),
            body: body(export).to_string().into(),
        })
    }

    /// Its attributes as headers, and the type of its body.
    pub(super) fn headers(&self) -> [(&'static str, &str); 7] {
        [
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", &self.id),
            ("ce-type", self.kind),
            ("ce-source", &self.source),
            ("ce-subject", &self.subject),
            ("ce-time", &self.time),
        ]
    }
}

/// The record, without who asked for it and how it was told.
fn body(export: &Export) -> Value {
    let metadata = json!({
        "name": export.name(),
        "namespace": export.namespace(),
        "uid": export.uid(),
        "creationTimestamp": export.created(),
    });
    let (mut spec, mut status) = (json!(export.spec), json!(export.status));
    if let Some(spec) = spec.as_object_mut() {
        spec.shift_remove("requestedBy");
    }
    if let Some(status) = status.as_object_mut() {
        status.shift_remove("holder");
    }
    if let Some(conditions) = status.pointer_mut("/conditions").and_then(Value::as_array_mut) {
        conditions.retain(|condition| condition["type"] != NOTIFIED);
    }
    json!({
        "apiVersion": "outhaul.dev/v1alpha1",
        "kind": "Export",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::{Door, ExportSpec, ExportStatus, RequestedBy};
    use crate::server::notify::owe;

    fn ended(phase: Phase) -> Export {
        let mut spec = ExportSpec::new("shop", "team");
        spec.requested_by = Some(RequestedBy {
            user: "canary".into(),
            groups: vec!["canary".into()],
            via: Some(Door::Native),
            request_id: None,
        });
        let mut export = Export::draft("shop", "shop-1", spec).with_annotation("a", "canary");
        export.metadata.uid = Some("u-1".into());
        let finished_at = Some(Timestamp::UNIX_EPOCH);
        let mut status =
            ExportStatus { phase: Some(phase), finished_at, ..ExportStatus::default() };
        owe(&mut status, Timestamp::UNIX_EPOCH);
        export.status = Some(status);
        export
    }

    #[test]
    fn an_end_is_an_event_without_who_asked() {
        let event = Event::of(&ended(Phase::Failed), "c-1").unwrap();
        assert_eq!(
            event.headers(),
            [
                ("content-type", "application/json"),
                ("ce-specversion", "1.0"),
                ("ce-id", "u-1/Failed"),
                ("ce-type", "dev.outhaul.export.failed"),
                ("ce-source", "/clusters/c-1/namespaces/shop/exports/shop-1"),
                ("ce-subject", "shop/shop"),
                ("ce-time", "1970-01-01T00:00:00Z"),
            ]
        );
        let text = std::str::from_utf8(&event.body).unwrap();
        assert!(!text.contains("canary") && !text.contains(NOTIFIED), "{text}");
        let body: Value = serde_json::from_str(text).unwrap();
        assert_eq!(body["status"]["phase"], "Failed");
        assert_eq!(body["spec"]["destination"], "team");
    }

    #[test]
    fn what_has_not_ended_is_none() {
        assert!(Event::of(&ended(Phase::Running), "c-1").is_none());
        assert!(Event::of(&Export::draft("a", "b", ExportSpec::new("a", "b")), "c-1").is_none());
    }
}
