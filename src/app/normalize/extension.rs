//! What extends the API: CustomResourceDefinitions, webhooks, API services.

use serde_json::{Map, Value};

use super::claims::Claims;
use crate::app::Object;
use crate::app::kinds::{self, Kind};
use crate::app::path;

/// Kinds that say which authority they trust, and where.
const TRUSTING: [(Kind, &str); 4] = [
    (kinds::API_SERVICE, "spec.caBundle"),
    (kinds::CUSTOM_RESOURCE_DEFINITION, "spec.conversion.webhook.clientConfig.caBundle"),
    (kinds::MUTATING_WEBHOOKS, "webhooks[].clientConfig.caBundle"),
    (kinds::VALIDATING_WEBHOOKS, "webhooks[].clientConfig.caBundle"),
];

/// Annotations by which cert-manager and OpenShift are asked to fill that in.
const INJECTORS: [&str; 4] = [
    "cert-manager.io/inject-apiserver-ca",
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "service.beta.openshift.io/inject-cabundle",
];

/// Takes out an authority that somebody fills in: on another cluster it is another one.
pub(super) fn drop_injected_authority(object: &mut Object) {
    let found = TRUSTING.iter().find(|(kind, _)| kinds::is(object, *kind));
    let Some((_, at)) = found else { return };
    if INJECTORS.iter().any(|key| object.annotation(key).is_some()) {
        path::remove(object.fields_mut(), at);
    }
}

/// List kind and singular of a definition follow from its kind.
pub(super) fn definition(fields: &mut Map<String, Value>, claims: &Claims) {
    if !claims.live() {
        return;
    }
    let named = path::find(fields, "spec.names.kind");
    let kind = named.first().and_then(|(_, kind)| Some(kind.as_str()?.to_owned()));
    let Some(kind) = kind else { return };
    for (at, default) in [
        ("spec.names.listKind", format!("{kind}List")),
        ("spec.names.singular", kind.to_lowercase()),
    ] {
        path::remove_if(fields, at, |root, path, value| {
            value.as_str() == Some(&default) && !claims.wrote(root, path)
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_authority_goes_if_it_was_injected_and_stays_if_it_was_given() {
        let left = |annotations: Value| {
            let mut object = Object::new(json!({"apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "x", "annotations": annotations},
                "webhooks": [{"name": "a", "clientConfig": {"caBundle": "Y2E="}}]}))
            .unwrap();
            drop_injected_authority(&mut object);
            object.at("/webhooks/0/clientConfig/caBundle").is_some()
        };
        assert!(!left(json!({"cert-manager.io/inject-ca-from": "shop/webhook"})));
        assert!(left(json!({})));
    }

    #[test]
    fn names_that_follow_from_the_kind_go() {
        let mut object = Object::new(json!({"apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition", "metadata": {"name": "x", "uid": "1"},
            "spec": {"names": {"kind": "Thing", "plural": "things", "singular": "thing",
                "listKind": "Things"}}}))
        .unwrap();
        let claims = Claims::read(&object, None);
        definition(object.fields_mut(), &claims);
        let left = json!({"kind": "Thing", "plural": "things", "listKind": "Things"});
        assert_eq!(object.at("/spec/names"), Some(&left));
    }
}
