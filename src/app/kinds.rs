//! What this release knows of kinds, as data.

use super::{Object, helm};

/// A kind by API group.
pub(super) type Kind = (&'static str, &'static str);

pub(super) const API_SERVICE: Kind = ("apiregistration.k8s.io", "APIService");
pub(super) const CLAIM: Kind = ("", "PersistentVolumeClaim");
pub(super) const CLUSTER_ROLE: Kind = (RBAC, "ClusterRole");
pub(super) const CLUSTER_ROLE_BINDING: Kind = (RBAC, "ClusterRoleBinding");
pub(super) const CONFIG_MAP: Kind = ("", "ConfigMap");
pub(super) const CONTROLLER_REVISION: Kind = ("apps", "ControllerRevision");
pub(super) const CRON_JOB: Kind = ("batch", "CronJob");
pub(super) const CUSTOM_RESOURCE_DEFINITION: Kind =
    ("apiextensions.k8s.io", "CustomResourceDefinition");
pub(super) const DAEMON_SET: Kind = ("apps", "DaemonSet");
pub(super) const DEPLOYMENT: Kind = ("apps", "Deployment");
pub(super) const ENDPOINTS: Kind = ("", "Endpoints");
pub(super) const ENDPOINT_SLICE: Kind = ("discovery.k8s.io", "EndpointSlice");
pub(super) const EPINIO_APP: Kind = ("application.epinio.io", "App");
pub(super) const HPA: Kind = ("autoscaling", "HorizontalPodAutoscaler");
pub(super) const INGRESS: Kind = ("networking.k8s.io", "Ingress");
pub(super) const INGRESS_CLASS: Kind = ("networking.k8s.io", "IngressClass");
pub(super) const JOB: Kind = ("batch", "Job");
pub(super) const MUTATING_WEBHOOKS: Kind =
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration");
pub(super) const NAMESPACE: Kind = ("", "Namespace");
pub(super) const NETWORK_POLICY: Kind = ("networking.k8s.io", "NetworkPolicy");
pub(super) const DISRUPTION_BUDGET: Kind = ("policy", "PodDisruptionBudget");
pub(super) const POD: Kind = ("", "Pod");
pub(super) const PRIORITY_CLASS: Kind = ("scheduling.k8s.io", "PriorityClass");
pub(super) const REPLICA_SET: Kind = ("apps", "ReplicaSet");
pub(super) const REPLICATION_CONTROLLER: Kind = ("", "ReplicationController");
pub(super) const RESOURCE_CLAIM: Kind = ("resource.k8s.io", "ResourceClaim");
pub(super) const RESOURCE_CLAIM_TEMPLATE: Kind = ("resource.k8s.io", "ResourceClaimTemplate");
pub(super) const ROLE: Kind = (RBAC, "Role");
pub(super) const ROLE_BINDING: Kind = (RBAC, "RoleBinding");
pub(super) const RUNTIME_CLASS: Kind = ("node.k8s.io", "RuntimeClass");
pub(super) const SECRET: Kind = ("", "Secret");
pub(super) const SECRET_PROVIDER_CLASS: Kind =
    ("secrets-store.csi.x-k8s.io", "SecretProviderClass");
pub(super) const SERVICE: Kind = ("", "Service");
pub(super) const SERVICE_ACCOUNT: Kind = ("", "ServiceAccount");
pub(super) const STATEFUL_SET: Kind = ("apps", "StatefulSet");
pub(super) const STORAGE_CLASS: Kind = ("storage.k8s.io", "StorageClass");
pub(super) const VALIDATING_WEBHOOKS: Kind =
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration");
pub(super) const VOLUME: Kind = ("", "PersistentVolume");

/// API group of roles and bindings.
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// Kinds that run pods, and where their pod template is (`""`: the object is the pod).
pub(super) const WORKLOADS: [(Kind, &str); 8] = [
    (CRON_JOB, "spec.jobTemplate.spec.template"),
    (DAEMON_SET, "spec.template"),
    (DEPLOYMENT, "spec.template"),
    (JOB, "spec.template"),
    (POD, ""),
    (REPLICA_SET, "spec.template"),
    (REPLICATION_CONTROLLER, "spec.template"),
    (STATEFUL_SET, "spec.template"),
];

