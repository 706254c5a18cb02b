//! What an object refers to by name, as a table: which field of which kind names what.

use serde_json::Value;

use super::custom;
use crate::app::Object;
use crate::app::kinds::{
    self, CLAIM, CONFIG_MAP, INGRESS, Kind, PRIORITY_CLASS, RESOURCE_CLAIM,
    RESOURCE_CLAIM_TEMPLATE, RUNTIME_CLASS, SECRET, SECRET_PROVIDER_CLASS, SERVICE,
    SERVICE_ACCOUNT, STATEFUL_SET, STORAGE_CLASS,
};
use crate::app::path::{self, Path};

/// One reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::app) struct Reference {
    pub(in crate::app) kind: Kind,
    pub(in crate::app) name: String,
    /// Where it stands, for people.
    pub(in crate::app) field: String,
    /// Whether it is marked as optional.
    pub(in crate::app) optional: bool,
    /// Whether Kubernetes lets it be marked as optional.
    pub(in crate::app) may_be_optional: bool,
    /// Whether something breaks if the target is not there.
    pub(in crate::app) needed: bool,
    /// What of the target is used; `None`: all of it, or what is used cannot be told.
    pub(in crate::app) keys: Option<Vec<String>>,
}

/// A field that refers to something.
pub(super) struct Row {
    /// The mapping that holds the name, or the name itself.
    pub(super) at: &'static str,
    /// Field of that mapping with the name; empty if `at` is the name.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) keys: Keys,
    pub(super) missing: Missing,
    /// Whether the mapping may say another kind, group or namespace, and then means nothing here.
    pub(super) typed: bool,
}

/// Which keys of a ConfigMap or Secret a reference uses.
pub(super) enum Keys {
    /// All of them.
    All,
    /// The one in the field `key`.
    Key,
    /// Those of `items[].key`; all if there are no items.
    Items,
    /// Always these.
    These(&'static [&'static str]),
}

/// What it means if the target is not there.
pub(super) enum Missing {
    /// Pods do not start, or nothing is routed.
    Breaks,
    /// Pods do not start, unless the reference says `optional: true`.
    BreaksUnlessOptional,
    /// Little: Kubernetes itself does not mind.
    Works,
    /// Little now: as with certificates, something makes the target when it is needed.
    Made,
}

const TLS: Keys = Keys::These(&["tls.crt", "tls.key"]);
const LOGIN: Keys = Keys::All;

const fn row(at: &'static str, name: &'static str, kind: Kind, keys: Keys) -> Row {
    Row { at, name, kind, keys, missing: Missing::Breaks, typed: false }
}

const fn may_be_optional(at: &'static str, name: &'static str, kind: Kind, keys: Keys) -> Row {
    Row { at, name, kind, keys, missing: Missing::BreaksUnlessOptional, typed: false }
}

const fn loose(at: &'static str, name: &'static str, kind: Kind) -> Row {
    Row { at, name, kind, keys: Keys::All, missing: Missing::Works, typed: false }
}

/// Below the `spec` of a pod. Pull secrets are not here: they are dropped.
const POD: &[Row] = &[
    may_be_optional(
        "containers|initContainers[].env[].valueFrom.configMapKeyRef",
        "name",
        CONFIG_MAP,
        Keys::Key,
    ),
    may_be_optional(
        "containers|initContainers[].env[].valueFrom.secretKeyRef",
        "name",
        SECRET,
        Keys::Key,
    ),
    may_be_optional(
        "containers|initContainers[].envFrom[].configMapRef",
        "name",
        CONFIG_MAP,
        Keys::All,
    ),
    may_be_optional("containers|initContainers[].envFrom[].secretRef", "name", SECRET, Keys::All),
    may_be_optional("volumes[].configMap", "name", CONFIG_MAP, Keys::Items),
    may_be_optional("volumes[].secret", "secretName", SECRET, Keys::Items),
    may_be_optional("volumes[].projected.sources[].configMap", "name", CONFIG_MAP, Keys::Items),
    may_be_optional("volumes[].projected.sources[].secret", "name", SECRET, Keys::Items),
    row("volumes[].persistentVolumeClaim", "claimName", CLAIM, Keys::All),
    row("volumes[].azureFile", "secretName", SECRET, LOGIN),
    row("volumes[].cephfs.secretRef", "name", SECRET, LOGIN),
    row("volumes[].cinder.secretRef", "name", SECRET, LOGIN),
    row("volumes[].csi.nodePublishSecretRef", "name", SECRET, LOGIN),
    row("volumes[].flexVolume.secretRef", "name", SECRET, LOGIN),
    row("volumes[].iscsi.secretRef", "name", SECRET, LOGIN),
    row("volumes[].rbd.secretRef", "name", SECRET, LOGIN),
    row("volumes[].scaleIO.secretRef", "name", SECRET, LOGIN),
    row("volumes[].storageos.secretRef", "name", SECRET, LOGIN),
    row("serviceAccountName", "", SERVICE_ACCOUNT, Keys::All),
    row("volumes[].csi.volumeAttributes", "secretProviderClass", SECRET_PROVIDER_CLASS, Keys::All),
    row("resourceClaims[]", "resourceClaimName", RESOURCE_CLAIM, Keys::All),
    row("resourceClaims[]", "resourceClaimTemplateName", RESOURCE_CLAIM_TEMPLATE, Keys::All),
    row("priorityClassName", "", PRIORITY_CLASS, Keys::All),
    row("runtimeClassName", "", RUNTIME_CLASS, Keys::All),
    row(
        "volumes[].ephemeral.volumeClaimTemplate.spec.storageClassName",
        "",
        STORAGE_CLASS,
        Keys::All,
    ),
    loose("subdomain", "", SERVICE),
];

