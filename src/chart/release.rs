//! How large a release of the chart becomes: Helm keeps it, chart and all, in one Secret.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Chart;
use super::archive::gzip;

/// Most bytes of one Secret (`MaxSecretSize`, kubernetes, `pkg/apis/core/types.go`).
pub const LARGEST_RELEASE: usize = 1 << 20;

impl Chart {
    /// About how many bytes Helm's Secret of a release has: JSON, packed, in base64 (helm,
    /// `pkg/storage/driver/util.go`). The templates stand for what they render.
    pub fn release_bytes(&self) -> usize {
        let (mut templates, mut files, mut manifest) = (Vec::new(), Vec::new(), String::new());
        let mut parts = BTreeMap::new();
        for (path, bytes) in &self.files {
            let data = STANDARD.encode(bytes);
            match path.as_str() {
                "Chart.yaml" => {}
                "values.yaml" => _ = parts.insert("values", Value::from(text(bytes))),
                "values.schema.json" => _ = parts.insert("schema", data.into()),
                path if path.starts_with("templates/") => {
                    templates.push(json!({"name": path, "data": data}));
                    manifest.push_str(&text(bytes));
                }
                path => files.push(json!({"name": path, "data": data})),
            }
        }
        parts.insert("metadata", text(&self.config).into());
        parts.insert("templates", templates.into());
        parts.insert("files", files.into());
        let release = json!({"chart": parts, "manifest": manifest});
        gzip(release.to_string().as_bytes()).len().div_ceil(3) * 4
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
