//! What admission does with `Export` records: whether our policy is there, and whether it works.

use jiff::Timestamp;
use serde_json::Value;

use super::client::{JSON, MAX_DOCUMENT};
use super::record::{Export, ExportSpec};
use super::{Error, Live};

/// The ValidatingAdmissionPolicy that comes with the server, and its binding.
pub const POLICY: &str = "outhaul-exports";

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
    pub async fn policy_since(&self) -> Result<Option<Timestamp>, Error> {
        let mut since = None;
        for plural in ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] {
            let path = format!("{API}/{plural}/{POLICY}");
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

    /// Whether a record in this namespace meets the policy: one is sent that it always refuses, as a
    /// dry run.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn policy_works(&self, namespace: &str) -> Result<bool, Error> {
        let name = format!("{PROBE}{:08x}", fastrand::u32(..));
        let probe = Export::draft(namespace, &name, ExportSpec::new("probe", "probe"));
        let refused = match self.dry_run_export(&probe).await {
            Ok(_) => return Ok(false),
            Err(Error::Forbidden { reason, .. } | Error::Api { reason, .. }) => reason,
            Err(error) => return Err(error),
        };
        let words = format!("ValidatingAdmissionPolicy '{POLICY}' with binding '{POLICY}' denied");
        Ok(refused.contains(&words) && refused.contains(IN_FORCE))
    }
}
