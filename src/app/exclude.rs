//! What `--exclude` names: kinds as they are written, or as kubectl takes them.

use super::kinds::{self, Kind};
use super::{Object, Options};

/// Lower-case plural and short names of kinds, as `kubectl api-resources` lists them.
const NAMES: [(Kind, &[&str]); 23] = [
    (kinds::CLAIM, &["persistentvolumeclaims", "pvc"]),
    (kinds::CLUSTER_ROLE, &["clusterroles"]),
    (kinds::CLUSTER_ROLE_BINDING, &["clusterrolebindings"]),
    (kinds::CONFIG_MAP, &["configmaps", "cm"]),
    (kinds::CRON_JOB, &["cronjobs", "cj"]),
    (kinds::DAEMON_SET, &["daemonsets", "ds"]),
    (kinds::DEPLOYMENT, &["deployments", "deploy"]),
    (kinds::DISRUPTION_BUDGET, &["poddisruptionbudgets", "pdb"]),
    (kinds::ENDPOINTS, &["ep"]),
    (kinds::ENDPOINT_SLICE, &["endpointslices"]),
    (kinds::HPA, &["horizontalpodautoscalers", "hpa"]),
    (kinds::INGRESS, &["ingresses", "ing"]),
    (kinds::JOB, &["jobs"]),
    (kinds::NETWORK_POLICY, &["networkpolicies", "netpol"]),
    (kinds::POD, &["pods", "po"]),
    (kinds::REPLICA_SET, &["replicasets", "rs"]),
    (kinds::REPLICATION_CONTROLLER, &["replicationcontrollers", "rc"]),
    (kinds::ROLE, &["roles"]),
    (kinds::ROLE_BINDING, &["rolebindings"]),
    (kinds::SECRET, &["secrets"]),
    (kinds::SERVICE, &["services", "svc"]),
    (kinds::SERVICE_ACCOUNT, &["serviceaccounts", "sa"]),
    (kinds::STATEFUL_SET, &["statefulsets", "sts"]),
];

/// The kinds and names of [`Options::exclude`], and the other name of each kind that has one.
pub(super) struct Exclusions(Vec<Exclusion>);

struct Exclusion {
    /// As written, for people.
    kind: String,
    name: String,
    /// The kind that a plural or short name means.
    means: Option<Kind>,
}

impl Exclusions {
    pub(super) fn new(options: &Options) -> Self {
        let exclusion = |(kind, name): &(String, String)| Exclusion {
            means: meant(kind),
            kind: kind.clone(),
            name: name.clone(),
        };
        Self(options.exclude.iter().map(exclusion).collect())
    }

    /// Whether the object is to be left out.
    pub(super) fn holds(&self, object: &Object) -> bool {
        self.0.iter().any(|of| of.is(object.group(), object.kind(), object.name()))
    }

    /// Whether something of this kind and name is to be left out, be it there or not.
    pub(super) fn names(&self, (group, kind): Kind, name: &str) -> bool {
        self.0.iter().any(|of| of.is(group, kind, name))
    }

    /// As they were written, those for which `matched` finds nothing: `matched` is asked with
    /// the kind, if it is one that this release knows, and a test for objects.
    pub(super) fn unmatched(
        &self,
        matched: impl Fn(Option<Kind>, &dyn Fn(&str, &str, &str) -> bool) -> bool,
    ) -> Vec<String> {
        let idle = self.0.iter().filter(|of| {
            !matched(of.means, &|group: &str, kind: &str, name: &str| of.is(group, kind, name))
        });
        idle.map(|of| format!("{}/{}", of.kind, of.name)).collect()
    }
}

impl Exclusion {
    fn is(&self, group: &str, kind: &str, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            && (self.kind.eq_ignore_ascii_case(kind) || self.means == Some((group, kind)))
    }
}

/// The kind that a name means which kubectl takes, or the kind's own name.
fn meant(name: &str) -> Option<Kind> {
    let is = |of: &str| of.eq_ignore_ascii_case(name);
    let known = NAMES.iter().find(|(kind, names)| is(kind.1) || names.iter().any(|of| is(of)));
    known.map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_the_names_that_kubectl_takes() {
        for (written, kind) in [
            ("deploy", "Deployment"),
            ("deployments", "Deployment"),
            ("Deployment", "Deployment"),
            ("sts", "StatefulSet"),
            ("ds", "DaemonSet"),
            ("SVC", "Service"),
            ("ing", "Ingress"),
            ("cm", "ConfigMap"),
            ("pvc", "PersistentVolumeClaim"),
            ("sa", "ServiceAccount"),
            ("hpa", "HorizontalPodAutoscaler"),
            ("pdb", "PodDisruptionBudget"),
            ("netpol", "NetworkPolicy"),
            ("networkpolicies", "NetworkPolicy"),
            ("cj", "CronJob"),
        ] {
            assert_eq!(meant(written).map(|(_, kind)| kind), Some(kind), "{written}");
        }
        assert_eq!(meant("widgets"), None);
    }
}
