//! Which kinds the index watches, and what of their objects is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use kube::api::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{Glance, Object};

/// A kind of which objects say something of applications.
#[derive(Debug)]
pub(super) struct Kind {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    /// As `kubectl api-resources -o name` prints it.
    pub(super) name: &'static str,
    pub(super) read: Read,
}

/// What is read of the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Metadata.
    Metadata,
    /// Metadata of those that helm installed. It puts that label on all of them (helm,
    /// `pkg/action/validate.go`).
    OfHelm,
    /// The objects, as labels of their pods are not in their metadata. Nothing else is kept of them.
    Templates,
}

/// Label of what helm installed.
pub(super) const HELM: &str = "app.kubernetes.io/managed-by=Helm";

/// Kinds of workloads, Epinio's applications, and what else releases mostly have: no more than a
/// caller may list who may see applications, but for three kinds of workloads that are rare without
/// an owner.
pub(super) const KINDS: [Kind; 14] = [
    kind("apps", "v1", "Deployment", "deployments", "deployments.apps", Read::Templates),
    kind("apps", "v1", "StatefulSet", "statefulsets", "statefulsets.apps", Read::Templates),
    kind("apps", "v1", "DaemonSet", "daemonsets", "daemonsets.apps", Read::Templates),
    kind("batch", "v1", "CronJob", "cronjobs", "cronjobs.batch", Read::Templates),
    kind(
        "",
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        "replicationcontrollers",
        Read::Templates,
    ),
    // Nearly all are made by Deployments, many by each.
    kind("apps", "v1", "ReplicaSet", "replicasets", "replicasets.apps", Read::Metadata),
    kind("batch", "v1", "Job", "jobs", "jobs.batch", Read::Metadata),
    kind("", "v1", "Pod", "pods", "pods", Read::Metadata),
    kind(
        "application.epinio.io",
        "v1",
        "App",
        "apps",
        "apps.application.epinio.io",
        Read::Metadata,
    ),
    kind("", "v1", "ConfigMap", "configmaps", "configmaps", Read::OfHelm),
    kind("", "v1", "Service", "services", "services", Read::OfHelm),
    kind("", "v1", "ServiceAccount", "serviceaccounts", "serviceaccounts", Read::OfHelm),
    kind(
        "",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        "persistentvolumeclaims",
        Read::OfHelm,
    ),
    kind(
        "networking.k8s.io",
        "v1",
        "Ingress",
        "ingresses",
        "ingresses.networking.k8s.io",
        Read::OfHelm,
    ),
];

/// Place of Epinio's applications in [`KINDS`].
pub(super) const EPINIO_APPS: usize = 8;

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    name: &'static str,
    read: Read,
) -> Kind {
    Kind { group, version, kind, plural, name, read }
}

impl Kind {
    /// As kube names it.
    pub(super) fn resource(&self) -> ApiResource {
        let api_version = self.api_version();
        let [group, version, kind, plural] =
            [self.group, self.version, self.kind, self.plural].map(str::to_owned);
        ApiResource { group, version, api_version, kind, plural }
    }

    fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// What an object of the kind says of applications, if anything.
    pub(super) fn glance<const M: bool>(&self, read: Shallow<M>) -> Option<Glance> {
        let Shallow { metadata, pod_labels } = read;
        let owner = |owner: OwnerReference| json!({"apiVersion": owner.api_version, "kind": owner.kind, "name": owner.name});
        let owners: Vec<Value> =
            metadata.owner_references.into_iter().flatten().map(owner).collect();
        let namespace = metadata.namespace.unwrap_or_default();
        let mut object = json!({
            "apiVersion": self.api_version(),
            "kind": self.kind,
            "metadata": {
                "name": metadata.name,
                "labels": metadata.labels,
                "annotations": metadata.annotations,
                "ownerReferences": owners,
            },
        });
        if let Some(labels) = pod_labels {
            let template = json!({"template": {"metadata": {"labels": labels}}});
            object["spec"] = match self.kind {
                "CronJob" => json!({"jobTemplate": {"spec": template}}),
                _ => template,
            };
        }
        Glance::of(&Object::new(object).ok()?, &namespace)
    }
}

/// So much of an object as is looked at; all else is skipped while it is parsed. With `METADATA`, the
/// API server sends no more than metadata.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Parsed")]
pub(super) struct Shallow<const METADATA: bool> {
    metadata: ObjectMeta,
    pod_labels: Option<Labels>,
}

type Labels = BTreeMap<String, String>;

/// An object as it comes.
#[derive(Deserialize)]
struct Parsed {
    metadata: Meta,
    #[serde(default)]
    spec: Spec,
}

/// Without `managedFields`, which are most of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    name: Option<String>,
    namespace: Option<String>,
    resource_version: Option<String>,
    labels: Option<Labels>,
    annotations: Option<Labels>,
    owner_references: Option<Vec<OwnerReference>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    template: Option<Template>,
    job_template: Option<JobTemplate>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobTemplate {
    spec: Box<Spec>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: TemplateMeta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TemplateMeta {
    labels: Option<Labels>,
}

impl<const METADATA: bool> From<Parsed> for Shallow<METADATA> {
    fn from(parsed: Parsed) -> Self {
        let Meta { name, namespace, resource_version, labels, annotations, owner_references } =
            parsed.metadata;
        let Spec { template, job_template } = parsed.spec;
        let template = template.or_else(|| job_template.and_then(|job| job.spec.template));
        let metadata = ObjectMeta {
            name,
            namespace,
            resource_version,
            labels,
            annotations,
            owner_references,
            ..ObjectMeta::default()
        };
        Self { metadata, pod_labels: template.and_then(|template| template.metadata.labels) }
    }
}

impl<const METADATA: bool> Resource for Shallow<METADATA> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn metadata_api() -> bool {
        METADATA
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epinio_s_applications_are_where_they_are_said_to_be() {
        assert_eq!(KINDS[EPINIO_APPS].kind, "App");
    }

    #[test]
    fn labels_of_pods_are_found_wherever_the_template_is() {
        let template = json!({"template": {"metadata": {"labels": {"app": "shop"}}, "spec": {}}});
        for (kind, spec) in [
            ("Deployment", template.clone()),
            ("CronJob", json!({"schedule": "", "jobTemplate": {"spec": template}})),
        ] {
            let object = json!({"metadata": {"name": "a", "namespace": "n",
                "managedFields": [{"fieldsV1": {}}]}, "spec": spec});
            let read: Shallow<false> = serde_json::from_value(object).unwrap();
            let kind = KINDS.iter().find(|known| known.kind == kind).unwrap();
            let glance = kind.glance(read).unwrap();
            let apps = crate::app::glance::list([&glance].into_iter(), "n");
            assert_eq!(apps[0].name, "shop", "{}", kind.kind);
        }
    }
}
