//! Volumes that are outside of the chart, and claims that few storage classes can fill.

use serde_json::Value;

use super::Portability;
use super::pods::{Pod, texts};
use crate::app::path::{self, Path};
use crate::app::{Code, Finding, Object, kinds};

/// Volume types that name storage of one place: a disk, a server, an export. `hostPath` is told
/// apart; `csi` names a driver, which is a requirement.
const EXTERNAL: [&str; 18] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "iscsi",
    "nfs",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// Access modes of volumes that pods on several nodes mount.
const SHARED: [&str; 2] = ["ReadOnlyMany", "ReadWriteMany"];

/// Claims, wherever they stand: their `spec`.
const TEMPLATES: &str = "spec.volumeClaimTemplates[].spec";
const EPHEMERAL: &str = "volumes[].ephemeral.volumeClaimTemplate.spec";

pub(super) fn check(object: &Object, found: &mut Portability) {
    if let Some(pod) = Pod::of(object) {
        external(pod, found);
    }
    for (path, spec) in claims(object) {
        claim(object, &path, spec, found);
    }
}

/// The `spec` of every claim that the object is, or that is made for its pods.
pub(super) fn claims(object: &Object) -> Vec<(Path, &Value)> {
    let mut claims = match () {
        () if kinds::is(object, kinds::CLAIM) => path::find(object.fields(), "spec"),
        () if kinds::is(object, kinds::STATEFUL_SET) => path::find(object.fields(), TEMPLATES),
        () => Vec::new(),
    };
    claims.extend(Pod::of(object).into_iter().flat_map(|pod| pod.find(EPHEMERAL)));
    claims
}

fn external(pod: Pod<'_>, found: &mut Portability) {
    let pattern = format!("volumes[].{}", EXTERNAL.join("|"));
    for (path, _) in pod.find(&pattern) {
        let kind = path.last_key().unwrap_or_default();
        let id = pod.object.id();
        let text = format!("pods of {id} mount storage by `{kind}`, which is not exported");
        let remedy = "The target must reach the same storage, or use a volume claim.";
        let finding = Finding::new(Code::VolumeExternal, text).on(id).field(path.to_string());
        found.findings.push(finding.remedy(remedy));
    }
}

fn claim(object: &Object, path: &Path, spec: &Value, found: &mut Portability) {
    let id = object.id();
    let modes = spec.get("accessModes").into_iter().flat_map(texts);
    if let Some(mode) = modes.into_iter().find(|mode| SHARED.contains(mode)) {
        let text = format!("{id} asks for a volume that several nodes mount ({mode})");
        let remedy = "Choose a storage class that can, by `storage` of the values.";
        let finding = Finding::new(Code::SharedVolumeRequired, text).on(id.clone());
        found.findings.push(finding.field(path.key("accessModes").to_string()).remedy(remedy));
    }
    if spec.get("selector").is_some_and(|selector| !selector.is_null()) {
        let text = format!("{id} only takes a volume with certain labels, which someone must make");
        let remedy = "Make such a PersistentVolume in the target cluster, or drop the selector.";
        let finding = Finding::new(Code::VolumeExternal, text).on(id);
        found.findings.push(finding.field(path.key("selector").to_string()).remedy(remedy));
    }
}
