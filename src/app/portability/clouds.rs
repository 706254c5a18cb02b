//! Annotations that mean something at one cloud alone.

use serde_json::{Map, Value};

use super::Portability;
use super::pods::Pod;
use crate::app::path::Path;
use crate::app::{Code, Finding, Object};

/// Annotations and labels by which pods get an identity at a cloud.
const IDENTITIES: [(&str, &str); 6] = [
    ("aadpodidbinding", "Azure"),
    ("azure.workload.identity/client-id", "Azure"),
    ("eks.amazonaws.com/role-arn", "AWS"),
    ("iam.amazonaws.com/role", "AWS"),
    ("iam.gke.io/gcp-service-account", "Google Cloud"),
    ("iam.gke.io/return-principal-id-as-email", "Google Cloud"),
];

/// Annotations by how they begin, and the cloud, or the load balancer, that reads them.
const PREFIXES: [(&str, &str); 22] = [
    ("alb.ingress.kubernetes.io/", "AWS"),
    ("appgw.ingress.kubernetes.io/", "Azure"),
    ("beta.cloud.google.com/", "Google Cloud"),
    ("cloud.google.com/", "Google Cloud"),
    ("eks.amazonaws.com/", "AWS"),
    ("ingress.gcp.kubernetes.io/", "Google Cloud"),
    ("kubernetes.digitalocean.com/", "DigitalOcean"),
    ("kubernetes.io/ingress.global-static-ip-name", "Google Cloud"),
    ("kubernetes.io/ingress.regional-static-ip-name", "Google Cloud"),
    ("load-balancer.hetzner.cloud/", "Hetzner Cloud"),
    ("loadbalancer.openstack.org/", "OpenStack"),
    ("metallb.io/", "MetalLB"),
    ("metallb.universe.tf/", "MetalLB"),
    ("networking.gke.io/", "Google Cloud"),
    ("oci.oraclecloud.com/", "Oracle Cloud"),
    ("service.beta.kubernetes.io/alibaba-cloud-", "Alibaba Cloud"),
    ("service.beta.kubernetes.io/aws-", "AWS"),
    ("service.beta.kubernetes.io/azure-", "Azure"),
    ("service.beta.kubernetes.io/do-", "DigitalOcean"),
    ("service.beta.kubernetes.io/linode-", "Linode"),
    ("service.beta.kubernetes.io/oci-", "Oracle Cloud"),
    ("service.kubernetes.io/ibm-", "IBM Cloud"),
];

/// Written by a controller of the cloud, not by a person.
const WRITTEN: [&str; 1] = ["cloud.google.com/neg-status"];

pub(super) fn check(object: &Object, found: &mut Portability) {
    let at = Path::default().key("metadata").key("annotations");
    let own = object.at("/metadata/annotations").and_then(Value::as_object);
    settings(object, &at, own, found);
    identities(object, &at, own, found);
    let Some(pod) = Pod::of(object) else { return };
    for field in ["annotations", "labels"] {
        if let Some((at, map)) = pod.metadata(field) {
            identities(object, &at, Some(map), found);
        }
    }
}

/// One finding for each cloud, at the first annotation: load balancers have a dozen of them.
fn settings(object: &Object, at: &Path, map: Option<&Map<String, Value>>, found: &mut Portability) {
    let mut seen: Vec<(&str, String, usize)> = Vec::new();
    for key in map.into_iter().flat_map(Map::keys) {
        let known = |(prefix, _): &&(&str, &str)| key.starts_with(prefix);
        let Some((_, cloud)) = PREFIXES.iter().find(known) else { continue };
        if WRITTEN.contains(&key.as_str()) || identity(key).is_some() {
            continue;
        }
        match seen.iter_mut().find(|(of, ..)| of == cloud) {
            Some((_, _, count)) => *count += 1,
            None => seen.push((cloud, at.key(key).to_string(), 1)),
        }
    }
    for (cloud, field, count) in seen {
        let id = object.id();
        let what = if count == 1 { "an annotation" } else { "annotations" };
        let text = format!("{id} has {what} for {cloud}");
        let remedy = "Elsewhere they mean nothing: set others in the values.";
        let finding = Finding::new(Code::CloudAnnotation, text).on(id).field(field);
        found.findings.push(finding.remedy(remedy));
    }
}

fn identities(
    object: &Object,
    at: &Path,
    map: Option<&Map<String, Value>>,
    found: &mut Portability,
) {
    for key in map.into_iter().flat_map(Map::keys) {
        let Some(cloud) = identity(key) else { continue };
        let id = object.id();
        let text = format!("{id} has an identity at {cloud}, which knows it by cluster and name");
        let remedy = "Make an identity for the target's service account, and set its annotation \
                      under `serviceAccounts` in the values.";
        let finding = Finding::new(Code::CloudIdentity, text).on(id);
        found.findings.push(finding.field(at.key(key).to_string()).remedy(remedy));
    }
}

fn identity(key: &str) -> Option<&'static str> {
    IDENTITIES.iter().find(|(known, _)| *known == key).map(|(_, cloud)| *cloud)
}
