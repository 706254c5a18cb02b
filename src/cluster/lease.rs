//! A Lease, by which replicas agree on a leader: read, and written only over what was read.

use std::time::Duration;

use hyper::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::{JSON, MAX_DOCUMENT};
use super::discover::segment;
use super::{Error, Live};

/// What a Lease says (`coordination.k8s.io/v1`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaseRecord {
    /// Who has it; empty: nobody.
    pub holder: String,
    /// How often it changed hands.
    pub transitions: u64,
    /// When the holder took it. For people: clocks of machines are not compared.
    pub acquired: Option<Timestamp>,
    /// When it was renewed last. For people, as above.
    pub renewed: Option<Timestamp>,
    /// How long it holds without being renewed.
    pub duration: Duration,
    /// Which write this is (`resourceVersion`); empty for one that is not written yet.
    pub version: String,
}

impl Live {
    /// The Lease of this name; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn lease(&self, namespace: &str, name: &str) -> Result<Option<LeaseRecord>, Error> {
        let path = path(namespace, name);
        match self.api.get::<Value>(&path, JSON, MAX_DOCUMENT).await {
            Ok((lease, _)) => Ok(Some(LeaseRecord::read(&lease))),
            Err(Error::Api { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the Lease; `None` where somebody else has just made it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn create_lease(
        &self,
        namespace: &str,
        name: &str,
        record: &LeaseRecord,
    ) -> Result<Option<LeaseRecord>, Error> {
        let made = record.write(namespace, name);
        written(self.api.send(Method::POST, &folder(namespace), JSON, &made).await)
    }

    /// Writes the Lease over its version of `record`; `None` where somebody else has written since.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn update_lease(
        &self,
        namespace: &str,
        name: &str,
        record: &LeaseRecord,
    ) -> Result<Option<LeaseRecord>, Error> {
        let lease = record.write(namespace, name);
        written(self.api.send(Method::PUT, &path(namespace, name), JSON, &lease).await)
    }
}

fn written(answer: Result<Value, Error>) -> Result<Option<LeaseRecord>, Error> {
    match answer {
        Ok(lease) => Ok(Some(LeaseRecord::read(&lease))),
        // 404: it was deleted since, and can be made again.
        Err(Error::Api { status: 404 | 409, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder(namespace: &str) -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", segment(namespace))
}

fn path(namespace: &str, name: &str) -> String {
    format!("{}/{}", folder(namespace), segment(name))
}

impl LeaseRecord {
    fn read(lease: &Value) -> Self {
        let text = |pointer: &str| lease.pointer(pointer).and_then(Value::as_str);
        let number = |pointer: &str| lease.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let time = |pointer: &str| text(pointer).and_then(|text| text.parse().ok());
        Self {
            holder: text("/spec/holderIdentity").unwrap_or_default().to_owned(),
            transitions: number("/spec/leaseTransitions"),
            acquired: time("/spec/acquireTime"),
            renewed: time("/spec/renewTime"),
            duration: Duration::from_secs(number("/spec/leaseDurationSeconds")),
            version: text("/metadata/resourceVersion").unwrap_or_default().to_owned(),
        }
    }

    fn write(&self, namespace: &str, name: &str) -> Value {
        // A `MicroTime` has exactly six digits of a second.
        let time = |at: Option<Timestamp>| at.map(|at| format!("{at:.6}"));
        let mut metadata = json!({ "namespace": namespace, "name": name });
        if !self.version.is_empty() {
            metadata["resourceVersion"] = self.version.clone().into();
        }
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self.duration.as_secs().max(1), // 0 is refused
                "leaseTransitions": self.transitions,
                "acquireTime": time(self.acquired),
                "renewTime": time(self.renewed),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let at = "2026-11-26T02:00:00.25Z".parse::<Timestamp>().unwrap();
        let record = LeaseRecord {
            holder: "a_1".into(),
            transitions: 3,
            acquired: Some(at),
            renewed: Some(at),
            duration: Duration::from_secs(15),
            version: "7".into(),
        };
        let lease = record.write("outhaul-system", "outhaul");
        assert_eq!(lease["spec"]["renewTime"], "2026-11-26T02:00:00.250000Z");
        assert_eq!(LeaseRecord::read(&lease), record);
    }
}
