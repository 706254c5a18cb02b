//! What normalised objects need by name and do not bring: classes, issuers, gateways, definitions
//! of custom resources.

use std::collections::{BTreeMap, BTreeSet};

use super::Portability;
use super::definitions::Definitions;
use super::pods::Pod;
use super::volumes::claims;
use crate::app::graph::{CLUSTER_KINDS, references, shorten};
use crate::app::kinds::{self, Kind};
use crate::app::path;
use crate::app::view::View;
use crate::app::{Code, Finding, Object, ObjectId, Requirement};
use serde_json::Value;

/// Priority classes that are in every cluster.
const BUILTIN_PRIORITIES: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

/// A field of a kind that names an object which a chart of its own seldom brings.
struct Row {
    of: Kind,
    /// The mapping that holds the name, or the name itself. A mapping may say another kind, group
    /// and namespace.
    at: &'static str,
    names: Kind,
}

const fn row(of: Kind, at: &'static str, names: Kind) -> Row {
    Row { of, at, names }
}

const CERT_MANAGER: &str = "cert-manager.io";
const EXTERNAL_SECRETS: &str = "external-secrets.io";
const GATEWAY: &str = "gateway.networking.k8s.io";
const KEDA: &str = "keda.sh";

const ROWS: [Row; 16] = [
    row((CERT_MANAGER, "Certificate"), "spec.issuerRef", (CERT_MANAGER, "Issuer")),
    row((EXTERNAL_SECRETS, "ExternalSecret"), "spec.secretStoreRef", STORE),
    row((EXTERNAL_SECRETS, "ExternalSecret"), "spec.data|dataFrom[].sourceRef.storeRef", STORE),
    row((EXTERNAL_SECRETS, "PushSecret"), "spec.secretStoreRefs[]", STORE),
    row((GATEWAY, "GRPCRoute"), "spec.parentRefs[]", (GATEWAY, "Gateway")),
    row((GATEWAY, "Gateway"), "spec.gatewayClassName", (GATEWAY, "GatewayClass")),
    row((GATEWAY, "HTTPRoute"), "spec.parentRefs[]", (GATEWAY, "Gateway")),
    row((GATEWAY, "TCPRoute"), "spec.parentRefs[]", (GATEWAY, "Gateway")),
    row((GATEWAY, "TLSRoute"), "spec.parentRefs[]", (GATEWAY, "Gateway")),
    row((GATEWAY, "UDPRoute"), "spec.parentRefs[]", (GATEWAY, "Gateway")),
    row((KEDA, "ScaledJob"), "spec.triggers[].authenticationRef", TRIGGER),
    row((KEDA, "ScaledObject"), "spec.triggers[].authenticationRef", TRIGGER),
    row(kinds::CLAIM, "spec.volumeAttributesClassName", ATTRIBUTES),
    row(kinds::RESOURCE_CLAIM, "spec.devices.requests[].exactly.deviceClassName", DEVICES),
    row(
        kinds::RESOURCE_CLAIM_TEMPLATE,
        "spec.spec.devices.requests[].exactly.deviceClassName",
        DEVICES,
    ),
    row(
        ("snapshot.storage.k8s.io", "VolumeSnapshot"),
        "spec.volumeSnapshotClassName",
        ("snapshot.storage.k8s.io", "VolumeSnapshotClass"),
    ),
];

const ATTRIBUTES: Kind = ("storage.k8s.io", "VolumeAttributesClass");
const DEVICES: Kind = ("resource.k8s.io", "DeviceClass");
const DRIVER: Kind = ("storage.k8s.io", "CSIDriver");
const STORE: Kind = (EXTERNAL_SECRETS, "SecretStore");
const TRIGGER: Kind = (KEDA, "TriggerAuthentication");

/// Annotations that name such an object, on objects of any kind.
const ANNOTATIONS: [(&str, Kind); 4] = [
    ("cert-manager.io/cluster-issuer", (CERT_MANAGER, "ClusterIssuer")),
    ("cert-manager.io/issuer", (CERT_MANAGER, "Issuer")),
    (INGRESS_CLASS, kinds::INGRESS_CLASS),
    ("volume.beta.kubernetes.io/storage-class", kinds::STORAGE_CLASS),
];

/// The old way to say the class of an Ingress.
const INGRESS_CLASS: &str = "kubernetes.io/ingress.class";

