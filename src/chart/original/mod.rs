//! The chart that a Helm release was installed from, rebuilt from helm's record of it: templates,
//! files and schema as they were; values as coalesced, without their comments and order, which helm
//! does not keep (helm, `pkg/release/v1/release.go`). What the record lost, or what cannot be
//! proved, is a reason not to use it.
//!
//! ```text
//!  Record ─ render ─► as helm rendered it? (`proof`) ─ pin ─► images by values, and nothing else
//! ```

mod drift;
mod installed;
mod pin;
mod proof;
mod secrets;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::build::check_name;
use super::input::{Chart, Error, Image, Input};
use super::meta::Meta;
use super::render::{self, Release, coalesce};
use super::yaml::{Node, document};
use super::{lock, manifest};
use crate::app::helm::Record;
use crate::app::{App, SecretsPolicy};

pub use drift::is_changed;
pub use installed::{archive, given_values};
pub use proof::{IMAGE, VERSION};

use proof::Objects;

/// Annotation of a chart that was rebuilt: `release`.
pub const CHART_FROM: &str = "dev.outhaul.chart-from";

const VALUES: &str = "values.yaml";
const SCHEMA: &str = "values.schema.json";
const README: &str = "README.md";
const LOCK: &str = "images.lock";

/// Why the chart of a release cannot be used, in part of a sentence. Values are not in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// A chart that renders what helm installed, with its images pinned.
#[derive(Clone)]
pub struct Original {
    record: Arc<Record>,
    files: BTreeMap<String, Vec<u8>>,
    objects: Objects,
}

/// What is needed besides the record.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The application, as it runs.
    pub app: &'a App,
    /// Its images, where they will be.
    pub images: &'a [Image],
    /// What may become of Secrets.
    pub secrets: SecretsPolicy,
    /// The version that the chart gets, or one like it.
    pub version: &'a semver::Version,
}

/// The chart's own name.
pub fn name(record: &Record) -> &str {
    record.chart.metadata.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// Everything of the record that decides the chart's content, for a digest.
pub fn identity(record: &Record) -> Value {
    let files = |files: &[crate::app::helm::ChartFile]| -> Vec<Value> {
        files.iter().map(|file| json!({"name": file.name, "data": file.data})).collect()
    };
    let chart = &record.chart;
    json!({
        "metadata": chart.metadata,
        "templates": files(&chart.templates),
        "files": files(&chart.files),
        "schema": chart.schema,
        "values": values(record),
    })
}

/// Whether the chart was rebuilt from a release, by what its configuration says.
pub fn is_original(chart: &Chart) -> bool {
    let config: Value = serde_json::from_slice(&chart.config).unwrap_or_default();
    config["annotations"][CHART_FROM] == "release"
}

/// Rebuilds the chart of a release and pins its images.
///
/// # Errors
/// When anything of it is lost, must not be published, or does not render as it should.
pub fn rebuild(record: &Arc<Record>, wanted: Wanted<'_>) -> Result<Original, Unusable> {
    check_metadata(record)?;
    let values = values(record);
    let mut files = files(record, &values)?;
    files.remove(LOCK); // ours is written anew
    if wanted.secrets != SecretsPolicy::Include {
        secrets::check_texts(&values, &files)?;
    }
    let version = text(record, "version");
    let base = chart(record, files.clone(), version, &Map::new())?;
    let objects = render(record, &base, &json!({}))?;
    proof::check(record, &objects)?;
    proof::check_app(record, &objects, wanted.app)?;
    secrets::check_objects(wanted, &objects)?;
    let rendered = |over: &Value| render(record, &base, over);
    let values = pin::pin(record, wanted, &objects, values, &rendered)?;
    files.insert(VALUES.to_owned(), yaml(&values));
    let original = Original { record: Arc::clone(record), files, objects };
    // The same under the name of another version, which labels hold.
    let probe = chart(record, original.files.clone(), &wanted.version.to_string(), &Map::new())?;
    let found =
        original.compare(&render(record, &probe, &json!({}))?, wanted.version, wanted.images);
    match found.differences.first() {
        None => Ok(original),
        Some(difference) => Err(unusable(format!("with pinned images {}", difference.sentence()))),
    }
}

impl Original {
    /// What it was rebuilt from.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The chart: the original's files with our version, annotations and lock.
    ///
    /// # Errors
    /// When the name is none that we give charts.
    pub fn build(&self, input: &Input<'_>) -> Result<Chart, Error> {
        check_name(&input.name)?;
        let meta = Meta::new(input);
        let mut annotations = self.annotations();
        annotations.extend(meta.annotations().clone());
        annotations.insert(CHART_FROM.to_owned(), "release".to_owned());
        let annotations = annotations.into_iter().map(|(key, text)| (key, text.into())).collect();
        let mut files = self.files.clone();
        files.insert(LOCK.to_owned(), lock::lock(&input.images).into_bytes());
        files.insert(README.to_owned(), self.readme());
        if input.secrets == SecretsPolicy::Reference && !input.app.secrets.is_empty() {
            let example = manifest::example(input.app);
            files.insert("secrets.example.yaml".to_owned(), example.into_bytes());
        }
        let version = input.version.to_string();
        let mut chart = chart(&self.record, files, &version, &annotations)
            .map_err(|_| Error::Name(input.name.clone()))?;
        chart.annotations = meta.to_annotations(&input.created);
        chart.annotations.insert(CHART_FROM.to_owned(), "release".to_owned());
        Ok(chart)
    }

    /// What the finished chart gives back of the release.
    ///
    /// # Errors
    /// When it does not render.
    pub fn fidelity(
        &self,
        chart: &Chart,
        images: &[Image],
    ) -> Result<super::check::Fidelity, render::RenderError> {
        let rendered = proof::objects(render::render(chart, release(&self.record), &json!({}))?);
        Ok(self.compare(&rendered, &chart.version, images))
    }

    fn compare(
        &self,
        rendered: &Objects,
        version: &semver::Version,
        images: &[Image],
    ) -> super::check::Fidelity {
        let versions = (text(&self.record, "version").to_owned(), version.to_string());
        proof::compare(&self.objects, rendered, &versions, images)
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let found = self.record.chart.metadata.get("annotations").and_then(Value::as_object);
        let texts = found.into_iter().flatten();
        texts.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned()))).collect()
    }

    /// The chart's own README under a note that says what this is.
    fn readme(&self) -> Vec<u8> {
        let note = format!(
            "> Rebuilt by Outhaul from the Helm release `{}` (chart {} {}), with images pinned by \
             digest and the release's values as defaults; the comments of `values.yaml` are lost.\n\n",
            self.record.name,
            name(&self.record),
            text(&self.record, "version"),
        );
        let mut readme = note.into_bytes();
        readme.extend(self.files.get(README).into_iter().flatten());
        readme
    }
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").field("record", &self.record).finish_non_exhaustive()
    }
}

