//! What both forms say of a container.

use serde_json::{Value, json};

use super::Microservice;
use crate::destination::systems::{
    Content, Exposed, Lost, Setting, System, fill_secret, is_placeholder,
};

/// The environment. Secrets are not referred to: a placeholder stands for each value that is
/// not to be written.
pub(super) fn env(of: &Microservice<'_>, lost: &mut Vec<Lost>) -> Vec<Value> {
    let pairs = of.container.env.iter().map(|variable| {
        let value = match &variable.setting {
            Setting::Text(text) => text.clone(),
            Setting::Secret { name, key } => {
                let text = fill_secret(of.values, name, key);
                if is_placeholder(&text) {
                    let field = format!("{}.env.{}", of.container.field, variable.name);
                    let why =
                        format!("a placeholder stands for the value of {key} of the Secret {name}");
                    lost.push(of.workload.lost(field, &why));
                }
                text
            }
        };
        json!({"key": variable.name, "value": value})
    });
    pairs.collect()
}

/// The ports of the container that are reached from outside.
pub(super) fn ports(of: &Microservice<'_>, system: System, lost: &mut Vec<Lost>) -> Vec<Value> {
    let is_here = |port: &&Exposed| port.container == of.container.name;
    let exposed = of.workload.exposed.iter().filter(is_here);
    let exposed = exposed.filter(|_| !of.workload.host_network);
    let mut ports = Vec::new();
    for port in exposed {
        let mut fields = json!({"internal": port.internal, "external": port.external});
        if port.protocol != "tcp" {
            // The Controller's schema has `http` and `tcp` alone.
            if system == System::Iofog {
                let why =
                    format!("a port of {}, which the Controller does not take", port.protocol);
                lost.push(of.workload.lost("ports", &why));
                continue;
            }
            fields["protocol"] = port.protocol.as_str().into();
        }
        ports.push(fields);
    }
    ports
}

/// What is mounted: directories of the host, and volumes with names.
pub(super) fn volumes(of: &Microservice<'_>, system: System, lost: &mut Vec<Lost>) -> Vec<Value> {
    let (bind, kept) = match system {
        System::Edgelet => ("BIND", "VOLUME"),
        _ => ("bind", "volume"),
    };
    let mut volumes = Vec::new();
    for mount in &of.container.mounts {
        let Some(volume) = of.workload.volume(mount) else { continue };
        let field = format!("{}.volumeMounts.{}", of.container.field, mount.volume);
        // Volumes are the host's, and have no other namespace: who names the same one shares it.
        let named = |name: &str| format!("{}.{name}", of.application);
        let (kind, host) = match &volume.content {
            Content::Host(path) => (bind, path.clone()),
            Content::Kept { claim, .. } => (kept, named(claim)),
            Content::Scratch(_) => {
                let why = "what is in it is kept, and it was empty at each start";
                lost.push(of.workload.lost(field.clone(), why));
                (kept, named(&format!("{}.{}", of.workload.object.name, mount.volume)))
            }
            Content::Files(_) | Content::Secret(_) => {
                lost.push(of.workload.lost(field, ""));
                continue;
            }
        };
        if mount.sub_path.is_some() {
            lost.push(of.workload.lost(format!("{field}.subPath"), ""));
            continue;
        }
        volumes.push(json!({
            "hostDestination": host,
            "containerDestination": mount.path,
            "accessMode": if mount.read_only { "ro" } else { "rw" },
            "type": kind,
        }));
    }
    volumes
}
