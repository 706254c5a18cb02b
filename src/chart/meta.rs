//! `Chart.yaml`, the same as the config of the OCI artefact, and the manifest's annotations.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::input::{Image, Input};
use super::manifest::{counted, reference};
use super::yaml::{Node, Row, document};
use crate::app::App;
use crate::chart::keys::pod_spec;

/// Annotations by which tools find the images of a chart: dt and charts-syncer, Helm's proposal.
const IMAGE_LISTS: [&str; 2] = ["images", "helm.sh/images"];

/// The same for Artifact Hub, which knows platforms too (artifacthub.io, "Helm annotations").
const ARTIFACT_HUB: &str = "artifacthub.io/images";

/// Label that says which version of the application an object is.
const VERSION_LABEL: &str = "app.kubernetes.io/version";

/// Prefix of the annotations that OCI defines.
const OCI: &str = "org.opencontainers.image";

/// The metadata of a chart.
#[derive(Clone, Debug)]
pub struct Meta {
    name: String,
    version: String,
    app_version: Option<String>,
    description: String,
    annotations: BTreeMap<String, String>,
}

impl Meta {
    /// The metadata of the chart that `input` describes.
    pub fn new(input: &Input<'_>) -> Self {
        let mut annotations = input.annotations.clone();
        if !input.images.is_empty() {
            let list = image_list(&input.images, false);
            annotations.extend(IMAGE_LISTS.map(|key| (key.to_owned(), list.clone())));
            annotations.insert(ARTIFACT_HUB.to_owned(), image_list(&input.images, true));
        }
        Self {
            name: input.name.clone(),
            version: input.version.to_string(),
            app_version: app_version(input),
            description: description(input),
            annotations,
        }
    }

    /// In a sentence, what the chart is.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The annotations of `Chart.yaml`.
    pub const fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// `Chart.yaml`, in the order that people write it.
    pub fn to_yaml(&self) -> String {
        let text = |text: &str| Node::str(text);
        let mut rows = vec![
            Row::field("apiVersion", text("v2")),
            Row::field("name", text(&self.name)),
            Row::field("description", text(&self.description)),
            Row::field("type", text("application")),
            Row::field("version", text(&self.version)),
        ];
        rows.extend(self.app_version.iter().map(|it| Row::field("appVersion", text(it))));
        if !self.annotations.is_empty() {
            let annotations = self.annotations.iter().map(|(key, value)| (key, text(value)));
            rows.push(Row::field("annotations", Node::map(annotations)));
        }
        document(&Node::Map(rows))
    }

    /// The config of the OCI artefact: the same in the order of Helm's struct, empty fields left
    /// out (helm, `pkg/chart/v2/metadata.go`).
    pub fn to_config(&self) -> Vec<u8> {
        let mut fields = Map::new();
        let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
        set("name", json!(self.name));
        set("version", json!(self.version));
        set("description", json!(self.description));
        set("apiVersion", json!("v2"));
        if let Some(version) = &self.app_version {
            set("appVersion", json!(version));
        }
        if !self.annotations.is_empty() {
            set("annotations", json!(self.annotations));
        }
        set("type", json!("application"));
        Value::Object(fields).to_string().into_bytes()
    }

    /// The annotations of the OCI manifest, as `helm push` makes them: those of `Chart.yaml` win,
    /// but for title and version; blank ones of our own are skipped
    /// (helm, `pkg/registry/chart.go`).
    pub fn to_annotations(&self, created: &str) -> BTreeMap<String, String> {
        let own = [
            ("description", self.description.as_str()),
            ("title", &self.name),
            ("version", &self.version),
            ("created", created),
        ];
        let own = own.into_iter().filter(|(_, value)| !value.trim().is_empty());
        let mut annotations: BTreeMap<String, String> =
            own.map(|(key, value)| (format!("{OCI}.{key}"), value.to_owned())).collect();
        let fixed = [format!("{OCI}.title"), format!("{OCI}.version")];
        let copied = self.annotations.iter().filter(|(key, _)| !fixed.contains(key));
        annotations.extend(copied.map(|(key, value)| (key.clone(), value.clone())));
        annotations
    }
}

/// The images as the list that the annotations hold: YAML in a string.
fn image_list(images: &[Image], with_platforms: bool) -> String {
    document(&Node::list(images.iter().map(|image| {
        let mut entry =
            vec![("name", Node::str(image.key.as_str())), ("image", Node::Str(reference(image)))];
        if with_platforms && !image.platforms.is_empty() {
            let platforms = image.platforms.iter().map(|platform| Node::str(platform.as_str()));
            entry.push(("platforms", Node::list(platforms)));
        }
        Node::map(entry)
    })))
}

/// The version of the application, where its objects agree on one, or the tag of its only image.
fn app_version(input: &Input<'_>) -> Option<String> {
    let labels = input.app.objects.iter().filter_map(|object| object.label(VERSION_LABEL));
    agreed(labels).or_else(|| agreed(input.images.iter().filter_map(|image| source_tag(image))))
}

/// What all are, if they are one.
fn agreed<'a>(mut texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let first = texts.next()?;
    texts.all(|text| text == first).then(|| first.to_owned())
}

/// The tag of the reference that the source used. The tag in the chart names a digest, too.
fn source_tag(image: &Image) -> Option<&str> {
    let name = image.source.split('@').next()?;
    let (_, tag) = name.rsplit_once(':')?;
    (!tag.contains('/')).then_some(tag)
}

fn description(input: &Input<'_>) -> String {
    let App { name, objects, .. } = input.app;
    let workloads = objects.iter().filter(|object| pod_spec(object).is_some()).count();
    format!(
        "The application {name}: {} and {}, pinned by digest",
        counted(workloads, "workload"),
        counted(input.images.len(), "image")
    )
}
