//! Which ports of containers Services open to the outside, and what else they say.

use serde_json::{Map, Value};

use super::read::Context;
use super::{Application, Exposed, Lost};
use crate::app::{Object, ObjectId};

/// Why a Service is lost that only works inside: other systems have names of their own.
const NAME: &str = "the systems find containers by names of their own, so that addresses with \
                    the Service's name in configuration have to be changed";

/// Gives each workload the ports that Services of type `LoadBalancer` or `NodePort` open.
pub(super) fn tell(context: &Context<'_>, application: &mut Application) {
    for service in context.app.objects.iter().filter(|object| object.kind() == "Service") {
        application.lost.push(Lost::whole(service).because(NAME));
        let field = match service.text("/spec/type") {
            Some("LoadBalancer") => "port",
            Some("NodePort") => "nodePort",
            _ => continue,
        };
        let Some(selector) = service.at("/spec/selector").and_then(Value::as_object) else {
            continue;
        };
        let selected: Vec<(ObjectId, &Object)> = context
            .app
            .objects
            .iter()
            .filter(|object| is_selected(object, selector))
            .map(|object| (object.id(), object))
            .collect();
        for workload in &mut application.workloads {
            let found = selected.iter().find(|(id, _)| *id == workload.object);
            if let Some((_, object)) = found {
                workload.exposed.extend(ports(service, object, field));
            }
        }
    }
}

fn is_selected(object: &Object, selector: &Map<String, Value>) -> bool {
    let at =
        if object.kind() == "Pod" { "/metadata/labels" } else { "/spec/template/metadata/labels" };
    let labels = object.at(at);
    labels.is_some_and(|labels| selector.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

fn ports(service: &Object, object: &Object, field: &str) -> Vec<Exposed> {
    let list = service.at("/spec/ports").and_then(Value::as_array);
    let exposed = list.into_iter().flatten().filter_map(|port| {
        let number = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
        let own = number(&port["port"])?;
        let internal = match &port["targetPort"] {
            Value::String(name) => named(object, name)?,
            other => number(other).unwrap_or(own),
        };
        // A node port that Kubernetes chose is not in the export.
        let external = number(&port[field]).unwrap_or(own);
        let protocol = port["protocol"].as_str().unwrap_or("TCP").to_ascii_lowercase();
        Some(Exposed { internal, external, protocol })
    });
    exposed.collect()
}

/// The number of a port that a container names.
fn named(object: &Object, name: &str) -> Option<u16> {
    let at =
        if object.kind() == "Pod" { "/spec/containers" } else { "/spec/template/spec/containers" };
    let containers = object.at(at).and_then(Value::as_array)?.iter();
    let mut ports =
        containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    let port = ports.find(|port| port["name"] == name)?;
    u16::try_from(port["containerPort"].as_u64()?).ok()
}
