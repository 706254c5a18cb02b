//! Rights in the words of Kubernetes.

use super::{Kind, Right, Verb};
use crate::cluster::reviews::Attributes;

/// Group of our own resources.
const GROUP: &str = "outhaul.dev";

/// What an application is mostly made of: who may list all of these in a namespace may see its
/// applications. ClusterRole `view` of Kubernetes may.
pub(super) const NAMESPACE: [(&str, &str); 11] = [
    ("", "pods"),
    ("", "services"),
    ("", "configmaps"),
    ("", "serviceaccounts"),
    ("", "persistentvolumeclaims"),
    ("apps", "deployments"),
    ("apps", "statefulsets"),
    ("apps", "daemonsets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("networking.k8s.io", "ingresses"),
];

/// What has to be allowed for a right.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Each of these.
    All(Vec<Attributes>),
    /// One of these.
    Any(Vec<Attributes>),
    /// Each of these, and those that are not are said.
    Kinds(Vec<(Kind, Attributes)>),
}

/// What has to be allowed for a right.
pub(super) fn needs(right: &Right) -> Needs {
    match right {
        Right::ReadNamespace(namespace) => applications(namespace),
        Right::ReadNamespaces => applications(""),
        Right::ListSecrets(namespace) => Needs::All(vec![secrets("list", namespace)]),
        Right::ReadSecrets(namespace) => {
            Needs::All(vec![secrets("get", namespace), secrets("list", namespace)])
        }
        Right::ReadKinds { namespace, kinds } => {
            Needs::Kinds(kinds.iter().map(|kind| (kind.clone(), listed(kind, namespace))).collect())
        }
        Right::UseDestination { name, namespace } => {
            Needs::All(vec![destination("use", name, namespace)])
        }
        Right::SeeDestination { name } => {
            Needs::Any(["get", "use"].map(|verb| destination(verb, name, "")).into())
        }
        Right::Exports { verb, namespace } => records(*verb, "exports", namespace.as_deref()),
        Right::Schedules { verb, namespace } => {
            records(*verb, "exportschedules", namespace.as_deref())
        }
        Right::Metrics => Needs::All(vec![Attributes::Path { verb: "get", path: "/metrics" }]),
    }
}

fn applications(namespace: &str) -> Needs {
    let list = |(group, plural): &(&str, &str)| on("list", group, plural, namespace, "");
    Needs::All(NAMESPACE.iter().map(list).collect())
}

fn records(verb: Verb, plural: &str, namespace: Option<&str>) -> Needs {
    Needs::All(vec![on(verb.as_str(), GROUP, plural, namespace.unwrap_or_default(), "")])
}

fn secrets(verb: &'static str, namespace: &str) -> Attributes {
    on(verb, "", "secrets", namespace, "")
}

/// Nothing of this kind exists: RBAC takes any name.
fn destination(verb: &'static str, name: &str, namespace: &str) -> Attributes {
    on(verb, GROUP, "destinations", namespace, name)
}

/// A RoleBinding says nothing of what is in no namespace, though a review within one would be
/// answered by it.
fn listed(kind: &Kind, namespace: &str) -> Attributes {
    let namespace = if kind.namespaced { namespace } else { "" };
    on("list", &kind.group, &kind.plural, namespace, "")
}

fn on(verb: &'static str, group: &str, resource: &str, namespace: &str, name: &str) -> Attributes {
    Attributes::Resource {
        verb,
        group: group.to_owned(),
        resource: resource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::List => "list",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_no_namespace_is_asked_for_everywhere() {
        let kind = |plural: &str, namespaced| Kind {
            group: "rbac.authorization.k8s.io".into(),
            plural: plural.into(),
            namespaced,
        };
        let kinds = vec![kind("roles", true), kind("clusterroles", false)];
        let Needs::Kinds(asked) = needs(&Right::ReadKinds { namespace: "shop".into(), kinds })
        else {
            panic!("not kinds");
        };
        let namespaces = asked.iter().map(|(_, attributes)| match attributes {
            Attributes::Resource { namespace, .. } => namespace.as_str(),
            Attributes::Path { .. } => panic!("not of a resource"),
        });
        assert_eq!(namespaces.collect::<Vec<_>>(), ["shop", ""]);
    }

    #[test]
    fn metrics_are_a_path() {
        let path = Attributes::Path { verb: "get", path: "/metrics" };
        assert_eq!(needs(&Right::Metrics), Needs::All(vec![path]));
    }
}
