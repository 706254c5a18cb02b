//! Definitions of the application's custom resources, for a chart that brings them along in
//! `crds/`: as a person would write them, without what the API server filled in.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::normalize::{self, Context};
use super::view::{Entry, View};
use super::{Code, Finding, Object, ObjectId, kinds};

const DEFINITION: kinds::Kind = ("apiextensions.k8s.io", "CustomResourceDefinition");

/// What was found.
#[derive(Default)]
pub(super) struct Definitions {
    /// Those that the application's objects need and that were read, in order of name.
    pub(super) objects: Vec<Object>,
    pub(super) findings: Vec<Finding>,
}

impl Definitions {
    /// Whether the chart brings this object along.
    pub(super) fn include(&self, id: &ObjectId) -> bool {
        (id.group.as_str(), id.kind.as_str()) == DEFINITION
            && self.objects.iter().any(|object| object.name() == id.name)
    }
}

/// The definitions of the kinds of these objects.
pub(super) fn definitions(view: &View<'_>, objects: &[Object]) -> Definitions {
    let custom = objects.iter().filter(|object| !kinds::is_builtin(object));
    let used: BTreeSet<_> = custom.map(|object| (object.group(), object.kind())).collect();
    let mut found = Definitions::default();
    for (_, entry) in view.of_kind(DEFINITION).filter(|(_, entry)| !entry.excluded) {
        let of = entry.object.text("/spec/group").zip(entry.object.text("/spec/names/kind"));
        if of.is_some_and(|of| used.contains(&of)) {
            found.findings.extend(findings(entry));
            found.objects.push(written(view, entry));
        }
    }
    found
}

fn findings(entry: &Entry<'_>) -> Vec<Finding> {
    let id = entry.id.clone();
    let text = format!("helm creates {id} where it is absent, and never changes or deletes it");
    let remedy = "Install what works with its resources first, or apply newer definitions by hand.";
    let mut all = vec![Finding::new(Code::CrdIncluded, text).on(id.clone()).remedy(remedy)];
    if let Some(service) = entry.object.at("/spec/conversion/webhook/clientConfig/service") {
        let text = |key: &str| service.get(key).and_then(Value::as_str).unwrap_or_default();
        let text = format!(
            "{id} needs Service {}/{}, which converts between its versions",
            text("namespace"),
            text("name")
        );
        let finding = Finding::new(Code::ClusterScopedRequired, text).on(id);
        let finding = finding.field("spec.conversion.webhook.clientConfig.service");
        all.push(finding.remedy("Install the operator that it belongs to first."));
    }
    all
}

/// Without server fields, defaults and the certificate that something injected.
fn written(view: &View<'_>, entry: &Entry<'_>) -> Object {
    let namespace = &view.snapshot.namespace;
    let context = Context::of(namespace);
    let mut object = normalize::normalise(entry.object, context).object;
    if let Some(Value::Object(spec)) = object.fields_mut().get_mut("spec") {
        if spec.get("preserveUnknownFields") == Some(&Value::Bool(false)) {
            spec.remove("preserveUnknownFields");
        }
        conversion(spec);
    }
    object
}

fn conversion(spec: &mut Map<String, Value>) {
    let Some(conversion) = spec.get_mut("conversion") else { return };
    if conversion.get("strategy").and_then(Value::as_str) == Some("None") {
        spec.remove("conversion");
    } else if let Some(Value::Object(client)) = conversion.pointer_mut("/webhook/clientConfig") {
        client.remove("caBundle");
    }
}
