//! What may differ between the live object and what the chart gives back, as data. The list is
//! closed: what the server or a controller must write itself, what Helm adds, and the intended
//! differences of exports.

use serde_json::Value;

/// When a difference is allowed.
#[derive(Clone, Copy)]
pub(super) enum When {
    Always,
    /// The chart gives something where nothing was.
    Added,
    /// The chart leaves away what was there.
    Dropped,
    /// The chart leaves away, or the server gives anew, what no file of the application asks for.
    NobodyAsked,
    /// Both are addresses that a server gave out.
    GivenOut,
    /// The image that the live reference meant, by its digest.
    SameImage,
    /// The live one names the application's namespace, the other one the release's.
    Moved,
    /// The rules of a role that are gathered from others.
    Aggregated,
    /// An autoscaler of the application sets it.
    Scaled,
    /// Both are the volume with the account's token, whose name ends at random.
    Token,
}

/// One row: kinds (`*`: all, `|` between several), paths (`*`: any one step), when and why.
pub(super) struct Row(
    pub(super) &'static str,
    pub(super) &'static [&'static str],
    pub(super) When,
    pub(super) &'static str,
);

use When::{
    Added, Aggregated, Always, Dropped, GivenOut, Moved, NobodyAsked, SameImage, Scaled, Token,
};

const CLAIM: &str = "PersistentVolumeClaim";

/// Everything that may differ.
pub(super) const ALLOWED: &[Row] = &[
    // The server writes it for each object.
    Row("*", &["metadata.uid"], Always, "identity of the stored object"),
    Row("*", &["metadata.resourceVersion"], Always, "version of the stored object"),
    Row("*", &["metadata.creationTimestamp"], Always, "when it was stored"),
    Row("*", &["metadata.generation"], Always, "count of changes"),
    Row("*", &["metadata.managedFields"], Always, "who wrote what"),
    Row("*", &["metadata.namespace"], Always, "the release's"),
    Row("*", &["status"], Always, "what a controller observes"),
    Row("Service", &["spec.clusterIP", "spec.clusterIPs.*"], GivenOut, "an address of the cluster"),
    Row(
        "Service",
        &["spec.ports.*.nodePort", "spec.healthCheckNodePort"],
        NobodyAsked,
        "a port that the server chose",
    ),
    // Controllers and tools write it.
    Row(
        "*",
        &[
            "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
            "metadata.annotations.meta.helm.sh/release-name",
            "metadata.annotations.meta.helm.sh/release-namespace",
        ],
        Dropped,
        "what kubectl and helm remember",
    ),
    Row(
        "Deployment",
        &["metadata.annotations.deployment.kubernetes.io/revision"],
        Dropped,
        "count of rollouts",
    ),
    Row(
        "DaemonSet",
        &["metadata.annotations.deprecated.daemonset.template.generation"],
        Always,
        "count of rollouts",
    ),
    Row("ClusterRole", &["rules"], Aggregated, "gathered by a controller"),
    Row(CLAIM, &["spec.storageClassName"], NobodyAsked, "the default class of the cluster"),
    Row(
        CLAIM,
        &[
            "metadata.annotations.volume.kubernetes.io/storage-provisioner",
            "metadata.annotations.volume.beta.kubernetes.io/storage-provisioner",
        ],
        Dropped,
        "who is to make the volume",
    ),
    Row("*", &["metadata.finalizers"], Dropped, "the hold of a controller of the old cluster"),
    Row(
        "Pod",
        &[
            "spec.volumes.*.name",
            "spec.containers.*.volumeMounts.*.name",
            "spec.initContainers.*.volumeMounts.*.name",
        ],
        Token,
        "a random name",
    ),
    Row("ServiceAccount", &["secrets"], Dropped, "tokens of the old cluster"),
    // Helm adds it.
    Row(
        "*",
        &["metadata.labels.helm.sh/chart", "metadata.labels.app.kubernetes.io/managed-by"],
        Always,
        "Helm's label",
    ),
    Row("*", &["metadata.labels.app.kubernetes.io/instance"], Added, "Helm's label"),
    // The intended differences of exports.
    Row(
        CLAIM,
        &["metadata.annotations.helm.sh/resource-policy"],
        Added,
        "claims outlive the release",
    ),
    Row("*", &[IMAGE], SameImage, "images are pinned"),
    Row(
        "*",
        &[
            "imagePullSecrets",
            "spec.imagePullSecrets",
            "spec.template.spec.imagePullSecrets",
            "spec.jobTemplate.spec.template.spec.imagePullSecrets",
        ],
        Dropped,
        "of the old registry",
    ),
    Row("RoleBinding|ClusterRoleBinding", &["subjects.*.namespace"], Moved, "the release's"),
    Row("*", &["spec.replicas"], Scaled, "the autoscaler's"),
];

/// Matches the field of any container, and of volumes that are images, at the end of a path.
pub(super) const IMAGE: &str = "…image";

/// Whether `path` (steps) is what the row speaks of.
pub(super) fn matches(row: &Row, kind: &str, path: &[String]) -> bool {
    row.0.split('|').any(|of| of == "*" || of == kind) && row.1.iter().any(|at| leads(at, path))
}

fn leads(pattern: &str, path: &[String]) -> bool {
    if pattern == IMAGE {
        return path.last().is_some_and(|last| last == "image" || last == "reference");
    }
    // Keys may hold dots themselves: compare from the left, step by step.
    let mut rest = pattern;
    for (at, step) in path.iter().enumerate() {
        let Some(next) = rest.strip_prefix('*').or_else(|| rest.strip_prefix(step.as_str())) else {
            return false;
        };
        if at + 1 == path.len() {
            return next.is_empty();
        }
        let Some(next) = next.strip_prefix('.') else { return false };
        rest = next;
    }
    false
}

/// Whether a value is the name of the volume in which admission puts the token of an account.
pub(super) fn is_token(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|name| name.starts_with("kube-api-access-"))
}

/// Whether a value is an address that a server gave out, and no word such as `None`.
pub(super) fn is_address(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| text.parse::<std::net::IpAddr>().is_ok())
}

#[test]
fn every_difference_is_listed_once_with_its_reason() {
    let mut listed = std::collections::BTreeSet::new();
    for Row(kinds, paths, _, why) in ALLOWED {
        assert!(!why.is_empty(), "{kinds} {paths:?}");
        assert!(paths.iter().all(|path| listed.insert((kinds, path))), "{kinds} {paths:?}");
    }
}