/// Below the object, by kind.
const OBJECTS: &[(Kind, &[Row])] = &[
    (
        STATEFUL_SET,
        &[
            loose("spec.serviceName", "", SERVICE),
            row("spec.volumeClaimTemplates[].spec.storageClassName", "", STORAGE_CLASS, Keys::All),
        ],
    ),
    (CLAIM, &[row("spec.storageClassName", "", STORAGE_CLASS, Keys::All)]),
    (
        INGRESS,
        &[
            row("spec.defaultBackend.service", "name", SERVICE, Keys::All),
            row("spec.rules[].http.paths[].backend.service", "name", SERVICE, Keys::All),
            Row { missing: Missing::Made, ..row("spec.tls[]", "secretName", SECRET, TLS) },
            row("spec.ingressClassName", "", kinds::INGRESS_CLASS, Keys::All),
        ],
    ),
];

/// Annotations of Ingresses that name a Secret, as `name` or `namespace/name`.
const INGRESS_SECRETS: [&str; 5] = [
    "nginx.ingress.kubernetes.io/auth-secret",
    "nginx.ingress.kubernetes.io/auth-tls-secret",
    "nginx.ingress.kubernetes.io/proxy-ssl-secret",
    "haproxy.org/auth-secret",
    "ingress.kubernetes.io/auth-secret",
];

/// Everything that the object refers to by name, in the order of the tables. Roles and bindings
/// are followed by [`super::rbac`], selectors by [`super::traffic`].
pub(in crate::app) fn references(object: &Object, namespace: &str) -> Vec<Reference> {
    let mut found = Vec::new();
    let rollout = || kinds::is(object, custom::ROLLOUT).then_some("spec.template");
    if let Some(template) = kinds::pod_template(object).or_else(rollout) {
        let spec = kinds::below(template, "spec");
        for row in POD {
            collect(object, &format!("{spec}.{}", row.at), row, namespace, &mut found);
        }
    }
    let of_kind = OBJECTS.iter().filter(|(kind, _)| kinds::is(object, *kind));
    for row in of_kind.flat_map(|(_, rows)| *rows).chain(custom::rows(object)) {
        collect(object, row.at, row, namespace, &mut found);
    }
    custom::secret_refs(object, namespace, &mut found);
    if kinds::is(object, INGRESS) {
        INGRESS_SECRETS.iter().for_each(|key| annotation(object, key, namespace, &mut found));
        custom::middlewares(object, namespace, &mut found);
    }
    found
}

fn collect(object: &Object, at: &str, row: &Row, here: &str, found: &mut Vec<Reference>) {
    for (place, value) in path::find(object.fields(), at) {
        if row.typed && !custom::means(value, row.kind, here) {
            continue;
        }
        let (field, name) = if row.name.is_empty() {
            (place, value.as_str())
        } else {
            (place.key(row.name), value.get(row.name).and_then(Value::as_str))
        };
        // Traefik names what other providers have as `name@provider`.
        let elsewhere = |name: &str| row.typed && name.contains('@');
        let Some(name) = name.filter(|name| !name.is_empty() && !elsewhere(name)) else { continue };
        let may_be_optional = matches!(row.missing, Missing::BreaksUnlessOptional);
        let marked = value.get("optional").and_then(Value::as_bool) == Some(true);
        let optional = matches!(row.missing, Missing::Works) || (may_be_optional && marked);
        found.push(Reference {
            kind: row.kind,
            name: name.to_owned(),
            field: field.to_string(),
            optional,
            may_be_optional,
            needed: !optional && !matches!(row.missing, Missing::Made),
            keys: row.keys.of(value),
        });
    }
}

fn annotation(object: &Object, key: &str, here: &str, found: &mut Vec<Reference>) {
    let Some(text) = object.annotation(key) else { return };
    let (namespace, name) = text.split_once('/').unwrap_or((here, text));
    if namespace == here && !name.is_empty() {
        found.push(Reference {
            kind: SECRET,
            name: name.to_owned(),
            field: Path::default().key("metadata").key("annotations").key(key).to_string(),
            optional: false,
            may_be_optional: false,
            needed: true,
            keys: None,
        });
    }
}

