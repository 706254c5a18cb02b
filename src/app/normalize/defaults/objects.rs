//! Defaults of whole objects, by kind.

use super::Row;
use crate::app::kinds::{self, Kind};

/// Below the object, by kind. One replica is the default of Deployments and StatefulSets, too, but
/// stays: the number is a value of the chart that people change on another cluster.
pub(super) const OBJECTS: &[(Kind, &[Row])] = &[
    (
        kinds::DEPLOYMENT,
        &[
            ("spec.revisionHistoryLimit", "10"),
            ("spec.progressDeadlineSeconds", "600"),
            (
                "spec.strategy",
                r#"{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}}"#,
            ),
            ("spec.strategy.rollingUpdate", r#"{"maxSurge":"25%","maxUnavailable":"25%"}"#),
            ("spec.strategy.rollingUpdate.maxSurge", r#""25%""#),
            ("spec.strategy.rollingUpdate.maxUnavailable", r#""25%""#),
            ("spec.strategy.type", r#""RollingUpdate""#),
        ],
    ),
    (kinds::REPLICA_SET, &[("spec.replicas", "1")]),
    (kinds::REPLICATION_CONTROLLER, &[("spec.replicas", "1")]),
    (
        kinds::STATEFUL_SET,
        &[
            ("spec.revisionHistoryLimit", "10"),
            ("spec.podManagementPolicy", r#""OrderedReady""#),
            ("spec.updateStrategy", r#"{"type":"RollingUpdate","rollingUpdate":{"partition":0}}"#),
            (
                "spec.updateStrategy",
                r#"{"type":"RollingUpdate","rollingUpdate":{"partition":0,"maxUnavailable":1}}"#,
            ),
            (
                "spec.persistentVolumeClaimRetentionPolicy",
                r#"{"whenDeleted":"Retain","whenScaled":"Retain"}"#,
            ),
            ("spec.volumeClaimTemplates[].spec.volumeMode", r#""Filesystem""#),
        ],
    ),
    (
        kinds::DAEMON_SET,
        &[
            ("spec.revisionHistoryLimit", "10"),
            (
                "spec.updateStrategy",
                r#"{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":1,"maxSurge":0}}"#,
            ),
            ("spec.updateStrategy.rollingUpdate.maxSurge", "0"),
            ("spec.updateStrategy.rollingUpdate.maxUnavailable", "1"),
        ],
    ),
    (
        kinds::JOB,
        &[
            ("spec.completionMode", r#""NonIndexed""#),
            ("spec.manualSelector", "false"),
            ("spec.podReplacementPolicy", r#""TerminatingOrFailed""#),
            ("spec.suspend", "false"),
        ],
    ),
    (
        kinds::CRON_JOB,
        &[
            ("spec.concurrencyPolicy", r#""Allow""#),
            ("spec.failedJobsHistoryLimit", "1"),
            ("spec.successfulJobsHistoryLimit", "3"),
            ("spec.suspend", "false"),
        ],
    ),
    (
        kinds::SERVICE,
        &[
            ("spec.sessionAffinity", r#""None""#),
            ("spec.sessionAffinityConfig", r#"{"clientIP":{"timeoutSeconds":10800}}"#),
            ("spec.internalTrafficPolicy", r#""Cluster""#),
            ("spec.externalTrafficPolicy", r#""Cluster""#),
            ("spec.allocateLoadBalancerNodePorts", "true"),
            ("spec.ports[].protocol", r#""TCP""#),
        ],
    ),
    (kinds::CLAIM, &[("spec.volumeMode", r#""Filesystem""#)]),
    (
        kinds::HPA,
        &[
            ("spec.minReplicas", "1"),
            (
                "spec.metrics",
                r#"[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":80}}}]"#,
            ),
            ("spec.behavior.scaleUp", SCALE_UP),
            ("spec.behavior.scaleDown", SCALE_DOWN),
            ("spec.behavior.scaleUp|scaleDown.selectPolicy", r#""Max""#),
            ("spec.behavior.scaleUp.stabilizationWindowSeconds", "0"),
            ("spec.behavior.scaleUp.policies", SCALE_UP_POLICIES),
            ("spec.behavior.scaleDown.policies", SCALE_DOWN_POLICIES),
        ],
    ),
    (kinds::NETWORK_POLICY, &[("spec.ingress|egress[].ports[].protocol", r#""TCP""#)]),
    (kinds::ENDPOINTS, &[("subsets[].ports[].protocol", r#""TCP""#)]),
    (kinds::ENDPOINT_SLICE, &[("ports[].name", r#""""#), ("ports[].protocol", r#""TCP""#)]),
    (kinds::RESOURCE_CLAIM, DEVICES),
    (kinds::RESOURCE_CLAIM_TEMPLATE, DEVICE_TEMPLATES),
    (kinds::INGRESS_CLASS, &[("spec.parameters.scope", r#""Cluster""#)]),
    (kinds::PRIORITY_CLASS, &[("preemptionPolicy", r#""PreemptLowerPriority""#)]),
    (
        kinds::STORAGE_CLASS,
        &[("reclaimPolicy", r#""Delete""#), ("volumeBindingMode", r#""Immediate""#)],
    ),
    (
        kinds::CUSTOM_RESOURCE_DEFINITION,
        &[
            ("spec.conversion", r#"{"strategy":"None"}"#),
            ("spec.conversion.webhook.clientConfig.service.port", "443"),
            ("spec.preserveUnknownFields", "false"),
        ],
    ),
    (kinds::API_SERVICE, &[("spec.service.port", "443")]),
    (kinds::MUTATING_WEBHOOKS, &[("webhooks[].reinvocationPolicy", r#""Never""#)]),
    (kinds::MUTATING_WEBHOOKS, WEBHOOKS),
    (kinds::VALIDATING_WEBHOOKS, WEBHOOKS),
    (kinds::ROLE_BINDING, &[("subjects[].apiGroup", r#""""#)]),
    (kinds::CLUSTER_ROLE_BINDING, &[("subjects[].apiGroup", r#""""#)]),
];

const SCALE_UP: &str = r#"{"stabilizationWindowSeconds":0,"selectPolicy":"Max","policies":[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]}"#;
const SCALE_UP_POLICIES: &str = r#"[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]"#;
const SCALE_DOWN: &str =
    r#"{"selectPolicy":"Max","policies":[{"type":"Percent","value":100,"periodSeconds":15}]}"#;
const SCALE_DOWN_POLICIES: &str = r#"[{"type":"Percent","value":100,"periodSeconds":15}]"#;

const WEBHOOKS: &[Row] = &[
    ("webhooks[].failurePolicy", r#""Fail""#),
    ("webhooks[].matchPolicy", r#""Equivalent""#),
    ("webhooks[].namespaceSelector|objectSelector", "{}"),
    ("webhooks[].timeoutSeconds", "10"),
    ("webhooks[].rules[].scope", r#""*""#),
    ("webhooks[].clientConfig.service.port", "443"),
];

/// Before `v1` and `v1beta2` the fields of `exactly` stood in the request itself.
const DEVICES: &[Row] = &[
    ("spec.devices.requests[].allocationMode", r#""ExactCount""#),
    ("spec.devices.requests[].count", "1"),
    ("spec.devices.requests[].exactly.allocationMode", r#""ExactCount""#),
    ("spec.devices.requests[].exactly.count", "1"),
    ("spec.devices.requests[].firstAvailable[].allocationMode", r#""ExactCount""#),
    ("spec.devices.requests[].firstAvailable[].count", "1"),
];

const DEVICE_TEMPLATES: &[Row] = &[
    ("spec.spec.devices.requests[].allocationMode", r#""ExactCount""#),
    ("spec.spec.devices.requests[].count", "1"),
    ("spec.spec.devices.requests[].exactly.allocationMode", r#""ExactCount""#),
    ("spec.spec.devices.requests[].exactly.count", "1"),
    ("spec.spec.devices.requests[].firstAvailable[].allocationMode", r#""ExactCount""#),
    ("spec.spec.devices.requests[].firstAvailable[].count", "1"),
];
