//! What a cluster calls the application for: without it the application does nothing.

use super::Portability;
use crate::app::kinds::{self, Kind};
use crate::app::path;
use crate::app::view::View;
use crate::app::{Code, Finding, Object, Requirement};

/// Kinds without a namespace, and where they name the Service that is called. They are in manifests
/// alone: of a cluster nobody but an administrator may list them.
const CALLS: [(Kind, &str); 4] = [
    (("admissionregistration.k8s.io", "MutatingWebhookConfiguration"), WEBHOOKS),
    (("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"), WEBHOOKS),
    (
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        "spec.conversion.webhook.clientConfig.service",
    ),
    (("apiregistration.k8s.io", "APIService"), "spec.service"),
];

const WEBHOOKS: &str = "webhooks[].clientConfig.service";

pub(super) fn check(view: &View<'_>, objects: &[Object], found: &mut Portability) {
    let is_ours =
        |name: &str| objects.iter().any(|of| kinds::is(of, kinds::SERVICE) && of.name() == name);
    for (kind, at) in CALLS {
        for (_, entry) in view.of_kind(kind) {
            let calls =
                path::find(entry.object.fields(), at).into_iter().find_map(|(_, service)| {
                    let text = |key: &str| service.get(key)?.as_str();
                    let here = text("namespace") == Some(&view.snapshot.namespace);
                    text("name").filter(|name| here && is_ours(name))
                });
            let Some(service) = calls else { continue };
            let object = entry.id.clone();
            let text =
                format!("{object} has the cluster call Service {service}; it is not exported");
            let remedy = "Create it in the target cluster, for the namespace of the release.";
            let finding = Finding::new(Code::ClusterScopedRequired, text).on(object.clone());
            found.findings.push(finding.remedy(remedy));
            let reason = format!("it has the cluster call Service {service}");
            found.requirements.push(Requirement { object, reason });
        }
    }
}
