//! Events (`events.k8s.io/v1`), which `kubectl describe` shows at the object that they are about.

use hyper::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::JSON;
use super::discover::segment;
use super::list::Meta;
use super::record::Export;
use super::record::schedule::ExportSchedule;
use super::{Error, Live};
use crate::app::ObjectId;

/// Longest note that the API server takes, in bytes.
const MAX_NOTE: usize = 1024;

/// Longest name of an instance that it takes.
const MAX_INSTANCE: usize = 128;

/// Who reports.
const CONTROLLER: &str = "outhaul.dev/server";

/// Kinds that an application is known by, the most telling first: group, version, kind, plural.
const WORKLOADS: [(&str, &str, &str, &str); 7] = [
    ("application.epinio.io", "v1", "App", "apps"),
    ("apps", "v1", "Deployment", "deployments"),
    ("apps", "v1", "StatefulSet", "statefulsets"),
    ("apps", "v1", "DaemonSet", "daemonsets"),
    ("batch", "v1", "CronJob", "cronjobs"),
    ("batch", "v1", "Job", "jobs"),
    ("", "v1", "Pod", "pods"),
];

/// The object that an Event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    api_version: String,
    kind: &'static str,
    namespace: String,
    name: String,
    uid: String,
}

/// Something worth telling.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// In a word, `UpperCamelCase`.
    pub reason: &'static str,
    /// In a sentence; what is too long for the API server is cut.
    pub note: &'a str,
    /// Whether somebody should look at it.
    pub is_warning: bool,
    /// Which replica tells it.
    pub instance: &'a str,
}

impl About {
    /// A schedule.
    pub fn schedule(schedule: &ExportSchedule) -> Self {
        Self {
            api_version: "outhaul.dev/v1alpha1".to_owned(),
            kind: "ExportSchedule",
            namespace: schedule.namespace().to_owned(),
            name: schedule.name().to_owned(),
            uid: schedule.uid().to_owned(),
        }
    }

    /// A record.
    pub fn export(export: &Export) -> Self {
        Self {
            api_version: "outhaul.dev/v1alpha1".to_owned(),
            kind: "Export",
            namespace: export.namespace().to_owned(),
            name: export.name().to_owned(),
            uid: export.uid().to_owned(),
        }
    }
}

impl Live {
    /// The object among these by which people know the application: its root, or the first workload.
    /// `None` where there is none, or it may not be seen.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn root(
        &self,
        namespace: &str,
        objects: &[ObjectId],
    ) -> Result<Option<About>, Error> {
        let found = WORKLOADS.iter().find_map(|workload| {
            let is = |object: &&ObjectId| {
                (object.group.as_str(), object.kind.as_str()) == (workload.0, workload.2)
                    && object.namespace.is_none()
            };
            objects.iter().find(is).map(|object| (workload, object.name.clone()))
        });
        let Some(((group, version, kind, plural), name)) = found else { return Ok(None) };
        let api_version =
            if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") };
        let root = if group.is_empty() { "api" } else { "apis" };
        let path = format!(
            "/{root}/{api_version}/namespaces/{}/{plural}/{}",
            segment(namespace),
            segment(&name)
        );
        let read =
            self.api.get::<Meta>(&path, super::target::METADATA, super::client::MAX_DOCUMENT);
        let uid = match read.await {
            Ok((read, _)) => read.metadata.uid,
            Err(Error::Forbidden { .. } | Error::Api { status: 404, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(About { api_version, kind, namespace: namespace.to_owned(), name, uid }))
    }

    /// Tells of something at an object. Sent once: who misses an Event misses little.
    ///
    /// # Errors
    /// When it may not be told, or the cluster does not answer.
    pub async fn tell(&self, about: &About, event: Event<'_>) -> Result<(), Error> {
        let now = Timestamp::now();
        let path =
            format!("/apis/events.k8s.io/v1/namespaces/{}/events", segment(&about.namespace));
        let body = about.event(event, now);
        self.api.send_once::<Value>(Method::POST, &path, JSON, &body).await.map(drop)
    }
}

impl About {
    fn event(&self, event: Event<'_>, now: Timestamp) -> Value {
        // As client-go names them.
        let name = format!("{}.{:x}", self.name, now.as_nanosecond());
        json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"namespace": self.namespace, "name": name},
            "eventTime": format!("{now:.6}"), // a `MicroTime` has exactly six digits
            "type": if event.is_warning { "Warning" } else { "Normal" },
            "reason": event.reason,
            "action": "Export",
            "note": cut(event.note, MAX_NOTE),
            "reportingController": CONTROLLER,
            "reportingInstance": cut(event.instance, MAX_INSTANCE),
            "regarding": {
                "apiVersion": self.api_version,
                "kind": self.kind,
                "namespace": self.namespace,
                "name": self.name,
                "uid": self.uid,
            },
        })
    }
}

fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::ExportSpec;

    #[test]
    fn an_event_is_no_longer_than_the_api_server_takes() {
        let about = About::export(&Export::draft("shop", "web-1", ExportSpec::new("web", "team")));
        let note = "ä".repeat(2000);
        let event =
            Event { reason: "ExportFailed", note: &note, is_warning: true, instance: "a_1" };
        let event = about.event(event, Timestamp::from_second(1_795_000_000).unwrap());
        assert_eq!(event["note"].as_str().unwrap().len(), MAX_NOTE);
        assert_eq!(event["eventTime"], "2026-11-18T11:06:40.000000Z");
        assert_eq!(event["metadata"]["namespace"], event["regarding"]["namespace"]);
        assert_eq!(
            (&event["type"], &event["regarding"]["name"]),
            (&json!("Warning"), &json!("web-1"))
        );
    }
}
