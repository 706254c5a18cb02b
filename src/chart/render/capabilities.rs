//! `.Capabilities`: the Kubernetes that templates are told of.

use std::rc::Rc;

use super::value::{Answer, Fields, Go, Object};

/// Helm without a cluster names that of its own libraries, another one with each release.
const MAJOR: &str = "1";
const MINOR: &str = "33";

/// Helm's own version, by what charts ask of it: which functions there are.
const HELM: &str = "v3.18.0";

/// Group versions that every cluster of that version serves. Helm without a cluster says that it
/// has those of the past and the future as well.
const API_VERSIONS: [&str; 21] = [
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "apps/v1",
    "authentication.k8s.io/v1",
    "authorization.k8s.io/v1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "certificates.k8s.io/v1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "events.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1",
    "networking.k8s.io/v1",
    "node.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
    "resource.k8s.io/v1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1",
    "v1",
];

/// `.Capabilities`.
pub(super) fn capabilities() -> Go {
    let helm = Fields::from([("Version".into(), Go::text(HELM))]);
    let fields = [
        ("APIVersions", Go::Object(Rc::new(ApiVersions))),
        ("HelmVersion", Go::map(helm)),
        ("KubeVersion", Go::Object(Rc::new(KubeVersion))),
    ];
    Go::map(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

struct KubeVersion;

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        "common.KubeVersion"
    }

    fn member(&self, name: &str, args: &[Go]) -> Option<Answer> {
        let text = match (name, args) {
            ("Version" | "GitVersion" | "String", []) => self.text(),
            ("Major", []) => MAJOR.to_owned(),
            ("Minor", []) => MINOR.to_owned(),
            _ => return None,
        };
        Some(Ok(Go::text(text)))
    }

    fn text(&self) -> String {
        format!("v{MAJOR}.{MINOR}.0")
    }
}

struct ApiVersions;

impl Object for ApiVersions {
    fn type_name(&self) -> &'static str {
        "common.VersionSet"
    }

    fn member(&self, name: &str, args: &[Go]) -> Option<Answer> {
        match (name, args) {
            ("Has", [Go::Text(version)]) => Some(Ok(Go::Bool(API_VERSIONS.contains(&&**version)))),
            _ => None,
        }
    }
}
