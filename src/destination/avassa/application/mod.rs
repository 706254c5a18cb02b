//! An application specification of an exported application, with what the vendor describes: the API
//! reference, "Applications", and the pages "Applications", "Application Variables", "Secrets Management"
//! and "Docker feature map". Probes, limits and placement are not among it.

mod secrets;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::resolve;
use crate::app::{Code, Finding};
use crate::destination::systems::{
    Container, Content, Document, Emitted, Exposed, File, Lost, ModelledApplication, Registries,
    Setting, System, Volume, Workload, slug, unique,
};
use secrets::Secrets;

/// What is said where nobody told us which registries Control Tower knows.
const UNCHECKED: &str = "see that images begin with an address of `supctl show image-registry \
                         remote-registries`: that was not checked, as no documents of Control Tower \
                         were given with `--destinations`";

/// The specification, and the secrets that it reads from a vault of the application's name, with
/// placeholders. `registries` are those that Control Tower is configured with, if they are known.
pub fn application(application: &ModelledApplication, registries: Option<&Registries>) -> Emitted {
    let name = slug(&application.name);
    let mut lost = application.lost.clone();
    let mut secrets = Secrets::new(&name, application);
    let names = unique(application.workloads.iter().map(|workload| &*workload.object.name));
    let services: Vec<Value> = application
        .workloads
        .iter()
        .zip(names)
        .map(|(workload, name)| service(workload, &name, &mut secrets, &mut lost))
        .collect();
    shared(application, &mut lost);
    let mut findings: Vec<Finding> =
        lost.into_iter().map(|lost| lost.finding(System::Avassa)).collect();
    findings.extend(registries.into_iter().flat_map(|known| unresolved(&services, known)));
    let specification = json!({"name": name, "version": application.version, "services": services});
    let document = Document::new(specification).comment("supctl create applications").comment(
        "Connections to the outside are forbidden where no `network.outbound-access` allows them.",
    );
    let mut files = vec![File::one("application.yaml", document)];
    files.extend(secrets.file());
    let check = registries.is_none().then(|| UNCHECKED.to_owned());
    let steps = files
        .iter()
        .rev()
        .map(|file| format!("give each document of {} to the line of supctl above it", file.path));
    Emitted { steps: check.into_iter().chain(steps).collect(), files, findings }
}

/// Claims that several workloads have: a volume belongs to one service.
fn shared(application: &ModelledApplication, lost: &mut Vec<Lost>) {
    let claims = application.workloads.iter().flat_map(|workload| {
        let claim = |volume: &Volume| match &volume.content {
            Content::Kept { claim, .. } => Some((claim.clone(), workload.object.clone())),
            _ => None,
        };
        workload.volumes.iter().filter_map(claim)
    });
    let claims: BTreeSet<_> = claims.collect();
    for workload in &application.workloads {
        for volume in &workload.volumes {
            let Content::Kept { claim, .. } = &volume.content else { continue };
            if claims.iter().any(|(of, object)| of == claim && *object != workload.object) {
                let why = format!(
                    "a volume belongs to one service, and the claim {claim} is shared: each has its own"
                );
                lost.push(workload.lost(format!("volumes.{}", volume.name), &why));
            }
        }
    }
}

/// One service: "all containers in a service are always scheduled together".
fn service(
    workload: &Workload,
    name: &str,
    secrets: &mut Secrets<'_>,
    lost: &mut Vec<Lost>,
) -> Value {
    if workload.on_each_node {
        let why = "it ran on each node; the specification runs it once a site";
        lost.push(Lost { field: None, ..workload.lost("", why) });
    }
    let mut variables = BTreeMap::new();
    let volume_names = volumes::names(workload);
    let names = unique(workload.containers.iter().map(|container| &*container.name));
    let containers: Vec<Value> = workload
        .containers
        .iter()
        .zip(names)
        .map(|(of, name)| {
            let mounts = volumes::mounts(workload, of, &volume_names, lost);
            container(workload, of, name, mounts, secrets, &mut variables, lost)
        })
        .collect();
    let mut service = Map::new();
    let mut put = |name: &str, value: Value| service.insert(name.to_owned(), value);
    put("name", name.into());
    if !variables.is_empty() {
        put("variables", variables.into_values().collect());
    }
    let volumes = volumes::volumes(workload, &volume_names, secrets, lost);
    if !volumes.is_empty() {
        put("volumes", volumes.into());
    }
    put("containers", containers.into());
    if let Some(network) = network(workload, lost) {
        put("network", network);
    }
    put("mode", "replicated".into());
    put("replicas", workload.replicas.into());
    service.into()
}

