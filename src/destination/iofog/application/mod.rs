//! An exported application for ioFog: an `Application` for the Controller and its Java agents (Edgeworx,
//! "Registry Example"; Controller 3.0, `schemas/microservice`, `services/yaml-parser-service`), and
//! `Microservice` documents for edgelet (its manifest reference).

mod container;
mod edgelet;
mod java;

pub use edgelet::microservices;
pub use java::application;

use serde_json::Value;

use super::{REMOTE, is_docker_hub};
use crate::app::{Code, Finding, SecretValues};
use crate::destination::systems::{
    Container, Image, Lost, ModelledApplication, Shipped, System, Workload, placeholder, slug,
    unique,
};

/// Where microservices run, and with which row of the registries their images are pulled.
#[derive(Clone, Debug, Default)]
pub struct Placing {
    /// The agent; `None`: whichever the Controller finds first.
    pub agent: Option<String>,
    /// Number of the row of the destination's registry; `None`: not known.
    pub registry_id: Option<u32>,
    /// The destination is pushed to with credentials, so that what is there may be private.
    pub has_login: bool,
    /// The destination is reached with roots of its own.
    pub own_roots: bool,
}

/// One container with what it runs in, and the name that it gets.
struct Microservice<'a> {
    name: String,
    application: &'a str,
    workload: &'a Workload,
    container: &'a Container,
    values: &'a SecretValues,
}

/// A microservice for each container.
fn split(application: &ModelledApplication) -> Vec<Microservice<'_>> {
    let all: Vec<(&Workload, &Container)> = application
        .workloads
        .iter()
        .flat_map(|workload| workload.containers.iter().map(move |container| (workload, container)))
        .collect();
    let names = all.iter().map(|(workload, container)| match workload.containers.len() {
        1 => workload.object.name.clone(),
        _ => format!("{}-{}", workload.object.name, container.name),
    });
    let names: Vec<String> = names.collect();
    let names = unique(names.iter().map(String::as_str));
    all.into_iter()
        .zip(names)
        .map(|((workload, container), name)| {
            let (application, values) = (application.name.as_str(), &application.values);
            Microservice { name, application, workload, container, values }
        })
        .collect()
}

/// What is lost of a workload because a microservice runs once, on one agent.
fn copies(workload: &Workload, lost: &mut Vec<Lost>) {
    if workload.on_each_node {
        let why = "it ran on each node; a microservice runs once, on its agent";
        lost.push(Lost { field: None, ..workload.lost("", why) });
    } else if workload.replicas != 1 {
        let why = "a microservice runs once, on its agent";
        lost.push(workload.lost("spec.replicas", why));
    }
    if workload.containers.len() > 1 {
        let why = "its containers become microservices, which do not share a network";
        lost.push(Lost { field: None, ..workload.lost("", why) });
    }
}

/// The row that an image is pulled with: `remote` for what is public at Docker Hub, never `local`. A
/// placeholder where the number is not known, which no Controller takes for one.
fn registry(image: &Shipped, placing: &Placing, open: &mut Vec<String>) -> Value {
    let host = Image::parse(&image.address).host().map_or("docker.io", |(host, _)| host).to_owned();
    match placing.registry_id.filter(|_| !image.kept) {
        Some(id) if id == REMOTE.0 => REMOTE.1.into(),
        Some(id) => id.into(),
        None if is_docker_hub(&host) && (image.kept || !placing.has_login) => REMOTE.1.into(),
        None => {
            let text = placeholder(&format!("id of the registry {host}"));
            if !open.contains(&host) {
                open.push(host);
            }
            text.into()
        }
    }
}

/// Rows that have to be looked up.
fn open_rows(open: &[String]) -> impl Iterator<Item = Finding> + '_ {
    open.iter().map(|host| {
        let text = format!(
            "the number of the registry {host} is not known, and a placeholder stands for it"
        );
        Finding::new(Code::IofogRegistryIdOpen, text).remedy(
            "Make the row, look up its number, and give `--registry-id`; for public images of \
                 Docker Hub, give `--registry-id remote`.",
        )
    })
}

/// What is to be done, in its order.
fn steps(system: System, open: &[String], file: &str) -> Vec<String> {
    let (deploy, list) = match system {
        System::Edgelet => ("edgelet deploy -f", "edgelet registry ls"),
        _ => ("iofogctl deploy -f", "iofogctl get registries"),
    };
    let mut steps = Vec::new();
    for host in open {
        let word = system.as_str();
        steps.extend([
            format!("make the row: outhaul registry create --format {word} --url {host} … > registry.yaml; {deploy} registry.yaml"),
            format!("look up its number: {list}"),
            format!("put the number in place of `<id of the registry {host}>` in {file}"),
        ]);
    }
    steps.push(format!("{deploy} {file}"));
    steps
}

/// The findings of what is lost.
fn told(lost: Vec<Lost>, system: System) -> Vec<Finding> {
    lost.into_iter().map(|lost| lost.finding(system)).collect()
}

/// The name of an application.
fn name(application: &ModelledApplication) -> String {
    slug(&application.name)
}
