//! A release whose chart is an export: what such a chart writes otherwise than it ran, so that an
//! export of the release gives the same chart.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::options;

use super::ChartRecord;

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
}

/// An image of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedImage {
    /// The reference as it was written where the application ran.
    pub source: String,
    /// What it is.
    pub digest: String,
}

#[derive(Deserialize)]
struct Lock {
    images: Vec<ExportedImage>,
}

impl Exported {
    /// What the chart of a record says, if it is an export.
    pub(super) fn of(chart: &ChartRecord) -> Option<Self> {
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
        Some(Self { images, instance_label: texts.any(|text| names_release(&text)) })
    }

    /// What an image reference of the chart was where the application ran first.
    pub(in crate::app) fn source(&self, reference: &str) -> Option<&str> {
        let (_, digest) = reference.split_once('@')?;
        let found = self.images.iter().find(|image| image.digest == digest)?;
        Some(&found.source)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::helm::ChartFile;

    fn chart(lock: &str, template: &str) -> ChartRecord {
        let file = |name: &str, text: &str| ChartFile { name: name.into(), data: text.into() };
        ChartRecord {
            files: vec![file(LOCK, lock)],
            templates: vec![file("templates/_helpers.tpl", template)],
            ..ChartRecord::default()
        }
    }

    #[test]
    fn an_export_is_known_by_its_lock_and_says_what_it_put_in() {
        let lock = "images: [{key: web, source: 'web:1', digest: 'sha256:ab', platforms: []}]\n";
        let exported = Exported::of(&chart(lock, &format!("a: b\n  {INSTANCE}\n"))).unwrap();
        assert_eq!(exported.source("r.io/x@sha256:ab"), Some("web:1"));
        assert_eq!((exported.source("r.io/x:1"), exported.instance_label), (None, true));
        assert!(!Exported::of(&chart(lock, "a: b")).unwrap().instance_label);
        assert_eq!(Exported::of(&chart("[", "")), None);
        assert_eq!(Exported::of(&ChartRecord::default()), None);
        let mut rebuilt = chart(lock, "");
        rebuilt.metadata.insert("annotations".into(), json!({REBUILT: "release"}));
        assert_eq!(Exported::of(&rebuilt), None);
    }
}