fn container(
    workload: &Workload,
    container: &Container,
    name: String,
    mounts: Vec<Value>,
    secrets: &mut Secrets<'_>,
    variables: &mut BTreeMap<String, Value>,
    lost: &mut Vec<Lost>,
) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    let mut lose =
        |field: &str| lost.push(workload.lost(format!("{}.{field}", container.field), ""));
    put("name", name.into());
    match &container.image {
        Some(image) => _ = put("image", image.pinned().into()),
        None => lose("image"),
    }
    for (name, words) in [("entrypoint", &container.entrypoint), ("cmd", &container.arguments)] {
        if !words.is_empty() {
            put(name, words.as_slice().into());
        }
    }
    match (container.user, container.group) {
        (Some(user), Some(group)) => _ = put("user", format!("{user}:{group}").into()),
        (Some(user), None) => _ = put("user", user.to_string().into()),
        (None, Some(_)) => lose("securityContext.runAsGroup"),
        (None, None) => {}
    }
    for (is_said, field) in [
        (container.working_dir.is_some(), "workingDir"),
        (container.privileged, "securityContext.privileged"),
        (container.cpu_millis.is_some() || container.memory.is_some(), "resources.limits"),
    ] {
        if is_said {
            lose(field);
        }
    }
    let env = env(workload, container, secrets, variables, lost);
    if !env.is_empty() {
        put("env", env.into());
    }
    if !mounts.is_empty() {
        put("mounts", mounts.into());
    }
    fields.into()
}

/// The environment, with values of Secrets as variables that the vault fills ("Application
/// Variables").
fn env(
    workload: &Workload,
    container: &Container,
    secrets: &mut Secrets<'_>,
    variables: &mut BTreeMap<String, Value>,
    lost: &mut Vec<Lost>,
) -> Map<String, Value> {
    let mut env = Map::new();
    for variable in &container.env {
        let value = match &variable.setting {
            Setting::Text(text) => {
                if text.contains("${") {
                    let field = format!("{}.env.{}", container.field, variable.name);
                    lost.push(workload.lost(field, "Avassa puts its variables in place of `${…}`"));
                }
                text.clone()
            }
            Setting::Secret { name, key } => {
                let (name, value) = secrets.variable(name, key);
                variables.insert(name.clone(), value);
                format!("${{{name}}}")
            }
        };
        env.insert(variable.name.clone(), value.into());
    }
    env
}

/// What is reached from outside, by its own port ("Docker feature map", `--publish`).
fn network(workload: &Workload, lost: &mut Vec<Lost>) -> Option<Value> {
    if workload.host_network {
        return Some(json!({"host": true}));
    }
    let mut protocols: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Exposed { internal, external, protocol, .. } in &workload.exposed {
        let ports = protocols.entry(protocol).or_default();
        if !ports.contains(&internal.to_string()) {
            ports.push(internal.to_string());
        }
        if internal != external {
            let why = format!("port {external} outside becomes the container's own, {internal}");
            lost.push(workload.lost("ports", &why));
        }
    }
    let protocols: Vec<Value> = protocols
        .into_iter()
        .map(|(name, ports)| json!({"name": name, "port-ranges": ports.join(",")}))
        .collect();
    (!protocols.is_empty()).then(|| json!({"ingress-ip-per-instance": {"protocols": protocols}}))
}

/// Images of services that no configured registry has.
fn unresolved(services: &[Value], registries: &Registries) -> Vec<Finding> {
    let containers = services.iter().flat_map(|service| service["containers"].as_array());
    let images = containers.flatten().filter_map(|container| container["image"].as_str());
    let found = images.flat_map(|image| match resolve(registries, image) {
        Ok(resolved) => resolved.findings,
        Err(error) => {
            let text = format!("`{image}`: {}", error.reason);
            vec![Finding::new(Code::AvassaImageUnresolved, text).remedy(error.hint)]
        }
    });
    found.collect()
}
