//! API versions that newer Kubernetes releases do not serve any more.

use super::Portability;
use crate::app::{Code, Finding, Object};

/// The newest minor release of Kubernetes 1 that this table knows: what it does not serve is gone.
const NEWEST: u32 = 35;

/// A version of kinds that is not served any more.
struct Gone {
    api_version: &'static str,
    /// Empty for all kinds of the version.
    kinds: &'static [&'static str],
    /// Minor release that stops serving it.
    since: u32,
    /// What to write instead; empty where there is nothing.
    instead: &'static str,
}

const fn gone(
    api_version: &'static str,
    kinds: &'static [&'static str],
    since: u32,
    instead: &'static str,
) -> Gone {
    Gone { api_version, kinds, since, instead }
}

/// Source: the deprecated API migration guide of Kubernetes, and for later releases the lifecycle
/// of each type (kubernetes, `staging/src/k8s.io/api/*/*/zz_generated.prerelease-lifecycle.go`).
const GONE: [Gone; 32] = [
    gone("admissionregistration.k8s.io/v1alpha1", &["MutatingAdmissionPolicy"], 38, V1BETA1_POLICY),
    gone("admissionregistration.k8s.io/v1beta1", POLICIES, 34, V1_POLICY),
    gone("admissionregistration.k8s.io/v1beta1", WEBHOOKS, 22, V1_POLICY),
    gone("apiextensions.k8s.io/v1beta1", &[], 22, "apiextensions.k8s.io/v1"),
    gone("apiregistration.k8s.io/v1beta1", &[], 22, "apiregistration.k8s.io/v1"),
    gone("apps/v1beta1", &[], 16, "apps/v1"),
    gone("apps/v1beta2", &[], 16, "apps/v1"),
    gone("autoscaling/v2beta1", &[], 25, "autoscaling/v2"),
    gone("autoscaling/v2beta2", &[], 26, "autoscaling/v2"),
    gone("batch/v1beta1", &["CronJob"], 25, "batch/v1"),
    gone("batch/v2alpha1", &["CronJob"], 21, "batch/v1"),
    gone(
        "certificates.k8s.io/v1beta1",
        &["CertificateSigningRequest"],
        22,
        "certificates.k8s.io/v1",
    ),
    gone("coordination.k8s.io/v1beta1", &["Lease"], 22, "coordination.k8s.io/v1"),
    gone("discovery.k8s.io/v1beta1", &[], 25, "discovery.k8s.io/v1"),
    gone("extensions/v1beta1", &["DaemonSet", "Deployment", "ReplicaSet"], 16, "apps/v1"),
    gone("extensions/v1beta1", &["Ingress"], 22, "networking.k8s.io/v1"),
    gone("extensions/v1beta1", &["NetworkPolicy"], 16, "networking.k8s.io/v1"),
    gone("extensions/v1beta1", &["PodSecurityPolicy"], 16, ""),
    gone("flowcontrol.apiserver.k8s.io/v1beta1", &[], 26, "flowcontrol.apiserver.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta2", &[], 29, "flowcontrol.apiserver.k8s.io/v1"),
    gone("flowcontrol.apiserver.k8s.io/v1beta3", &[], 32, "flowcontrol.apiserver.k8s.io/v1"),
    gone("networking.k8s.io/v1beta1", &["Ingress", "IngressClass"], 22, "networking.k8s.io/v1"),
    gone("node.k8s.io/v1beta1", &[], 25, "node.k8s.io/v1"),
    gone("policy/v1beta1", &["PodDisruptionBudget"], 25, "policy/v1"),
    gone("policy/v1beta1", &["PodSecurityPolicy"], 25, ""),
    gone("rbac.authorization.k8s.io/v1alpha1", &[], 23, "rbac.authorization.k8s.io/v1"),
    gone("rbac.authorization.k8s.io/v1beta1", &[], 22, "rbac.authorization.k8s.io/v1"),
    gone("resource.k8s.io/v1beta1", &[], 38, "resource.k8s.io/v1"),
    gone("resource.k8s.io/v1beta2", &[], 39, "resource.k8s.io/v1"),
    gone("scheduling.k8s.io/v1beta1", &[], 22, "scheduling.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", STORAGE, 22, "storage.k8s.io/v1"),
    gone("storage.k8s.io/v1beta1", &["CSIStorageCapacity"], 27, "storage.k8s.io/v1"),
];

const POLICIES: &[&str] = &["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"];
const WEBHOOKS: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];
const STORAGE: &[&str] = &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"];
const V1_POLICY: &str = "admissionregistration.k8s.io/v1";
const V1BETA1_POLICY: &str = "admissionregistration.k8s.io/v1beta1";

pub(super) fn check(object: &Object, found: &mut Portability) {
    let is = |gone: &&Gone| {
        gone.api_version == object.api_version()
            && (gone.kinds.is_empty() || gone.kinds.contains(&object.kind()))
    };
    let Some(gone) = GONE.iter().find(is) else { return };
    let Gone { api_version, since, instead, .. } = gone;
    let id = object.id();
    let (code, text) = if *since <= NEWEST {
        let text = format!("{id} is {api_version}, which Kubernetes 1.{since} stopped serving");
        (Code::ApiRemoved, text)
    } else {
        let text = format!("{id} is {api_version}, which Kubernetes 1.{since} stops serving");
        (Code::ApiDeprecated, text)
    };
    let remedy = match *instead {
        "" => "Nothing takes its place: leave it out with `--exclude`.".to_owned(),
        instead => format!("Write it as {instead} at the source."),
    };
    found.findings.push(Finding::new(code, text).on(id).field("apiVersion").remedy(remedy));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(api_version: &str, kind: &str) -> Vec<Code> {
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
        let mut found = Portability::default();
        check(&Object::new(object).unwrap(), &mut found);
        found.findings.into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn versions_are_told_by_kind() {
        for (api_version, kind, expected) in [
            ("extensions/v1beta1", "Ingress", Some(Code::ApiRemoved)),
            ("networking.k8s.io/v1beta1", "Ingress", Some(Code::ApiRemoved)),
            ("networking.k8s.io/v1beta1", "IPAddress", None),
            ("networking.k8s.io/v1", "Ingress", None),
            ("autoscaling/v2beta2", "HorizontalPodAutoscaler", Some(Code::ApiRemoved)),
            ("autoscaling/v1", "HorizontalPodAutoscaler", None),
            ("policy/v1beta1", "PodDisruptionBudget", Some(Code::ApiRemoved)),
            ("batch/v1beta1", "CronJob", Some(Code::ApiRemoved)),
            ("resource.k8s.io/v1beta1", "ResourceClaim", Some(Code::ApiDeprecated)),
            ("v1", "Service", None),
        ] {
            assert_eq!(codes(api_version, kind), Vec::from_iter(expected), "{api_version} {kind}");
        }
    }

    /// No kind has two rows, so that the first one found is the only one.
    #[test]
    fn rows_exclude_each_other() {
        for (place, row) in GONE.iter().enumerate() {
            for other in GONE[place + 1..].iter().filter(|of| of.api_version == row.api_version) {
                assert!(!row.kinds.is_empty() && !other.kinds.is_empty(), "{}", row.api_version);
                let shared = row.kinds.iter().find(|kind| other.kinds.contains(kind));
                assert_eq!(shared, None, "{}", row.api_version);
            }
        }
    }
}
