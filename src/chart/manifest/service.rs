//! Services: their type and annotations.

use super::generic::{annotations, title};
use super::{Builder, Draft};
use crate::chart::expr;
use crate::chart::keys::Section;
use crate::chart::values::{Setting, one_of};
use crate::chart::yaml::{Node, Row};

/// Types that one Service can be switched between.
const TYPES: [&str; 3] = ["ClusterIP", "NodePort", "LoadBalancer"];

/// Fields that the API server refuses for other types, and the condition for them.
const TYPED: [(&str, &str); 6] = [
    ("externalTrafficPolicy", NOT_INTERNAL),
    ("healthCheckNodePort", BALANCED),
    ("loadBalancerIP", BALANCED),
    ("loadBalancerSourceRanges", BALANCED),
    ("loadBalancerClass", BALANCED),
    ("allocateLoadBalancerNodePorts", BALANCED),
];

const NOT_INTERNAL: &str = "if ne $service.type \"ClusterIP\"";
const BALANCED: &str = "if eq $service.type \"LoadBalancer\"";

pub(super) fn parameterise(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let key = builder.keys.key(Section::Services, draft.object);
    draft.variable("service", &expr::entry("services", &key));
    let mut settings = Vec::new();
    settings.extend(switch(draft).map(|kind| ("type", kind)));
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
    for (field, condition) in TYPED {
        guard(spec, field, condition);
    }
    if let Some(ports) = spec.get_mut("ports") {
        ports.items_mut().for_each(|port| guard(port, "nodePort", NOT_INTERNAL));
    }
    Some(Setting::value("ClusterIP, NodePort or LoadBalancer.", live, one_of(TYPES)))
}

/// Puts a field, if it is there, under a condition.
fn guard(node: &mut Node, key: &str, condition: &str) {
    if let Some(value) = node.get_mut(key) {
        let value = std::mem::replace(value, Node::Null);
        node.put(key, Row::when(condition, Row::field(key, value)));
    }
}
