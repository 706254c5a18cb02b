//! Services: addresses and ports that the cluster gave out.
//!
//! Node ports stay where a person chose them; the rule is Velero's
//! (`pkg/restore/actions/service_action.go`): last-applied decides if it is there, else
//! managedFields, as ports given out by the server are in nobody's.

use serde_json::{Map, Value};

use super::claims::Claims;
use crate::app::path::{self, Path, Step};
use crate::app::{Code, Finding, Object, ObjectId};

pub(super) fn normalise(fields: &mut Map<String, Value>, claims: &Claims) {
    addresses(fields, claims);
    cluster_type(fields, claims);
    node_ports(fields, claims);
    health_check_port(fields, claims);
    target_ports(fields, claims);
}

/// The address inside of the cluster, if a person chose it. The chart leaves it to the cluster all
/// the same: another one has other networks, and in the same one it is taken.
pub(super) fn chosen_address(service: &Object, claims: &Claims) -> Option<Finding> {
    let path = Path::default().key("spec").key("clusterIP");
    let address = service.text(&path.pointer()).filter(|of| !["", "None"].contains(of))?;
    if !claims.set(service.fields(), &path) {
        return None;
    }
    let id = ObjectId { namespace: None, ..service.id() };
    let text = format!("{id} asks for the address {address}: the chart does not");
    let remedy = "Let others find the Service by its name; what has the address in its settings \
                  needs another one.";
    Some(Finding::new(Code::AddressNotExported, text).field(path.to_string()).remedy(remedy))
}

fn addresses(fields: &mut Map<String, Value>, claims: &Claims) {
    let headless = |at| path::find(fields, at).first().is_some_and(|(_, ip)| *ip == "None");
    let headless = headless("spec.clusterIP") || headless("spec.clusterIPs[]");
    path::remove(fields, "spec.clusterIPs");
    path::remove_if(fields, "spec.clusterIP", |_, _, ip| ip != "None");
    // A file may say it in the list alone.
    if let (true, Some(Value::Object(spec))) = (headless, fields.get_mut("spec")) {
        spec.entry("clusterIP").or_insert_with(|| Value::from("None"));
    }
    for at in ["spec.ipFamilies", "spec.ipFamilyPolicy"] {
        path::remove_if(fields, at, |root, path, _| !claims.set(root, path));
    }
}

/// The type of most Services. The chart writes it even where nobody did, as people change it: so
/// it does not tell one that came out of a chart from the one that went into it. Of headless ones
/// it is no value.
fn cluster_type(fields: &mut Map<String, Value>, claims: &Claims) {
    let headless = !path::find(fields, "spec.clusterIP").is_empty();
    path::remove_if(fields, "spec.type", |root, path, of| {
        of == "ClusterIP" && (!headless || !claims.wrote(root, path))
    });
}

fn node_ports(fields: &mut Map<String, Value>, claims: &Claims) {
    if !claims.live() {
        return;
    }
    let applied = claims.applied().map(applied_ports);
    path::remove_if(fields, "spec.ports[].nodePort", |root, path, port| match &applied {
        Some(applied) => !is_applied(applied, root, path, port),
        None => !claims.set(root, path),
    });
}

/// Ports of last-applied that ask for a node port.
fn applied_ports(applied: &Map<String, Value>) -> Vec<Value> {
    let ports = path::find(applied, "spec.ports[]").into_iter().map(|(_, port)| port);
    let asks =
        |port: &&Value| port.get("nodePort").is_some_and(|of| of.as_u64().is_some_and(|of| of > 0));
    ports.filter(asks).cloned().collect()
}

/// Named ports by name, others by the node port itself.
fn is_applied(applied: &[Value], root: &Map<String, Value>, path: &Path, port: &Value) -> bool {
    let name = name_of_port(root, path);
    applied.iter().any(|of| {
        let named = of.get("name").and_then(Value::as_str);
        if name.is_some() {
            named == name
        } else {
            named.is_none() && of.get("nodePort") == Some(port)
        }
    })
}

fn name_of_port<'a>(root: &'a Map<String, Value>, path: &Path) -> Option<&'a str> {
    let Some(Step::Item(index)) = path.0.get(2) else { return None };
    root.get("spec")?
        .get("ports")?
        .get(index)?
        .get("name")?
        .as_str()
        .filter(|name| !name.is_empty())
}

fn health_check_port(fields: &mut Map<String, Value>, claims: &Claims) {
    path::remove_if(fields, "spec.healthCheckNodePort", |root, path, _| !claims.set(root, path));
}

/// `targetPort` is `port` unless something else is said.
fn target_ports(fields: &mut Map<String, Value>, claims: &Claims) {
    path::remove_if(fields, "spec.ports[].targetPort", |root, path, target| {
        let Some(Step::Item(index)) = path.0.get(2) else { return false };
        let port = root.get("spec").and_then(|spec| spec.get("ports")?.get(index)?.get("port"));
        port == Some(target) && !claims.wrote(root, path)
    });
}
