//! What admission does with our resources: whether our policies are there, and whether they work.

use jiff::Timestamp;
use serde_json::Value;

use super::client::{JSON, MAX_DOCUMENT};
use super::record::schedule::{ExportSchedule, ExportScheduleSpec, Template};
use super::record::{Export, ExportSpec};
use super::{Error, Live};

/// A ValidatingAdmissionPolicy that comes with the server, and its binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Of `Export` records.
    Exports,
    /// Of schedules. It is another one so that its age says since when it asks of schedules.
    Schedules,
}

/// How the name of a record begins that is only made to be refused.
const PROBE: &str = "outhaul-policy-probe-";

/// What the policy says to a record with such a name, whoever makes it.
const IN_FORCE: &str = "outhaul: policy in force";

/// Where policies are served, since Kubernetes 1.30.
const API: &str = "/apis/admissionregistration.k8s.io/v1";

impl Live {
    /// Since when both the policy and its binding are there; `None` where one is not, may not be
    /// seen, or is not served.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn policy_since(&self, policy: Policy) -> Result<Option<Timestamp>, Error> {
        let mut since = None;
        for plural in ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] {
            let path = format!("{API}/{plural}/{}", policy.name());
            let found = match self.api.get::<Value>(&path, JSON, MAX_DOCUMENT).await {
                Ok((found, _)) => found,
                Err(Error::Api { status: 404, .. } | Error::Forbidden { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let made = found.pointer("/metadata/creationTimestamp").and_then(Value::as_str);
            let Some(made) = made.and_then(|text| text.parse().ok()) else { return Ok(None) };
            since = since.max(Some(made));
        }
        Ok(since)
    }

    /// Whether a record or schedule in this namespace meets the policy: one is sent that it always
    /// refuses, as a dry run.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn policy_works(&self, policy: Policy, namespace: &str) -> Result<bool, Error> {
        let name = format!("{PROBE}{:08x}", fastrand::u32(..));
        let sent = match policy {
            Policy::Exports => {
                let probe = Export::draft(namespace, &name, ExportSpec::new("probe", "probe"));
                self.dry_run_export(&probe).await.map(drop)
            }
            Policy::Schedules => {
                let spec = ExportScheduleSpec::new("@daily", Template::new("probe", "probe"));
                let probe = ExportSchedule::draft(namespace, &name, spec);
                self.dry_run_schedule(&probe).await.map(drop)
            }
        };
        let refused = match sent {
            Ok(()) => return Ok(false),
            Err(Error::Forbidden { reason, .. } | Error::Api { reason, .. }) => reason,
            Err(error) => return Err(error),
        };
        let name = policy.name();
        let words = format!("ValidatingAdmissionPolicy '{name}' with binding '{name}' denied");
        Ok(refused.contains(&words) && refused.contains(IN_FORCE))
    }
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Exports => "outhaul-exports",
            Self::Schedules => "outhaul-schedules",
        }
    }
}
