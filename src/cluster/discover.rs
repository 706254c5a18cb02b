//! Which kinds a cluster serves, and which of them are worth reading.

use std::collections::BTreeSet;

use kube::client::{APIGroupDiscovery, APIGroupDiscoveryList, APIResourceDiscovery};
use url::form_urlencoded;

use super::Error;
use super::client::{Api, MAX_DOCUMENT};
use crate::app::Unreadable;

/// A kind as the API serves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) plural: String,
    pub(super) version: String,
    pub(super) kind: String,
}

/// What a cluster serves.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// Namespaced kinds that can be listed, the core group first.
    pub(super) resources: Vec<Resource>,
    /// Groups whose own API server does not answer.
    pub(super) broken: Vec<Unreadable>,
}

/// Aggregated discovery: everything in two requests (Kubernetes 1.27 and later).
pub(super) const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/// Kinds that say nothing of an application: what controllers note down for themselves and for
/// each other, and would write again by themselves.
const NEVER_READ: [(&str, &str); 7] = [
    ("", "endpoints"),
    ("", "events"),
    ("coordination.k8s.io", "leases"),
    ("discovery.k8s.io", "endpointslices"),
    ("events.k8s.io", "events"),
    ("packages.operators.coreos.com", "packagemanifests"),
    ("storage.k8s.io", "csistoragecapacities"),
];

/// Groups of measurements: virtual objects that change with every look.
const NEVER_READ_GROUPS: [&str; 3] =
    ["custom.metrics.k8s.io", "external.metrics.k8s.io", "metrics.k8s.io"];

/// Groups that the API server itself serves: a fault there is the cluster's, not an add-on's.
const BUILT_IN: [&str; 8] = [
    "",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
];

impl Resource {
    /// As `kubectl api-resources -o name` prints it.
    pub(super) fn name(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// `apiVersion` of its objects.
    pub(super) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Path of its objects, of one namespace or (for cluster-scoped kinds) of all.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        let place = namespace.map_or_else(String::new, |n| format!("/namespaces/{}", segment(n)));
        format!("/{root}/{}{place}/{}", self.api_version(), self.plural)
    }

    /// Whether the API server itself serves it.
    pub(super) fn is_built_in(&self) -> bool {
        BUILT_IN.contains(&self.group.as_str())
    }

    /// Whether its objects are core Secrets.
    pub(super) fn is_secret(&self) -> bool {
        self.group.is_empty() && self.plural == "secrets"
    }
}

/// A name as one segment of a path, whatever a user typed.
pub(super) fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

/// Asks what the cluster serves.
///
/// # Errors
/// When it does not answer, or is too old for aggregated discovery.
pub(super) async fn discover(api: &Api) -> Result<Served, Error> {
    let mut served = Served::default();
    for path in ["/api", "/apis"] {
        let (list, _): (APIGroupDiscoveryList, _) = api.get(path, AGGREGATED, MAX_DOCUMENT).await?;
        // The legacy forms of these documents have other fields, so they parse as empty.
        if list.items.is_empty() {
            let reason = "it has no aggregated discovery (Kubernetes 1.27 and later)".to_owned();
            let server = api.server().to_owned();
            return Err(Error::Protocol { server, path: path.to_owned(), reason });
        }
        list.items.iter().for_each(|group| add_group(&mut served, group));
    }
    served.resources.sort();
    Ok(served)
}

/// Adds a group: each kind in the first version, in the server's order of preference, that has it.
fn add_group(served: &mut Served, group: &APIGroupDiscovery) {
    let name = group.metadata.as_ref().and_then(|meta| meta.name.clone()).unwrap_or_default();
    if NEVER_READ_GROUPS.contains(&name.as_str()) {
        return;
    }
    let mut seen = BTreeSet::new();
    for version in &group.versions {
        let Some(number) = &version.version else { continue };
        let listed = version.resources.iter().filter_map(|r| listable(&name, number, r));
        served.resources.extend(listed.filter(|resource| seen.insert(resource.plural.clone())));
    }
    let stale = |freshness: &Option<String>| freshness.as_deref() == Some("Stale");
    if seen.is_empty() && group.versions.iter().any(|version| stale(&version.freshness)) {
        let reason = "the API server of this group does not answer".to_owned();
        served.broken.push(Unreadable { resource: format!("*.{name}"), reason });
    }
}

