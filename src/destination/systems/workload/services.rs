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
                ports(service, object, field).into_iter().for_each(|port| workload.expose(port));
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
        let own = number(&port["port"])?;
        let target = match &port["targetPort"] {
            Value::Null => &port["port"],
            target => target,
        };
        let (container, internal) = found(object, target)?;
        // A node port that Kubernetes chose is not in the export.
        let external = number(&port[field]).unwrap_or(own);
        Some(Exposed { container, internal, external, protocol: protocol(port) })
    });
    exposed.collect()
}

/// The container that has a port of this name or number, and the number. A number that none says it has
/// is taken for one of the first: to list ports is no duty.
fn found(object: &Object, target: &Value) -> Option<(String, u16)> {
    let at =
        if object.kind() == "Pod" { "/spec/containers" } else { "/spec/template/spec/containers" };
    let containers = object.at(at).and_then(Value::as_array)?;
    let name = |container: &Value| container["name"].as_str().unwrap_or_default().to_owned();
    for container in containers {
        let mut ports = container["ports"].as_array().into_iter().flatten();
        if let Some(port) =
            ports.find(|port| port["name"] == *target || port["containerPort"] == *target)
        {
            return Some((name(container), number(&port["containerPort"])?));
        }
    }
    Some((name(containers.first()?), number(target)?))
}

/// The number of a port.
pub(super) fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok())
}

/// The protocol of a port of a Service or a container.
pub(super) fn protocol(port: &Value) -> String {
    port["protocol"].as_str().unwrap_or("TCP").to_ascii_lowercase()
}
