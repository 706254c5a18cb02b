//! Volumes of a service and where containers have them ("Applications").

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::secrets::Secrets;
use crate::destination::systems::{Container, Content, Lost, Mount, Workload, placeholder, unique};

/// The unit that the vendor's page has.
const GB: u64 = 1_000_000_000;

/// What the volumes of a service are called, by their names in the workload.
pub(super) fn names(workload: &Workload) -> BTreeMap<&str, String> {
    let names = || workload.volumes.iter().map(|volume| &*volume.name);
    names().zip(unique(names())).collect()
}

/// The volumes that containers mount, as far as they can be said.
pub(super) fn volumes(
    workload: &Workload,
    names: &BTreeMap<&str, String>,
    secrets: &mut Secrets<'_>,
    lost: &mut Vec<Lost>,
) -> Vec<Value> {
    let is_mounted = |name: &str| {
        let mut mounts = workload.containers.iter().flat_map(|container| &container.mounts);
        mounts.any(|mount| mount.volume == name)
    };
    let mounted = workload.volumes.iter().filter(|volume| is_mounted(&volume.name));
    let mut volumes = Vec::new();
    for volume in mounted {
        let mut sized = |size: &Option<u64>| match size {
            Some(bytes) => Value::from(format!("{}GB", bytes.div_ceil(GB))),
            None => {
                let why = "Avassa asks for a size, and the application says none: fill it in";
                lost.push(workload.lost(format!("volumes.{}", volume.name), why));
                placeholder("size, such as 1GB").into()
            }
        };
        let (kind, what) = match &volume.content {
            Content::Scratch(size) => ("ephemeral-volume", json!({"size": sized(size)})),
            Content::Kept { size, .. } => ("persistent-volume", json!({"size": sized(size)})),
            Content::Files(files) => {
                if files.values().any(|text| text.contains("${")) {
                    let why = "Avassa puts its variables in place of `${…}` in files";
                    lost.push(workload.lost(format!("volumes.{}", volume.name), why));
                }
                let items = files.iter().map(|(name, data)| json!({"name": name, "data": data}));
                ("config-map", json!({"items": items.collect::<Vec<_>>()}))
            }
            Content::Secret(name) => ("vault-secret", secrets.volume(name)),
            Content::Host(_) => {
                lost.push(workload.lost(format!("volumes.{}", volume.name), ""));
                continue;
            }
        };
        volumes.push(json!({"name": names.get(&*volume.name), kind: what}));
    }
    volumes
}

/// What a container mounts.
pub(super) fn mounts(
    workload: &Workload,
    container: &Container,
    names: &BTreeMap<&str, String>,
    lost: &mut Vec<Lost>,
) -> Vec<Value> {
    let mut mounts = Vec::new();
    for mount in &container.mounts {
        let Some(volume) = workload.volume(mount) else { continue };
        let name = names.get(&*mount.volume);
        let mut lose = |what: &str| {
            lost.push(
                workload
                    .lost(format!("{}.volumeMounts.{}{what}", container.field, mount.volume), ""),
            );
        };
        match &volume.content {
            Content::Host(_) => continue,
            Content::Files(files) => {
                let files: Vec<Value> =
                    files.keys().filter_map(|file| placed(mount, file)).collect();
                mounts.push(json!({"volume-name": name, "files": files}));
                continue;
            }
            Content::Scratch(_) | Content::Kept { .. } | Content::Secret(_) => {}
        }
        if mount.sub_path.is_some() {
            lose(".subPath");
            continue;
        }
        if mount.read_only && !matches!(volume.content, Content::Secret(_)) {
            lose(".readOnly");
        }
        mounts.push(json!({"volume-name": name, "mount-path": mount.path}));
    }
    mounts
}

/// Where a file of a ConfigMap is, if the mount has it.
fn placed(mount: &Mount, file: &str) -> Option<Value> {
    let path = match &mount.sub_path {
        Some(sub_path) if sub_path == file => mount.path.clone(),
        Some(sub_path) => {
            let below = file.strip_prefix(sub_path.trim_end_matches('/'))?.strip_prefix('/')?;
            format!("{}/{below}", mount.path.trim_end_matches('/'))
        }
        None => format!("{}/{file}", mount.path.trim_end_matches('/')),
    };
    Some(json!({"name": file, "mount-path": path}))
}
