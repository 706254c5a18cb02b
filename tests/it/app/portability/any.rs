//! Whatever stands in the fields that are looked at: nobody stumbles over it.

use outhaul::app::{Object, Options, Origin, Selection, assemble};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::snapshot;

/// Kinds that have rules, and one that has none.
const KINDS: [(&str, &str); 12] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("cert-manager.io/v1", "Certificate"),
    ("example.org/v1", "Thing"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Pod"),
    ("v1", "Service"),
];

/// Names of fields on the way to what is looked at.
const FIELDS: [&str; 30] = [
    "accessModes",
    "affinity",
    "annotations",
    "args",
    "capabilities",
    "containers",
    "data",
    "env",
    "externalName",
    "from",
    "hostNetwork",
    "hostPath",
    "ingress",
    "ipBlock",
    "issuerRef",
    "key",
    "kubernetes.io/metadata.name",
    "matchLabels",
    "name",
    "namespaceSelector",
    "nodeSelector",
    "parentRefs",
    "ports",
    "resources",
    "securityContext",
    "spec",
    "template",
    "tolerations",
    "value",
    "volumes",
];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z.:/{}]{0,12}|(ü|é|\\.)?(db|a)?\\.(shop|x)\\.svc.?".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 4, |inner| {
        let field = prop::sample::select(&FIELDS[..]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field, inner), 0..5).prop_map(|fields| {
                let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(fields.collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_object_can_be_looked_at(
        (api_version, kind) in prop::sample::select(&KINDS[..]),
        spec in anything(), annotations in anything(), data in anything(), rewrite in any::<bool>(),
    ) {
        // A pod's spec where the kind has one, else the same again: rules look there.
        let spec = json!({"template": {"metadata": {"annotations": annotations}, "spec": spec},
            "jobTemplate": {"spec": {"template": {"spec": spec}}}, "ingress": [spec],
            "issuerRef": spec, "parentRefs": [spec], "containers": [spec], "volumes": [spec]});
        let object = json!({"apiVersion": api_version, "kind": kind, "spec": spec, "data": data,
            "metadata": {"name": "db", "annotations": annotations}});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}});
        let objects = [object, service].map(|of| Object::new(of).unwrap());
        let all = Selection::All { name: "x".to_owned() };
        let options = Options { rewrite_namespace: rewrite, ..Options::default() };
        let app = assemble(&snapshot(Origin::Manifests, objects), &all, &options).unwrap();
        for finding in &app.findings {
            prop_assert!(!finding.text.is_empty() && !finding.text.contains("\n"), "{:?}", finding);
        }
        for place in &app.rewrites {
            let object = app.objects.iter().find(|of| of.id() == place.object).unwrap();
            let text = object.text(&place.pointer).unwrap();
            for at in &place.offsets {
                prop_assert!(text[*at..].starts_with("shop"), "{} at {}", text, at);
            }
        }
    }
}
