//! What servers, controllers and tools write into the metadata of every kind, as tables.

use serde_json::{Map, Value};

use super::Context;
use super::claims::Claims;
use crate::app::kinds;
use crate::app::path::{self, Path};
use crate::app::{Object, ObjectId};

/// Fields of `metadata` that the API server writes, or that mean nothing elsewhere.
const FIELDS: [&str; 11] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Annotations of any object that others than its author wrote.
const ANNOTATIONS: [&str; 36] = [
    "argocd.argoproj.io/tracking-id",
    "autoscaling.alpha.kubernetes.io/behavior",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "autoscaling.alpha.kubernetes.io/metrics",
    "banzaicloud.com/last-applied",
    "control-plane.alpha.kubernetes.io/leader",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deprecated.daemonset.template.generation",
    "endpoints.kubernetes.io/last-change-trigger-time",
    "field.cattle.io/projectId",
    "k8s.v1.cni.cncf.io/network-status",
    "k8s.v1.cni.cncf.io/networks-status",
    "kapp.k14s.io/identity",
    "kapp.k14s.io/original",
    "kapp.k14s.io/original-diff-md5",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubectl.kubernetes.io/restartedAt",
    "kubernetes.io/config.hash",
    "kubernetes.io/config.mirror",
    "kubernetes.io/config.seen",
    "kubernetes.io/config.source",
    "meta.helm.sh/release-name",
    "meta.helm.sh/release-namespace",
    "openshift.io/generated-by",
    "openshift.io/internal-registry-pull-secret-ref",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "reconcile.fluxcd.io/requestedAt",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-resizer",
];

/// The same, by how they begin.
const ANNOTATION_PREFIXES: [&str; 9] = [
    "cattle.io/",
    "cni.projectcalico.org/",
    "field.cattle.io/",
    "helm.toolkit.fluxcd.io/",
    "k8s.ovn.org/",
    "kustomize.toolkit.fluxcd.io/",
    "objectset.rio.cattle.io/",
    "openshift.io/sa.scc.",
    "velero.io/",
];

/// Labels of any object that others than its author wrote.
const LABELS: [&str; 12] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
    "velero.io/backup-name",
    "velero.io/restore-name",
];

/// Labels with which tools mark what they manage. On pods they stay: selectors may name them.
const TOOL_LABELS: [&str; 2] = ["app.kubernetes.io/managed-by", "helm.sh/chart"];

/// The label with which our charts name the release, unless an object of the application has it.
const INSTANCE: &str = "app.kubernetes.io/instance";

const LABEL_PREFIXES: [&str; 3] =
    ["helm.toolkit.fluxcd.io/", "kustomize.toolkit.fluxcd.io/", "objectset.rio.cattle.io/"];

/// Metadata of embedded templates, below the object.
const TEMPLATES: [&str; 4] = [
    "spec.jobTemplate.metadata",
    "spec.jobTemplate.spec.template.metadata",
    "spec.template.metadata",
    "spec.volumeClaimTemplates[].metadata",
];

/// Labels that the Job controller puts into a template.
const JOB_LABELS: [&str; 4] = [
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// Metadata of the claim templates of volumes, below the `spec` of a pod.
const CLAIMS: &str = "volumes[].ephemeral.volumeClaimTemplate.metadata";

/// Cleans the metadata of an object and of the templates in it.
pub(super) fn clean(object: &mut Object, id: &ObjectId, context: Context<'_>, claims: &Claims) {
    let installed = context.installed.filter(|installed| installed.has(object, id));
    let is_marked = |key: &str| {
        installed.is_some_and(|installed| {
            TOOL_LABELS.contains(&key) || (installed.has_instance_label() && key == INSTANCE)
        })
    };
    let pod = kinds::pod_template(object).map(|of| kinds::below(of, &format!("spec.{CLAIMS}")));
    let is_pod = kinds::is(object, kinds::POD);
    let is_job = kinds::is(object, kinds::JOB);
    let fields = object.fields_mut();
    for at in TEMPLATES.into_iter().chain(pod.as_deref()) {
        let places: Vec<Path> =
            path::find(fields, at).into_iter().map(|(place, _)| place).collect();
        for place in places {
            template(fields, &place, is_job, claims);
        }
    }
    fields.shift_remove("status");
    let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.retain(|key, _| !FIELDS.contains(&key.as_str()));
    if context.here {
        metadata.shift_remove("namespace");
    }
    retain(metadata, "annotations", |key| !is_foreign_annotation(key));
    retain(metadata, "labels", |key| {
        !LABELS.contains(&key)
            && !LABEL_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
            && (is_pod || !TOOL_LABELS.contains(&key))
            && !is_marked(key)
    });
}

fn template(fields: &mut Map<String, Value>, place: &Path, is_job: bool, claims: &Claims) {
    let Some(Value::Object(metadata)) = place.get_mut(fields) else { return };
    metadata.retain(|key, _| key != "creationTimestamp");
    retain(metadata, "annotations", |key| key != "kubectl.kubernetes.io/restartedAt");
    if is_job {
        retain(metadata, "labels", |key| !JOB_LABELS.contains(&key));
    }
    // A server writes the metadata of templates even if there is none.
    if metadata.is_empty() && !claims.wrote(fields, place) {
        place.remove(fields);
    }
}

/// Whether others than the author of an object write the annotation.
pub(in crate::app) fn is_foreign_annotation(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || ANNOTATION_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// Keeps some keys of a mapping, and the mapping itself unless that empties it.
fn retain(metadata: &mut Map<String, Value>, field: &str, keep: impl Fn(&str) -> bool) {
    let Some(Value::Object(map)) = metadata.get_mut(field) else { return };
    let before = map.len();
    map.retain(|key, _| keep(key));
    if map.is_empty() && before > 0 {
        metadata.shift_remove(field);
    }
}
