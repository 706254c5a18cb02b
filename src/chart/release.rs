//! How large a release of the chart becomes: Helm keeps it, chart and all, in one Secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::archive::gzip;
use super::yaml::{Node, document};
use super::{Chart, Input};
use crate::app::SecretsPolicy;

/// Most bytes of one Secret (`MaxSecretSize`, kubernetes, `pkg/apis/core/types.go`).
pub const LARGEST_RELEASE: usize = 1 << 20;

/// Labels and annotations that Helm and the chart put on each object, as they stand in the manifest
/// and pack: about as much as these.
const LABELS: &str = "helm.sh/chart: CHART\napp.kubernetes.io/instance: RELEASE\n\
                      app.kubernetes.io/managed-by: Helm\n";

impl Chart {
    /// About how many bytes Helm's Secret of a release has, within a few hundredths: the release as
    /// JSON, packed, in base64 (helm, `pkg/release/v1/release.go` and `pkg/storage/driver/util.go`).
    /// `input` is what the chart was built from: its objects stand for what the templates render.
    pub fn release_bytes(&self, input: &Input<'_>) -> usize {
        let data = |bytes: &[u8]| Value::from(STANDARD.encode(bytes));
        let (mut templates, mut files) = (Vec::new(), Vec::new());
        let (mut values, mut schema, mut notes) = (Value::Null, Value::Null, String::new());
        for (path, bytes) in &self.files {
            match path.as_str() {
                "Chart.yaml" => {}
                "values.yaml" => values = read(bytes),
                "values.schema.json" => schema = data(bytes),
                path if path.starts_with("templates/") => {
                    if path.ends_with(".txt") {
                        notes = text(bytes);
                    }
                    templates.push(json!({"name": path, "data": data(bytes)}));
                }
                path => files.push(json!({"name": path, "data": data(bytes)})),
            }
        }
        // In Helm's order: what stands near its like packs better.
        let chart = json!({
            "metadata": serde_json::from_slice::<Value>(&self.config).unwrap_or_default(),
            "lock": null,
            "templates": templates,
            "values": values,
            "schema": schema,
            "files": files,
        });
        let release = json!({
            "name": self.name,
            "info": {"notes": notes},
            "chart": chart,
            "manifest": manifest(input),
        });
        gzip(release.to_string().as_bytes()).len().div_ceil(3) * 4
    }
}

/// What the templates render, nearly.
fn manifest(input: &Input<'_>) -> String {
    let mut manifest = String::new();
    let mut add = |object: &Value| {
        manifest.push_str("---\n# Source: templates\n");
        manifest.push_str(&document(&Node::from(object)));
        manifest.push_str(LABELS);
    };
    for object in &input.app.objects {
        add(&object.clone().into());
    }
    let included = input.secrets == SecretsPolicy::Include;
    for (name, values) in input.secret_values.0.iter().filter(|_| included) {
        let encoded = |bytes: &[u8]| Value::from(STANDARD.encode(bytes));
        let data: Map<String, Value> = values
            .iter()
            .map(|(key, value)| (key.clone(), encoded(value.expose_secret())))
            .collect();
        add(&json!({"kind": "Secret", "metadata": {"name": name}, "data": data}));
    }
    manifest
}

/// The values as Helm keeps them: as JSON, without comments.
fn read(yaml: &[u8]) -> Value {
    // Our own file: nothing in it needs a limit.
    let options = serde_saphyr::options! { budget: None };
    let text = text(yaml);
    serde_saphyr::from_str_with_options(&text, options).unwrap_or_else(|_| Value::from(text))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
