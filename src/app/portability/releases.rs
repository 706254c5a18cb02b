//! Fields that older releases of Kubernetes do not know: they drop them without a word, and the
//! application means something else.

use super::Portability;
use super::pods::{CONTAINERS, Pod};
use crate::app::path::{self, Path};
use crate::app::{Code, Finding, Object, kinds};

/// A field, the minor release of Kubernetes 1 that has it without being told to, and what it is.
type Row = (&'static str, u32, &'static str);

/// Fields below the `spec` of a pod, those that came in 1.29 or later.
///
/// Source: kubernetes, `pkg/features/kube_features.go` (the release in which a feature is on by
/// default).
const OF_PODS: [Row; 8] = [
    ("hostUsers", 33, "user namespaces"),
    ("initContainers[].restartPolicy", 29, "sidecars that restart"),
    ("resources", 34, "resources of whole pods"),
    ("securityContext.appArmorProfile", 30, "AppArmor profiles"),
    ("securityContext.supplementalGroupsPolicy", 33, "strict supplemental groups"),
    ("volumes[].image", 35, "volumes from images"),
    ("hostnameOverride", 35, "host names of their own"),
    ("schedulingGates", 30, "scheduling gates"),
];

/// Fields below each container.
const OF_CONTAINERS: [Row; 4] = [
    ("lifecycle.postStart|preStop.sleep", 30, "pauses in lifecycle hooks"),
    ("securityContext.appArmorProfile", 30, "AppArmor profiles"),
    ("volumeMounts[].recursiveReadOnly", 31, "mounts that are read-only throughout"),
    ("env[].valueFrom.fileKeyRef", 35, "variables from files"),
];

/// Fields of other kinds.
const OF_KINDS: [(kinds::Kind, Row); 7] = [
    (kinds::CLAIM, ("spec.volumeAttributesClassName", 34, "volume attributes classes")),
    (kinds::HPA, ("spec.behavior.scaleDown|scaleUp.tolerance", 35, "a tolerance of its own")),
    (kinds::JOB, ("spec.backoffLimitPerIndex", 29, "a limit for each index")),
    (kinds::JOB, ("spec.podReplacementPolicy", 29, "a policy for replaced pods")),
    (kinds::JOB, ("spec.successPolicy", 31, "a success policy")),
    (kinds::JOB, ("spec.managedBy", 32, "another controller of Jobs")),
    (kinds::SERVICE, ("spec.trafficDistribution", 31, "a distribution of traffic")),
];

pub(super) fn check(object: &Object, found: &mut Portability) {
    let mut newest: Option<(u32, &str, Path)> = None;
    let mut see = |(_, minor, what): Row, path: Option<Path>| {
        if let Some(path) = path
            && newest.as_ref().is_none_or(|(other, ..)| *other < minor)
        {
            newest = Some((minor, what, path));
        }
    };
    if let Some(pod) = Pod::of(object) {
        let first = |at: &str| pod.first(at).map(|(path, _)| path);
        OF_PODS.into_iter().for_each(|row| see(row, first(row.0)));
        let each = |at: &str| first(&format!("{CONTAINERS}.{at}"));
        OF_CONTAINERS.into_iter().for_each(|row| see(row, each(row.0)));
    }
    for (_, row) in OF_KINDS.into_iter().filter(|(kind, _)| kinds::is(object, *kind)) {
        see(row, path::find(object.fields(), row.0).into_iter().next().map(|(path, _)| path));
    }
    if let Some((minor, what, path)) = newest {
        let id = object.id();
        let text = format!("{id} uses {what}, which clusters older than 1.{minor} ignore");
        let remedy = format!("Install it on Kubernetes 1.{minor} or later.");
        let finding = Finding::new(Code::KubernetesVersionRequired, text).on(id);
        found.findings.push(finding.field(path.to_string()).remedy(remedy));
    }
}