fn unusable(reason: impl Into<String>) -> Unusable {
    Unusable(reason.into())
}

fn text<'a>(record: &'a Record, key: &str) -> &'a str {
    record.chart.metadata.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn check_dependencies(record: &Record) -> Result<(), Unusable> {
    let dependencies = record.chart.metadata.get("dependencies");
    if dependencies.is_some_and(|of| of.as_array().is_none_or(|of| !of.is_empty())) {
        return Err(unusable("the chart has dependencies, whose templates helm does not record"));
    }
    Ok(())
}

fn check_metadata(record: &Record) -> Result<(), Unusable> {
    check_dependencies(record)?;
    if check_name(name(record)).is_err() {
        return Err(unusable("the chart has a name that exports cannot have"));
    }
    if semver::Version::parse(text(record, "version")).is_err() {
        return Err(unusable("the chart has no version"));
    }
    Ok(())
}

/// The files of the chart but for `Chart.yaml`, with `values` as its own.
fn files(record: &Record, values: &Value) -> Result<BTreeMap<String, Vec<u8>>, Unusable> {
    /// What is written anew, or belongs to dependencies.
    const OWN: [&str; 2] = ["Chart.yaml", "Chart.lock"];
    let mut files = BTreeMap::from([(VALUES.to_owned(), yaml(values))]);
    for file in record.chart.templates.iter().chain(&record.chart.files) {
        let outside = |part: &str| part.is_empty() || part == "." || part == "..";
        if file.name.contains(['\\', '\0']) || file.name.split('/').any(outside) {
            return Err(unusable("a file of the chart has a path that leads out of it"));
        }
        if file.name.starts_with("charts/") || file.name == "requirements.yaml" {
            return Err(unusable(
                "the chart has dependencies, whose templates helm does not record",
            ));
        }
        if !OWN.contains(&&*file.name) && file.name != VALUES {
            files.insert(file.name.clone(), file.data.clone());
        }
    }
    if !record.chart.schema.is_empty() {
        files.insert(SCHEMA.to_owned(), record.chart.schema.clone());
    }
    Ok(files)
}

fn values(record: &Record) -> Value {
    let mut values = Value::Object(record.chart.values.clone());
    coalesce(&mut values, &Value::Object(record.config.expose().clone()));
    values
}

fn yaml(value: &Value) -> Vec<u8> {
    document(&Node::from(value)).into_bytes()
}

fn chart(
    record: &Record,
    mut files: BTreeMap<String, Vec<u8>>,
    version: &str,
    annotations: &Map<String, Value>,
) -> Result<Chart, Unusable> {
    let mut metadata = record.chart.metadata.clone();
    metadata.insert("version".to_owned(), version.into());
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), Value::Object(annotations.clone()));
    }
    let metadata = Value::Object(metadata);
    files.insert("Chart.yaml".to_owned(), yaml(&metadata));
    Ok(Chart {
        name: name(record).to_owned(),
        version: version.parse().map_err(|_| unusable("the chart has no version"))?,
        files,
        config: metadata.to_string().into_bytes(),
        annotations: BTreeMap::new(),
    })
}

fn release(record: &Record) -> Release<'_> {
    Release { name: &record.name, namespace: &record.namespace }
}

fn render(record: &Record, chart: &Chart, over: &Value) -> Result<Objects, Unusable> {
    render::render(chart, release(record), over).map(proof::objects).map_err(|error| {
        let error = error.to_string();
        // The words of a template that gives up may hold values.
        let own = [" fail: ", " required: "].iter().filter_map(|it| error.find(it)).min();
        unusable(format!("it cannot be checked: {}", &error[..own.unwrap_or(error.len())]))
    })
}

#[cfg(test)]
mod tests;
