//! The objects of an application as components.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::app::{App, Code, Finding, Object};
use crate::destination::eda::NAMESPACE;
use crate::destination::systems::{Document, Exported, File, Shipped, fill_secret, slug, unique};

/// Name of the file with Secrets to fill in. It is no component.
pub(super) const SECRETS: &str = "secrets.yaml";

/// Kinds in the order in which components are installed; others come last.
const ORDER: [&[&str]; 4] = [
    &["ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"],
    &["PersistentVolumeClaim"],
    &["Service"],
    &["Deployment", "StatefulSet", "DaemonSet"],
];

/// One file for each object, with its images as they were pushed and without pull secrets: the EDA
/// Store adds its own.
pub(super) fn components(exported: Exported<'_>, findings: &mut Vec<Finding>) -> Vec<File> {
    let app = exported.app;
    findings.extend(app.definitions.iter().map(|definition| {
        let text = "EDA takes definitions of custom resources for resources of its own";
        let remedy = "Apply it to the cluster before the application is installed.";
        Finding::new(Code::ApplicationFieldLost, text).on(definition.id()).remedy(remedy)
    }));
    let mut objects: Vec<&Object> = app.objects.iter().collect();
    objects.sort_by_key(|object| rank(object)); // stable: Helm's order within
    let names = objects.iter().map(|object| format!("{}-{}", object.kind(), object.name()));
    let names: Vec<String> = names.collect();
    let names = unique(names.iter().map(String::as_str));
    let mut settings = BTreeSet::new();
    let each = (1..).zip(&objects).zip(names);
    each.map(|((number, object), name)| {
        let document = component(object, exported.images, &mut settings);
        File::one(format!("crs/{number:02}-{name}.yaml"), document)
    })
    .collect()
}

fn rank(object: &Object) -> usize {
    ORDER.iter().position(|kinds| kinds.contains(&object.kind())).unwrap_or(ORDER.len())
}

fn component(object: &Object, images: &[Shipped], settings: &mut BTreeSet<String>) -> Document {
    let id = object.id();
    let mut value = Value::from(object.clone());
    for image in images {
        for place in image.uses.iter().filter(|place| place.object == id) {
            if place.pointer.is_empty() {
                continue;
            }
            let Some(field) = value.pointer_mut(&place.pointer) else { continue };
            match field.get_mut("image") {
                Some(image_field) => *image_field = pinned(image).into(),
                None => *field = pinned(image).into(),
            }
        }
    }
    match object.kind() {
        "ConfigMap" => {}
        "RoleBinding" | "ClusterRoleBinding" => subjects(&mut value),
        _ => without_pull_secrets(&mut value),
    }
    with_settings(Document::new(value), object, settings)
}

/// By tag as the Manifest says it, and by digest: Kubernetes takes the digest.
fn pinned(image: &Shipped) -> String {
    match image.tag {
        Some(_) => format!("{}@{}", image.tagged(), image.digest),
        None => image.pinned(),
    }
}

fn without_pull_secrets(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("imagePullSecrets");
            map.values_mut().for_each(without_pull_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(without_pull_secrets),
        _ => {}
    }
}

/// Kubernetes asks for the namespace of an account, and an export leaves its own out.
fn subjects(value: &mut Value) {
    let subjects = value.get_mut("subjects").and_then(Value::as_array_mut);
    for subject in subjects.into_iter().flatten().filter(|of| of["kind"] == "ServiceAccount") {
        if subject["namespace"].is_null() {
            subject["namespace"] = NAMESPACE.into();
        }
    }
}

/// The number of copies is a setting of the installation ("Adding App Settings": `# app-set:` behind
/// the line, which `edabuilder generate appsettings` collects), each one another.
fn with_settings(document: Document, object: &Object, taken: &mut BTreeSet<String>) -> Document {
    let Some(replicas) = object.at("/spec/replicas").and_then(Value::as_u64) else {
        return document;
    };
    let words = slug(object.name());
    let mut words = words.split('-');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(rest);
    }
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let name = names.find(|name| taken.insert(name.clone())).unwrap_or(name);
    document.behind(format!("  replicas: {replicas}"), format!("app-set: ${{{name}Replicas}}"))
}

/// The Secrets that must be there, with placeholders for what is not to be written.
pub(super) fn secrets(exported: Exported<'_>) -> Option<File> {
    let App { secrets, .. } = exported.app;
    let documents = secrets.iter().filter(|secret| !secret.is_filled()).map(|secret| {
        let data: Map<String, Value> = secret
            .keys
            .iter()
            .map(|key| (key.clone(), fill_secret(exported.secrets, &secret.name, key).into()))
            .collect();
        let kind = secret.secret_type.as_deref().unwrap_or("Opaque");
        Document::new(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": kind,
            "metadata": {"name": secret.name, "namespace": NAMESPACE},
            "stringData": data,
        }))
        .comment("Fill in the values.")
    });
    let documents: Vec<Document> = documents.collect();
    (!documents.is_empty()).then(|| File { path: SECRETS.to_owned(), documents })
}
