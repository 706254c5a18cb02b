//! What the API server fills in, as data (kubernetes, `pkg/apis/*/v1/defaults.go`). A field goes if
//! it equals its default and no person wrote it.

use serde_json::Value;

use super::claims::Claims;
use crate::app::Object;
use crate::app::kinds::{self, Kind};
use crate::app::path;

/// A field, and its default as JSON. Whole mappings stand before their parts, so that a strategy
/// nobody touched goes as one, and of a half-written one only what the server added.
type Row = (&'static str, &'static str);

/// Below the `spec` of every pod and pod template.
const POD: &[Row] = &[
    ("restartPolicy", r#""Always""#),
    ("dnsPolicy", r#""ClusterFirst""#),
    ("schedulerName", r#""default-scheduler""#),
    ("securityContext", "{}"),
    ("terminationGracePeriodSeconds", "30"),
    ("containers|initContainers[].resources", "{}"),
    ("containers|initContainers[].terminationMessagePath", r#""/dev/termination-log""#),
    ("containers|initContainers[].terminationMessagePolicy", r#""File""#),
    ("containers|initContainers[].ports[].protocol", r#""TCP""#),
    ("containers|initContainers[].env[].valueFrom.fieldRef.apiVersion", r#""v1""#),
    ("containers|initContainers[].livenessProbe|readinessProbe|startupProbe.timeoutSeconds", "1"),
    ("containers|initContainers[].livenessProbe|readinessProbe|startupProbe.periodSeconds", "10"),
    ("containers|initContainers[].livenessProbe|readinessProbe|startupProbe.successThreshold", "1"),
    ("containers|initContainers[].livenessProbe|readinessProbe|startupProbe.failureThreshold", "3"),
    (
        "containers|initContainers[].livenessProbe|readinessProbe|startupProbe.httpGet.path",
        r#""/""#,
    ),
    (
        "containers|initContainers[].livenessProbe|readinessProbe|startupProbe.httpGet.scheme",
        r#""HTTP""#,
    ),
    ("containers|initContainers[].livenessProbe|readinessProbe|startupProbe.grpc.service", r#""""#),
    ("containers|initContainers[].lifecycle.postStart|preStop.httpGet.path", r#""/""#),
    ("containers|initContainers[].lifecycle.postStart|preStop.httpGet.scheme", r#""HTTP""#),
    ("volumes[].secret|configMap|downwardAPI|projected.defaultMode", "420"),
    ("volumes[].downwardAPI.items[].fieldRef.apiVersion", r#""v1""#),
    ("volumes[].projected.sources[].downwardAPI.items[].fieldRef.apiVersion", r#""v1""#),
    ("volumes[].projected.sources[].serviceAccountToken.expirationSeconds", "3600"),
    ("volumes[].hostPath.type", r#""""#),
    ("volumes[].iscsi.iscsiInterface", r#""default""#),
    ("volumes[].rbd.pool", r#""rbd""#),
    ("volumes[].rbd.user", r#""admin""#),
    ("volumes[].rbd.keyring", r#""/etc/ceph/keyring""#),
    ("volumes[].azureDisk.cachingMode", r#""ReadWrite""#),
    ("volumes[].azureDisk.kind", r#""Shared""#),
    ("volumes[].azureDisk.fsType", r#""ext4""#),
    ("volumes[].azureDisk.readOnly", "false"),
    ("volumes[].scaleIO.storageMode", r#""ThinProvisioned""#),
    ("volumes[].scaleIO.fsType", r#""xfs""#),
    ("volumes[].ephemeral.volumeClaimTemplate.spec.volumeMode", r#""Filesystem""#),
];

/// Below the `spec` of pods themselves, not of templates.
const BARE_POD: &[Row] = &[
    ("enableServiceLinks", "true"),
    ("preemptionPolicy", r#""PreemptLowerPriority""#),
    ("serviceAccountName", r#""default""#),
];

/// Below the object, by kind. One replica is the default of Deployments and StatefulSets, too, but
/// stays: the number is a value of the chart that people change on another cluster.
const OBJECTS: &[(Kind, &[Row])] = &[
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
            ("spec.backoffLimit", "6"),
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
            ("spec.type", r#""ClusterIP""#),
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
    (kinds::ROLE_BINDING, &[("subjects[].apiGroup", r#""""#)]),
    (kinds::CLUSTER_ROLE_BINDING, &[("subjects[].apiGroup", r#""""#)]),
];

const SCALE_UP: &str = r#"{"stabilizationWindowSeconds":0,"selectPolicy":"Max","policies":[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]}"#;
const SCALE_UP_POLICIES: &str = r#"[{"type":"Pods","value":4,"periodSeconds":15},{"type":"Percent","value":100,"periodSeconds":15}]"#;
const SCALE_DOWN: &str =
    r#"{"selectPolicy":"Max","policies":[{"type":"Percent","value":100,"periodSeconds":15}]}"#;
const SCALE_DOWN_POLICIES: &str = r#"[{"type":"Percent","value":100,"periodSeconds":15}]"#;

/// Removes the defaults of an object.
pub(super) fn remove(object: &mut Object, claims: &Claims) {
    if !claims.live() {
        return;
    }
    if let Some(template) = kinds::pod_template(object) {
        let spec = kinds::below(template, "spec");
        let bare: &[Row] = if template.is_empty() { BARE_POD } else { &[] };
        for (at, default) in POD.iter().chain(bare) {
            remove_one(object, claims, &format!("{spec}.{at}"), default);
        }
    }
    for (kind, rows) in OBJECTS {
        if kinds::is(object, *kind) {
            rows.iter().for_each(|(at, default)| remove_one(object, claims, at, default));
        }
    }
}

fn remove_one(object: &mut Object, claims: &Claims, at: &str, default: &str) {
    path::remove_if(object.fields_mut(), at, |root, path, value| {
        equals(value, default) && !claims.wrote(root, path)
    });
}

/// Whether a value is the default, without parsing where the kinds of value differ already.
fn equals(value: &Value, default: &str) -> bool {
    match value {
        Value::String(text) => {
            default.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(text)
        }
        Value::Bool(flag) => default == if *flag { "true" } else { "false" },
        value => serde_json::from_str::<Value>(default).is_ok_and(|default| default == *value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_json_and_no_text_needs_escapes() {
        let rows = OBJECTS.iter().flat_map(|(_, rows)| rows.iter());
        for (at, default) in POD.iter().chain(BARE_POD).chain(rows) {
            let parsed: Value =
                serde_json::from_str(default).unwrap_or_else(|e| panic!("{at}: {e}"));
            assert!(equals(&parsed, default), "{at}");
        }
    }
}