/// Every kind of a group in every version, the version that the server prefers first, with whether
/// its objects are in namespaces. Subresources are no kinds.
pub(super) fn all_of(group: &APIGroupDiscovery) -> Vec<(Resource, bool)> {
    let name = group.metadata.as_ref().and_then(|meta| meta.name.clone()).unwrap_or_default();
    let mut all = Vec::new();
    for version in &group.versions {
        let Some(number) = &version.version else { continue };
        for found in &version.resources {
            let kind = found.response_kind.as_ref().and_then(|of| of.kind.clone());
            let (Some(plural), Some(kind)) = (found.resource.clone(), kind) else { continue };
            let (group, version) = (name.clone(), number.clone());
            let namespaced = found.scope.as_deref() == Some("Namespaced");
            all.push((Resource { group, plural, version, kind }, namespaced));
        }
    }
    all
}

fn listable(group: &str, version: &str, found: &APIResourceDiscovery) -> Option<Resource> {
    let plural = found.resource.clone()?;
    let namespaced = found.scope.as_deref() == Some("Namespaced");
    let can_list = found.verbs.iter().any(|verb| verb == "list");
    let wanted = !NEVER_READ.contains(&(group, plural.as_str()));
    (namespaced && can_list && wanted).then_some(())?;
    let kind = found.response_kind.as_ref()?.kind.clone()?;
    Some(Resource { group: group.to_owned(), plural, version: version.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn resource(plural: &str, kind: &str, scope: &str, verbs: &[&str]) -> Value {
        json!({"resource": plural, "scope": scope, "verbs": verbs,
            "responseKind": {"group": "", "version": "", "kind": kind}})
    }

    fn served(group: Value) -> Served {
        let mut served = Served::default();
        add_group(&mut served, &serde_json::from_value(group).unwrap());
        served
    }

    #[test]
    fn each_kind_is_taken_once_in_the_version_that_the_server_prefers() {
        let hpa = || {
            resource("horizontalpodautoscalers", "HorizontalPodAutoscaler", "Namespaced", &["list"])
        };
        let old = || resource("olds", "Old", "Namespaced", &["list", "get"]);
        let served = served(json!({"metadata": {"name": "autoscaling"}, "versions": [
            {"version": "v2", "resources": [hpa()]},
            {"version": "v1", "resources": [hpa(), old()]}]}));
        let names: Vec<_> = served.resources.iter().map(|r| (r.name(), r.api_version())).collect();
        assert_eq!(
            names,
            [
                ("horizontalpodautoscalers.autoscaling".to_owned(), "autoscaling/v2".to_owned()),
                ("olds.autoscaling".to_owned(), "autoscaling/v1".to_owned()),
            ]
        );
        assert_eq!(
            served.resources[0].path(Some("shop")),
            "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
        );
    }

    #[test]
    fn what_is_not_read_is_left_out() {
        let served = served(json!({"metadata": {"name": ""}, "versions": [{"version": "v1",
            "resources": [
                resource("events", "Event", "Namespaced", &["list"]),
                resource("endpoints", "Endpoints", "Namespaced", &["list"]),
                resource("bindings", "Binding", "Namespaced", &["create"]),
                resource("nodes", "Node", "Cluster", &["list"]),
                resource("pods", "Pod", "Namespaced", &["list"])]}]}));
        assert_eq!(served.resources.len(), 1);
        assert_eq!(served.resources[0].path(Some("a")), "/api/v1/namespaces/a/pods");
        assert!(served.broken.is_empty());
    }

    #[test]
    fn a_group_whose_server_is_away_is_named() {
        let away = |name: &str| {
            json!({"metadata": {"name": name},
            "versions": [{"version": "v1", "freshness": "Stale", "resources": []}]})
        };
        assert_eq!(served(away("wardle.example.com")).broken[0].resource, "*.wardle.example.com");
        assert!(served(away("metrics.k8s.io")).broken.is_empty());
    }
}
