//! Addresses and ports of one network, and what has to give out others.

use core::net::IpAddr;

use serde_json::Value;

use super::Portability;
use super::pods::Pod;
use crate::app::path;
use crate::app::{Code, Finding, Object, kinds};

/// Fields of a Service with addresses or ports that someone chose, and what they are.
const OF_SERVICES: [(&str, &str); 4] = [
    ("spec.externalIPs[]", "the address"),
    ("spec.loadBalancerIP", "the address"),
    ("spec.loadBalancerSourceRanges[]", "callers from"),
    ("spec.ports[].nodePort", "the port of every node"),
];

/// Fields of pods with addresses.
const OF_PODS: [&str; 2] = ["dnsConfig.nameservers[]", "hostAliases[].ip"];

/// Where Services without a selector lead.
const OF_ENDPOINTS: [(kinds::Kind, &str); 2] = [
    (kinds::ENDPOINTS, "subsets[].addresses[].ip"),
    (kinds::ENDPOINT_SLICE, "endpoints[].addresses[]"),
];

/// Blocks that a policy lets through.
const BLOCKS: &str = "spec.ingress|egress[].from|to[].ipBlock.cidr";

pub(super) fn check(object: &Object, found: &mut Portability) {
    if kinds::is(object, kinds::SERVICE) {
        load_balancer(object, found);
        for (at, what) in OF_SERVICES {
            fields(object, at, what, found);
        }
    }
    for (kind, at) in OF_ENDPOINTS {
        if kinds::is(object, kind) {
            fields(object, at, "the address", found);
        }
    }
    if kinds::is(object, kinds::NETWORK_POLICY) {
        fields(object, BLOCKS, "the network", found);
    }
    if let Some(pod) = Pod::of(object) {
        for at in OF_PODS {
            for (path, address) in pod.find(at) {
                say(object, &path.to_string(), "the address", address, found);
            }
        }
    }
}

fn load_balancer(service: &Object, found: &mut Portability) {
    if service.text("/spec/type") != Some("LoadBalancer") {
        return;
    }
    let id = service.id();
    let text = format!("{id} waits until the cluster gives it a load balancer");
    let remedy = "Where there are none, set its `type` in the values.";
    let finding = Finding::new(Code::LoadBalancerRequired, text).on(id).field("spec.type");
    found.findings.push(finding.remedy(remedy));
}

fn fields(object: &Object, at: &str, what: &str, found: &mut Portability) {
    for (path, value) in path::find(object.fields(), at) {
        say(object, &path.to_string(), what, value, found);
    }
}

fn say(object: &Object, field: &str, what: &str, value: &Value, found: &mut Portability) {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if is_everywhere(&value) {
        return;
    }
    let id = object.id();
    let text = format!("{id} names {what} {value}, as it is where it ran");
    let remedy = "Change it where the target's network is another one.";
    let finding = Finding::new(Code::AddressFixed, text).on(id).field(field);
    found.findings.push(finding.remedy(remedy));
}

/// Addresses that mean the same in every network: all, the machine itself, the link.
fn is_everywhere(value: &str) -> bool {
    let (address, bits) = value.split_once('/').unwrap_or((value, ""));
    match address.parse::<IpAddr>() {
        Ok(address) if bits == "0" => address.is_unspecified(),
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unicast_link_local(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_addresses_are_the_same_everywhere() {
        for address in ["0.0.0.0/0", "::/0", "127.0.0.1", "169.254.169.254/32", "fe80::1", "::1"] {
            assert!(is_everywhere(address), "{address}");
        }
        for address in ["10.0.0.0/8", "1.2.3.4", "0.0.0.0/8", "2001:db8::1", "db", "30080"] {
            assert!(!is_everywhere(address), "{address}");
        }
    }
}
