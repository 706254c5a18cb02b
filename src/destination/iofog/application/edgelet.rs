//! `Microservice` of `edgelet.iofog.org/v1`.

use serde_json::{Map, Value, json};

use super::{Microservice, Placing, container, copies, open_rows, registry, split, steps, told};
use crate::destination::iofog::edgelet::API_VERSION;
use crate::destination::systems::{Document, Emitted, File, Lost, ModelledApplication, System};

/// Name of the file.
const FILE: &str = "microservices.yaml";

/// The unit of memory of its documents.
const MIB: u64 = 1 << 20;

/// One document for each container, with the image by digest.
pub fn microservices(application: &ModelledApplication, placing: &Placing) -> Emitted {
    let mut lost = application.lost.clone();
    let mut open = Vec::new();
    application.workloads.iter().for_each(|workload| copies(workload, &mut lost));
    let documents = split(application)
        .iter()
        .map(|of| microservice(of, placing, &mut open, &mut lost))
        .collect();
    let mut findings = told(lost, System::Edgelet);
    findings.extend(open_rows(&open));
    let steps = steps(System::Edgelet, &open, FILE);
    Emitted { files: vec![File { path: FILE.to_owned(), documents }], findings, steps }
}

fn microservice(
    of: &Microservice<'_>,
    placing: &Placing,
    open: &mut Vec<String>,
    lost: &mut Vec<Lost>,
) -> Document {
    let mut spec = Map::new();
    match &of.container.image {
        Some(image) => {
            spec.insert("image".to_owned(), image.pinned().into());
            spec.insert("registry".to_owned(), row(registry(image, placing, open)));
        }
        None => lost.push(of.workload.lost(format!("{}.image", of.container.field), "")),
    }
    spec.insert("container".to_owned(), container_of(of, lost));
    Document::new(json!({
        "apiVersion": API_VERSION,
        "kind": "Microservice",
        "metadata": {"name": of.name},
        "spec": spec,
    }))
}

/// A row by number: edgelet has no aliases.
fn row(registry: Value) -> Value {
    if registry == super::REMOTE.1 { super::REMOTE.0.into() } else { registry }
}

fn container_of(of: &Microservice<'_>, lost: &mut Vec<Lost>) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    let container = of.container;
    if of.workload.host_network {
        put("hostNetworkMode", true.into());
    }
    if container.privileged {
        put("isPrivileged", true.into());
    }
    for (name, number) in [("runAsUser", container.user), ("runAsGroup", container.group)] {
        if let Some(number) = number {
            put(name, number.to_string().into());
        }
    }
    for (name, words) in [("entrypoint", &container.entrypoint), ("commands", &container.arguments)]
    {
        if !words.is_empty() {
            put(name, words.as_slice().into());
        }
    }
    if let Some(dir) = &container.working_dir {
        put("workingDir", dir.as_str().into());
    }
    if let Some(millis) = container.cpu_millis {
        put("cpus", (millis as f64 / 1000.0).into());
    }
    if let Some(bytes) = container.memory {
        put("memoryLimit", bytes.div_ceil(MIB).into());
    }
    let ports = container::ports(of, System::Edgelet, lost);
    let env = container::env(of, lost);
    let volumes = container::volumes(of, System::Edgelet, lost);
    for (name, list) in [("ports", ports), ("env", env), ("volumes", volumes)] {
        if !list.is_empty() {
            put(name, list.into());
        }
    }
    fields.into()
}