/// What a target cluster must have for these objects.
pub(super) fn check(view: &View<'_>, objects: &[Object], found: &mut Portability) {
    let definitions = Definitions::new(view);
    let own: BTreeSet<ObjectId> = objects.iter().map(Object::id).collect();
    let mut needed: BTreeMap<ObjectId, Vec<&Object>> = BTreeMap::new();
    for object in objects {
        let named = classes(object).into_iter().chain(others(object, &view.snapshot.namespace));
        let named: BTreeSet<ObjectId> = named.chain(definitions.of(object)).collect();
        for of in named.into_iter().filter(|of| !own.contains(of)) {
            needed.entry(of).or_default().push(object);
        }
        definitions.versions(object, found);
    }
    for (object, users) in needed {
        let as_version = definitions.as_version(&object, &users);
        let users = shorten(users.iter().map(|user| user.id()));
        let remedy = "Make sure that the target cluster has it, or change the value.";
        let text = format!("{object} is needed by {users}{as_version}");
        let finding = Finding::new(Code::ClusterScopedRequired, text);
        found.findings.push(finding.on(object.clone()).remedy(remedy));
        let reason = format!("needed by {users}{as_version}; it belongs to the cluster");
        found.requirements.push(Requirement { object, reason });
    }
    default_classes(objects, found);
}

fn classes(object: &Object) -> Vec<ObjectId> {
    let named = references(object, "").into_iter().filter(|r| CLUSTER_KINDS.contains(&r.kind));
    let is_builtin = |name: &str| BUILTIN_PRIORITIES.contains(&name);
    named
        .filter(|r| r.kind != kinds::PRIORITY_CLASS || !is_builtin(&r.name))
        .map(|r| id(r.kind, r.name))
        .collect()
}

fn others(object: &Object, here: &str) -> Vec<ObjectId> {
    let rows = ROWS.iter().filter(|row| kinds::is(object, row.of));
    let mut named: Vec<ObjectId> = rows
        .flat_map(|row| {
            let found = path::find(object.fields(), row.at);
            let named = found.into_iter();
            let named = named.filter_map(move |(_, value)| named_by(value, row.names, here));
            named.filter(|of| !is_followed(of))
        })
        .collect();
    for (key, kind) in ANNOTATIONS {
        let name = object.annotation(key).filter(|name| !name.is_empty());
        named.extend(name.map(|name| issuer(object, id(kind, name.to_owned()))));
    }
    if let Some(pod) = Pod::of(object) {
        let drivers = pod.find("volumes[].csi.driver").into_iter();
        named.extend(drivers.filter_map(|(_, name)| Some(id(DRIVER, name.as_str()?.to_owned()))));
    }
    named
}

/// Whether it is of the application's own namespace: then it is taken, or missing, by
/// [`crate::app::graph`].
fn is_followed(of: &ObjectId) -> bool {
    const FOLLOWED: [Kind; 4] = [(CERT_MANAGER, "Issuer"), (GATEWAY, "Gateway"), STORE, TRIGGER];
    of.namespace.is_none() && FOLLOWED.contains(&(of.group.as_str(), of.kind.as_str()))
}

/// What a reference names: a mapping with a name, or the name.
fn named_by(value: &Value, (group, kind): Kind, here: &str) -> Option<ObjectId> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = value.as_str().or_else(|| text("name")).filter(|name| !name.is_empty())?;
    Some(ObjectId {
        group: text("group").unwrap_or(group).to_owned(),
        kind: text("kind").unwrap_or(kind).to_owned(),
        namespace: text("namespace").filter(|of| *of != here).map(str::to_owned),
        name: name.to_owned(),
    })
}

/// Further annotations say that an issuer is not one of cert-manager's own.
fn issuer(object: &Object, mut id: ObjectId) -> ObjectId {
    if id.kind == "Issuer" {
        let other = |key: &str| object.annotation(key).map(str::to_owned);
        id.kind = other("cert-manager.io/issuer-kind").unwrap_or(id.kind);
        id.group = other("cert-manager.io/issuer-group").unwrap_or(id.group);
    }
    id
}

/// Claims and Ingresses that leave the class to the cluster.
fn default_classes(objects: &[Object], found: &mut Portability) {
    let no_class = |object: &&Object| {
        let by_annotation = object.annotation("volume.beta.kubernetes.io/storage-class").is_some();
        !by_annotation
            && claims(object).iter().any(|(_, spec)| spec.get("storageClassName").is_none())
    };
    let claims = objects.iter().filter(no_class);
    default_class(kinds::STORAGE_CLASS.1, claims, found);
    let ingresses = objects.iter().filter(|object| {
        kinds::is(object, kinds::INGRESS)
            && object.at("/spec/ingressClassName").is_none()
            && object.annotation(INGRESS_CLASS).is_none()
    });
    default_class(kinds::INGRESS_CLASS.1, ingresses, found);
}

fn default_class<'a>(kind: &str, users: impl Iterator<Item = &'a Object>, found: &mut Portability) {
    let users: Vec<ObjectId> = users.map(Object::id).collect();
    if users.is_empty() {
        return;
    }
    let text = format!("no {kind} is named by {}: they get the default one", shorten(users.iter()));
    let remedy = "Make sure that the target has one, or name a class in the values.";
    found.findings.push(Finding::new(Code::DefaultClassRequired, text).remedy(remedy));
}

fn id((group, kind): Kind, name: String) -> ObjectId {
    ObjectId { group: group.to_owned(), kind: kind.to_owned(), namespace: None, name }
}