/// What controllers of Kubernetes itself make again: owner and owned. Anything else that such an
/// owner owns (a ConfigMap tied to a Deployment for its end) nobody makes again.
pub(super) const REMADE: [(Kind, Kind); 16] = [
    (CRON_JOB, JOB),
    (DAEMON_SET, CONTROLLER_REVISION),
    (DAEMON_SET, POD),
    (DEPLOYMENT, REPLICA_SET),
    (ENDPOINTS, ENDPOINT_SLICE),
    (INGRESS, ("cert-manager.io", "Certificate")), // by its annotation
    (JOB, POD),
    (NODE, POD),
    (POD, CLAIM), // of an ephemeral volume
    (POD, RESOURCE_CLAIM),
    (REPLICA_SET, POD),
    (REPLICATION_CONTROLLER, POD),
    (SERVICE, ENDPOINT_SLICE),
    (STATEFUL_SET, CLAIM),
    (STATEFUL_SET, CONTROLLER_REVISION),
    (STATEFUL_SET, POD),
];

const NODE: Kind = ("", "Node");

/// Order in which Helm installs (helm, `pkg/release/v1/util/kind_sorter.go`); others come last.
const INSTALL_ORDER: [&str; 36] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Kinds without a namespace that a release of Kubernetes brings along.
const CLUSTER_SCOPED: [Kind; 27] = [
    NAMESPACE,
    NODE,
    VOLUME,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    MUTATING_WEBHOOKS,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    VALIDATING_WEBHOOKS,
    CUSTOM_RESOURCE_DEFINITION,
    API_SERVICE,
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "ServiceCIDR"),
    INGRESS_CLASS,
    RUNTIME_CLASS,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    PRIORITY_CLASS,
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    STORAGE_CLASS,
    ("storage.k8s.io", "VolumeAttachment"),
];

/// Kinds that record what others do, or that controllers make again. They are left out without a
/// word: what they say stands in an object that is exported.
const DERIVED: [Kind; 14] = [
    ("", "Binding"),
    ("", "Event"),
    ENDPOINTS,
    ("acme.cert-manager.io", "Challenge"),
    ("acme.cert-manager.io", "Order"),
    CONTROLLER_REVISION,
    ("cert-manager.io", "CertificateRequest"),
    ("coordination.k8s.io", "Lease"),
    ("coordination.k8s.io", "LeaseCandidate"),
    ENDPOINT_SLICE,
    ("events.k8s.io", "Event"),
    ("operators.coreos.com", "InstallPlan"),
    ("storage.k8s.io", "CSIStorageCapacity"),
    ("wgpolicyk8s.io", "PolicyReport"),
];

/// Groups of which every kind is a record or a review, never part of an application.
const DERIVED_GROUPS: [&str; 6] = [
    "authentication.k8s.io",
    "authorization.k8s.io",
    "custom.metrics.k8s.io",
    "metrics.k8s.io",
    "outhaul.dev",
    "velero.io",
];

/// Groups with a dot that the API server itself serves; groups without a dot are all its own.
const BUILTIN_GROUPS: [&str; 13] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    RBAC,
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Kinds that rule a namespace or cluster rather than being part of an application.
const OF_THE_PLACE: [Kind; 3] = [("", "LimitRange"), NAMESPACE, ("", "ResourceQuota")];

/// ConfigMaps that a cluster puts into every namespace.
pub(super) const CLUSTER_CONFIG_MAPS: [&str; 3] =
    ["istio-ca-root-cert", "kube-root-ca.crt", "openshift-service-ca.crt"];

/// Types of Secrets that controllers make, or that mean nothing elsewhere.
const CLUSTER_SECRET_TYPES: [&str; 4] = [
    "bootstrap.kubernetes.io/token",
    "helm.sh/release.v1",
    "kubernetes.io/dockercfg",
    SERVICE_ACCOUNT_TOKEN,
];

/// Type of a Secret that a controller fills with a token of the account that it names.
pub(super) const SERVICE_ACCOUNT_TOKEN: &str = "kubernetes.io/service-account-token";

/// Label of Secrets in which Epinio keeps what it knows of an application: environment, scaling,
/// names of bound configurations and services.
pub(super) const EPINIO_AREA: &str = "epinio.io/area";

