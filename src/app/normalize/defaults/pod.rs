//! Defaults below the `spec` of pods.

use super::Row;

/// Below the `spec` of every pod and pod template.
pub(super) const POD: &[Row] = &[
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
    ("containers|initContainers[].env[].valueFrom.fileKeyRef.optional", "false"),
    ("containers|initContainers[].env[].valueFrom.resourceFieldRef.divisor", r#""0""#),
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
    ("volumes[].downwardAPI.items[].resourceFieldRef.divisor", r#""0""#),
    ("volumes[].projected.sources[].downwardAPI.items[].fieldRef.apiVersion", r#""v1""#),
    ("volumes[].projected.sources[].downwardAPI.items[].resourceFieldRef.divisor", r#""0""#),
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
pub(super) const BARE_POD: &[Row] = &[
    ("enableServiceLinks", "true"),
    ("preemptionPolicy", r#""PreemptLowerPriority""#),
    ("serviceAccountName", r#""default""#),
];
