//! The chart of the server, and the plain manifests that are made of it.

mod chart;

use std::path::Path;

use outhaul::chart::Chart;
use outhaul::chart::render::{Manifest, Release, render};
use serde_json::{Value, json};

use crate::chart::public::chart_in;

/// The release that the plain manifests are.
const RELEASE: Release<'static> = Release { name: "outhaul", namespace: "outhaul-system" };

/// Templates of the policy, which has a folder of its own.
const POLICY: &str = "templates/policy.yaml";

/// The namespace of the release. Its pods pass the strictest of the Pod Security Standards.
const NAMESPACE: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: outhaul-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
";

/// `charts/outhaul`
pub(crate) fn the_chart() -> Chart {
    chart_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/outhaul"))
}

/// What is under `deploy/`: the policy, and all the rest.
pub(crate) fn plain() -> (String, String) {
    let all = rendered(&json!({}));
    let (policy, rest): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|manifest| manifest.path.ends_with(POLICY));
    (as_yaml("", policy), as_yaml(NAMESPACE, rest))
}

/// What the chart renders with these values, its definitions left out.
pub(crate) fn rendered(values: &Value) -> Vec<Manifest> {
    let mut all = render(&the_chart(), RELEASE, values).unwrap();
    all.retain(|manifest| !manifest.path.contains("crds/"));
    all
}

/// Manifests as YAML, below what stands first.
pub(crate) fn as_yaml(first: &str, manifests: Vec<Manifest>) -> String {
    let documents = manifests.into_iter().map(|manifest| {
        // Nothing of helm's is there where helm is not.
        let mut object = Value::from(manifest.object);
        let labels = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut);
        if let Some(labels) = labels {
            labels.shift_remove("helm.sh/chart");
            labels.shift_remove("app.kubernetes.io/managed-by");
        }
        serde_saphyr::to_string(&object).unwrap()
    });
    let first = std::iter::once(first.to_owned()).filter(|first| !first.is_empty());
    let documents: Vec<String> = first.chain(documents).collect();
    format!("# Made from charts/outhaul by `make generate`.\n{}", documents.join("---\n"))
}