/// Types of Secrets with credentials of registries.
const PULL_SECRET_TYPES: [&str; 2] = ["kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson"];

/// Marks a ConfigMap or Endpoints as the lock of a leader election.
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";

/// Plural names, for kinds whose absence may be due to a right that was missing.
const RESOURCES: [(Kind, &str); 12] = [
    (CLAIM, "persistentvolumeclaims"),
    (CLUSTER_ROLE, "clusterroles"),
    (CLUSTER_ROLE_BINDING, "clusterrolebindings"),
    (CONFIG_MAP, "configmaps"),
    (HPA, "horizontalpodautoscalers"),
    (INGRESS, "ingresses"),
    (POD, "pods"),
    (ROLE, "roles"),
    (ROLE_BINDING, "rolebindings"),
    (SECRET, "secrets"),
    (SERVICE, "services"),
    (SERVICE_ACCOUNT, "serviceaccounts"),
];

/// Whether the object is of the kind.
pub(super) fn is(object: &Object, kind: Kind) -> bool {
    object.kind() == kind.1 && object.group() == kind.0
}

fn among(object: &Object, kinds: &[Kind]) -> bool {
    kinds.iter().any(|kind| is(object, *kind))
}

/// Where the pod template of the object is, if it runs pods.
pub(super) fn pod_template(object: &Object) -> Option<&'static str> {
    WORKLOADS.iter().find(|(kind, _)| is(object, *kind)).map(|(_, at)| *at)
}

/// `at` of the pod template, with what follows.
pub(super) fn below(template: &str, rest: &str) -> String {
    if template.is_empty() { rest.to_owned() } else { format!("{template}.{rest}") }
}

/// Place in the order in which Helm installs.
pub(super) fn install_rank(kind: &str) -> usize {
    INSTALL_ORDER.iter().position(|known| *known == kind).unwrap_or(INSTALL_ORDER.len())
}

/// Whether the kind is one of Kubernetes without a namespace.
pub(super) fn is_cluster_scoped(object: &Object) -> bool {
    among(object, &CLUSTER_SCOPED)
}

/// The same, of a kind by name.
pub(super) fn is_cluster_scoped_kind(group: &str, kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&(group, kind))
}

/// Whether the kind is one of Kubernetes itself and needs no CustomResourceDefinition.
pub(super) fn is_builtin(object: &Object) -> bool {
    is_builtin_group(object.group())
}

/// Whether Kubernetes itself serves the group.
pub(super) fn is_builtin_group(group: &str) -> bool {
    !group.contains('.') || BUILTIN_GROUPS.contains(&group)
}

/// Whether the object records what others do, or is made again by a controller or cluster.
pub(super) fn is_derived(object: &Object) -> bool {
    among(object, &DERIVED)
        || DERIVED_GROUPS.contains(&object.group())
        || (is(object, CONFIG_MAP) && CLUSTER_CONFIG_MAPS.contains(&object.name()))
        || (is(object, SECRET) && is_cluster_secret(object))
        || (is(object, SERVICE_ACCOUNT) && object.name() == "default")
        || helm::is_record(object)
        || object.annotation(LEADER).is_some()
}

/// Whether controllers make the Secret, or it means nothing elsewhere.
pub(super) fn is_cluster_secret(object: &Object) -> bool {
    object.text("/type").is_some_and(|of| CLUSTER_SECRET_TYPES.contains(&of))
}

/// Whether the Secret holds credentials of registries.
pub(super) fn is_pull_secret(object: &Object) -> bool {
    object.text("/type").is_some_and(is_pull_secret_type)
}

/// Whether Secrets of the type hold credentials of registries.
pub(super) fn is_pull_secret_type(of: &str) -> bool {
    PULL_SECRET_TYPES.contains(&of)
}

/// Whether the object rules a namespace.
pub(super) fn is_of_the_place(object: &Object) -> bool {
    among(object, &OF_THE_PLACE)
}

/// Name of the kind's resource as the API server prints it: `roles.rbac.authorization.k8s.io`.
pub(super) fn resource_of(group: &str, kind: &str) -> Option<String> {
    let (_, plural) = RESOURCES.iter().find(|(known, _)| *known == (group, kind))?;
    Some(if group.is_empty() { (*plural).to_owned() } else { format!("{plural}.{group}") })
}
