//! A release whose chart is an export: what such a chart writes otherwise than it ran, so that an
//! export of the release gives the same chart.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_saphyr::options;

use super::written::written;
use super::{Lookup, RELEASE_NAME, Record, Release, Written};
use crate::app::{ContainerRef, Object, ObjectId};

/// The file by which exports are known.
const LOCK: &str = "images.lock";

/// Annotation of a chart that was rebuilt from a release: its templates are not ours.
const REBUILT: &str = "dev.outhaul.chart-from";

/// The line with which templates of ours name the release on every object.
const INSTANCE: &str = "app.kubernetes.io/instance: {{ .Release.Name | quote }}";

/// What the chart writes otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// Its images.
    #[serde(default)]
    pub images: Vec<ExportedImage>,
    /// Whether it puts the release's name on its objects, none of which had such a label.
    #[serde(default)]
    pub instance_label: bool,
    /// What it wrote of its objects, hooks included. In lists that servers take for one value, and
    /// of what helm 3 creates, nothing else tells that from defaults.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
}

/// An image of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedImage {
    /// The reference as it was written where the application ran.
    pub source: String,
    /// What it is.
    pub digest: String,
    /// What uses it, where the digest alone does not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<ContainerRef>,
}

#[derive(Deserialize)]
struct Lock {
    images: Vec<ExportedImage>,
}

impl Exported {
    /// What the chart of a record says, if it is an export.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let chart = &record.chart;
        let annotations = chart.metadata.get("annotations").and_then(Value::as_object);
        if annotations.is_some_and(|all| all.contains_key(REBUILT)) {
            return None;
        }
        let lock = chart.files.iter().find(|file| file.name == LOCK)?;
        // No snippets: they quote what a file holds.
        let options = options! { with_snippet: false, };
        let Lock { images } = serde_saphyr::from_slice_with_options(&lock.data, options).ok()?;
        let names_release = |text: &str| text.lines().any(|line| line.trim() == INSTANCE);
        let mut texts = chart.templates.iter().map(|file| String::from_utf8_lossy(&file.data));
        let instance_label = texts.any(|text| names_release(&text));
        let hooks = record.hooks.iter().map(|hook| hook.manifest.as_str());
        let manifests = std::iter::once(record.manifest.as_str()).chain(hooks);
        Some(Self { images, instance_label, written: written(manifests, &record.namespace) })
    }
}

/// A release that is installed here and whose chart is an export.
pub(in crate::app) struct Installed<'a> {
    release: &'a Release,
    exported: &'a Exported,
    written: HashMap<&'a ObjectId, &'a Map<String, Value>>,
}

impl<'a> Installed<'a> {
    pub(in crate::app) fn new(lookup: &'a Lookup) -> Option<Self> {
        let Lookup::Found(release) = lookup else { return None };
        let exported = release.exported.as_ref()?;
        let written = exported.written.iter().map(|of| (&of.object, &of.fields)).collect();
        Some(Self { release, exported, written })
    }

    /// What the chart wrote of an object.
    pub(in crate::app) fn written(&self, object: &ObjectId) -> Option<&'a Map<String, Value>> {
        self.written.get(object).copied()
    }

    /// Whether the object is the release's. Helm annotates all but hooks.
    pub(in crate::app) fn has(&self, object: &Object, id: &ObjectId) -> bool {
        object.annotation(RELEASE_NAME) == Some(&self.release.name) || self.written.contains_key(id)
    }

    /// See [`Exported::instance_label`].
    pub(in crate::app) const fn has_instance_label(&self) -> bool {
        self.exported.instance_label
    }

    /// What an image reference of the chart was where the application ran first. References that
    /// mean one image are told apart by where they stand.
    pub(in crate::app) fn source(&self, reference: &str, at: &ContainerRef) -> Option<&'a str> {
        let (_, digest) = reference.split_once('@')?;
        let mut images = self.exported.images.iter().filter(|image| image.digest == digest);
        let first = images.clone().next()?;
        let found = images.find(|image| image.uses.contains(at)).unwrap_or(first);
        Some(&found.source)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;
    use crate::app::helm::Choice;

    fn record(lock: &str, template: &str) -> Record {
        let data = |text: &str| STANDARD.encode(text);
        let record = json!({"name": "shop", "namespace": "web", "chart": {
            "files": [{"name": LOCK, "data": data(lock)}],
            "templates": [{"name": "templates/_helpers.tpl", "data": data(template)}]}});
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn an_export_is_known_by_its_lock_and_says_what_it_put_in() {
        let lock = "images: [{key: web, source: 'web:1', digest: 'sha256:ab', platforms: []}]\n";
        let exported = Exported::of(&record(lock, &format!("a: b\n  {INSTANCE}\n"))).unwrap();
        assert!(exported.images[0].source == "web:1" && exported.instance_label);
        assert!(!Exported::of(&record(lock, "a: b")).unwrap().instance_label);
        assert_eq!(Exported::of(&record("[", "")), None);
        let mut without = record(lock, "");
        without.chart.files.clear();
        assert_eq!(Exported::of(&without), None);
        let mut rebuilt = record(lock, "");
        rebuilt.chart.metadata.insert("annotations".into(), json!({REBUILT: "release"}));
        assert_eq!(Exported::of(&rebuilt), None);
    }

    #[test]
    fn references_to_one_image_are_told_apart_by_what_uses_them() {
        let at = |name: &str, pointer: &str| {
            json!({"object": {"group": "apps",
            "kind": "Deployment", "name": name}, "pointer": pointer, "container": "a"})
        };
        let lock = json!({"images": [
            {"source": "web:1", "digest": "sha256:ab", "uses": [at("x", "/a"), at("y", "/a")]},
            {"source": "web:2", "digest": "sha256:cd"},
            {"source": "web", "digest": "sha256:ab", "uses": [at("x", "/b")]}]});
        let record = record(&lock.to_string(), "");
        let choice = Choice { taken: super::super::Entry::new("a", None, None), newer: Vec::new() };
        let lookup = Lookup::Found(Box::new(Release::new(record, &choice)));
        let installed = Installed::new(&lookup).unwrap();
        for (reference, name, pointer, source) in [
            ("r.io/x@sha256:ab", "x", "/a", Some("web:1")),
            ("r.io/x@sha256:ab", "x", "/b", Some("web")),
            ("r.io/x@sha256:ab", "new", "/b", Some("web:1")),
            ("r.io/x@sha256:cd", "x", "/a", Some("web:2")),
            ("r.io/x@sha256:ef", "x", "/a", None),
            ("r.io/x:1", "x", "/a", None),
        ] {
            let at = serde_json::from_value(at(name, pointer)).unwrap();
            assert_eq!(installed.source(reference, &at), source, "{reference} {name} {pointer}");
        }
    }
}
