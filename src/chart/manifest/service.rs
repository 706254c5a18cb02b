//! Services: their type, what goes with it, and annotations.

use serde_json::{Map, Value, json};

use super::generic::{annotations, title};
use super::{Builder, Draft};
use crate::chart::expr::{self, argument, field};
use crate::chart::keys::Section;
use crate::chart::values::{self, Setting, one_of};
use crate::chart::yaml::{Node, Row};

/// Types that one Service can be switched between.
const TYPES: [&str; 3] = ["ClusterIP", "NodePort", LOAD_BALANCER];
const LOAD_BALANCER: &str = "LoadBalancer";

/// Fields that the API server refuses for other types, and the condition for them.
const TYPED: [(&str, &str); 3] = [
    ("externalTrafficPolicy", NOT_INTERNAL),
    ("healthCheckNodePort", BALANCED),
    ("allocateLoadBalancerNodePorts", BALANCED),
];

const NOT_INTERNAL: &str = "if ne $service.type \"ClusterIP\"";
const BALANCED: &str = "if eq $service.type \"LoadBalancer\"";

pub(super) fn parameterise(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let key = builder.keys.key(Section::Services, draft.object);
    draft.variable("service", &expr::entry("services", &key));
    let mut settings = Vec::new();
    settings.extend(external_name(builder, draft).map(|name| ("externalName", name)));
    if let Some(kind) = switch(draft) {
        settings.push(("type", kind));
        settings.extend(balanced(draft));
        settings.extend(node_ports(draft).map(|ports| ("nodePorts", ports)));
    }
    settings.extend(external_addresses(draft).map(|addresses| ("externalIPs", addresses)));
    let comment = "Annotations, such as for the load balancer of a cloud.";
    settings.push(("annotations", annotations(builder, draft, "$service", comment)));
    let entry = Setting::group(format!("{}.", title(draft.object)), settings);
    builder.values.entry(Section::Services.name(), key, entry);
}

/// The type. A headless or external Service is what it is.
fn switch(draft: &mut Draft<'_>) -> Option<Setting> {
    let live = draft.object.text("/spec/type").unwrap_or("ClusterIP");
    if !TYPES.contains(&live) || draft.object.text("/spec/clusterIP") == Some("None") {
        return None;
    }
    let spec = draft.body.get_mut("spec")?;
    spec.put_after("type", "", Row::field("type", Node::expr("$service.type")));
    for (key, condition) in TYPED {
        if let Some(value) = spec.get_mut(key) {
            let value = std::mem::replace(value, Node::Null);
            spec.put(key, Row::when(condition, Row::field(key, value)));
        }
    }
    Some(Setting::value("ClusterIP, NodePort or LoadBalancer.", live, one_of(TYPES)).needed())
}

/// What depends on who balances the load: values of every load balancer, and of other Services that
/// say so.
fn balanced(draft: &mut Draft<'_>) -> Vec<(&'static str, Setting)> {
    let is_balancer = draft.object.text("/spec/type") == Some(LOAD_BALANCER);
    let live = |key: &str| draft.object.at(&format!("/spec/{key}")).cloned();
    let class = live("loadBalancerClass").or_else(|| is_balancer.then(|| "".into()));
    let ranges = live("loadBalancerSourceRanges").or_else(|| is_balancer.then(|| json!([])));
    let address = live("loadBalancerIP");
    let Some(spec) = draft.body.get_mut("spec") else { return Vec::new() };
    let mut settings = Vec::new();
    if let Some(address) = address {
        if_balanced(spec, "loadBalancerIP", scalar);
        let comment = "Address of the load balancer; empty: the cloud chooses.";
        settings.push(("loadBalancerIP", Setting::value(comment, address, values::address())));
    }
    if let Some(ranges) = ranges {
        let key = "loadBalancerSourceRanges";
        if_balanced(spec, key, list);
        let comment = "Clients that may connect, as ranges of addresses; empty: all.";
        settings.push((key, Setting::value(comment, ranges, values::addresses())));
    }
    if let Some(class) = class {
        if_balanced(spec, "loadBalancerClass", scalar);
        let comment = "Who balances the load; empty for the cluster's default. It cannot be changed \
                       later.";
        settings.push(("loadBalancerClass", Setting::value(comment, class, values::text())));
    }
    settings
}

/// Makes a field that is there if the Service is a load balancer and the value is not empty.
fn if_balanced(spec: &mut Node, key: &str, node: fn(&str) -> Node) {
    let value = format!("$service.{key}");
    let head = format!("if and (eq $service.type \"LoadBalancer\") {value}");
    spec.put_after(key, "type", Row::when(head, Row::field(key, node(&value))));
}

fn scalar(value: &str) -> Node {
    Node::Expr(format!("{value} | quote"))
}

fn list(value: &str) -> Node {
    Node::Block(format!("toYaml {value}"))
}

/// Ports of the nodes, where a person chose them: on another cluster they may be taken.
fn node_ports(draft: &mut Draft<'_>) -> Option<Setting> {
    let mut live = Map::new();
    for port in draft.body.at_mut(&["spec", "ports"])?.items_mut() {
        let Some(Node::Num(number)) = port.get_mut("nodePort") else { continue };
        let number = Value::Number(number.clone());
        let Some(key) = port_key(port) else { continue };
        let value = argument(&field("$service.nodePorts", &key));
        let head = format!("if and (ne $service.type \"ClusterIP\") {value}");
        port.put("nodePort", Row::when(head, Row::field("nodePort", Node::Expr(value))));
        live.insert(key, number);
    }
    let schema = values::only(live.keys().map(String::as_str), &values::node_port());
    let comment = "Ports of the nodes, by port; null: the cluster chooses.";
    (!live.is_empty()).then(|| Setting::value(comment, live, schema).needed())
}

/// Name of a port, or its number where it has none: unnamed ports are alone in their Service.
fn port_key(port: &mut Node) -> Option<String> {
    if let Some(name) = port.get_mut("name").and_then(|name| name.as_str()) {
        return Some(name.to_owned());
    }
    match port.get_mut("port") {
        Some(Node::Num(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// Addresses that the cluster's network leads here, where a person gave some.
fn external_addresses(draft: &mut Draft<'_>) -> Option<Setting> {
    let live = draft.object.at("/spec/externalIPs")?.clone();
    let row = Row::field("externalIPs", Node::Block("toYaml .".to_owned()));
    draft.body.get_mut("spec")?.put("externalIPs", Row::when("with $service.externalIPs", row));
    let comment = "Addresses of nodes under which it answers, too.";
    Some(Setting::value(comment, live, values::addresses()))
}

/// The host that a Service stands for: outside of the cluster, so elsewhere on another one. One
/// that follows the release's namespace is no value: it is right everywhere.
fn external_name(builder: &Builder<'_>, draft: &mut Draft<'_>) -> Option<Setting> {
    let live = draft.object.text("/spec/externalName")?.to_owned();
    if builder.has_placeholder(&live) {
        return None;
    }
    let name = draft.body.at_mut(&["spec", "externalName"])?;
    *name = Node::expr("$service.externalName | quote");
    Some(Setting::value("Host name that the Service stands for.", live, values::host()).needed())
}