impl Keys {
    fn of(&self, reference: &Value) -> Option<Vec<String>> {
        let key = |of: &Value| of.get("key").and_then(Value::as_str).map(str::to_owned);
        match self {
            Self::All => None,
            Self::Key => key(reference).map(|key| vec![key]),
            Self::Items => {
                let items = reference.get("items").and_then(Value::as_array)?;
                (!items.is_empty()).then(|| items.iter().filter_map(key).collect())
            }
            Self::These(keys) => Some(keys.iter().map(|key| (*key).to_owned()).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Vec<Reference> {
        references(&Object::new(value).unwrap(), "shop")
    }

    fn deployment(spec: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"template": {"spec": spec}}})
    }

    /// One row of the table and one case: field below the pod's spec, kind, name, keys.
    #[test]
    fn every_way_to_name_something_from_a_pod() {
        let keys = |keys: &[&str]| Some(keys.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>());
        for (spec, kind, optional, expected) in [
            (
                json!({"containers": [{"env": [{"name": "A", "valueFrom": {"configMapKeyRef":
                {"name": "x", "key": "k"}}}]}]}),
                "ConfigMap",
                false,
                keys(&["k"]),
            ),
            (
                json!({"initContainers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef":
                {"name": "x", "key": "k", "optional": true}}}]}]}),
                "Secret",
                true,
                keys(&["k"]),
            ),
            (
                json!({"containers": [{"envFrom": [{"configMapRef": {"name": "x"}}]}]}),
                "ConfigMap",
                false,
                None,
            ),
            (
                json!({"containers": [{"envFrom": [{"secretRef": {"name": "x"}}]}]}),
                "Secret",
                false,
                None,
            ),
            (
                json!({"volumes": [{"configMap": {"name": "x", "items": [{"key": "k"}]}}]}),
                "ConfigMap",
                false,
                keys(&["k"]),
            ),
            (
                json!({"volumes": [{"secret": {"secretName": "x", "optional": true}}]}),
                "Secret",
                true,
                None,
            ),
            (
                json!({"volumes": [{"projected": {"sources": [{"secret": {"name": "x",
                "items": [{"key": "a"}, {"key": "b"}]}}]}}]}),
                "Secret",
                false,
                keys(&["a", "b"]),
            ),
            (
                json!({"volumes": [{"projected": {"sources": [{"configMap": {"name": "x"}}]}}]}),
                "ConfigMap",
                false,
                None,
            ),
            (
                json!({"volumes": [{"persistentVolumeClaim": {"claimName": "x"}}]}),
                "PersistentVolumeClaim",
                false,
                None,
            ),
            (
                json!({"volumes": [{"csi": {"nodePublishSecretRef": {"name": "x"}}}]}),
                "Secret",
                false,
                None,
            ),
            (
                json!({"volumes": [{"csi": {"volumeAttributes": {"secretProviderClass": "x"}}}]}),
                "SecretProviderClass",
                false,
                None,
            ),
            (json!({"volumes": [{"azureFile": {"secretName": "x"}}]}), "Secret", false, None),
            (json!({"serviceAccountName": "x"}), "ServiceAccount", false, None),
            (json!({"priorityClassName": "x"}), "PriorityClass", false, None),
            (json!({"runtimeClassName": "x"}), "RuntimeClass", false, None),
            (
                json!({"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "x"}]}),
                "ResourceClaimTemplate",
                false,
                None,
            ),
            (
                json!({"volumes": [{"ephemeral": {"volumeClaimTemplate": {"spec":
                {"storageClassName": "x"}}}}]}),
                "StorageClass",
                false,
                None,
            ),
            (json!({"subdomain": "x"}), "Service", true, None),
        ] {
            let found = of(deployment(&spec));
            assert_eq!(found.len(), 1, "{spec}");
            let Reference { kind: (_, found_kind), name, keys, .. } = &found[0];
            assert_eq!((*found_kind, name.as_str()), (kind, "x"), "{spec}");
            assert_eq!((found[0].optional, keys), (optional, &expected), "{spec}");
        }
    }

    #[test]
    fn the_field_says_where() {
        let found = of(deployment(
            &json!({"volumes": [{"emptyDir": {}}, {"secret": {"secretName": "x"}}]}),
        ));
        assert_eq!(found[0].field, "spec.template.spec.volumes[1].secret.secretName");
    }

    #[test]
    fn an_ingress_names_services_and_certificates() {
        let found = of(json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "web", "annotations": {
                "nginx.ingress.kubernetes.io/auth-secret": "shop/basic",
                "nginx.ingress.kubernetes.io/auth-tls-secret": "other/ca"}},
            "spec": {"ingressClassName": "nginx", "tls": [{"secretName": "cert"}, {}],
                "defaultBackend": {"service": {"name": "fallback"}},
                "rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]}}));
        let names: Vec<_> = found.iter().map(|r| format!("{} {}", r.kind.1, r.name)).collect();
        assert_eq!(
            names,
            [
                "Service fallback",
                "Service web",
                "Secret cert",
                "IngressClass nginx",
                "Secret basic"
            ]
        );
    }
}
