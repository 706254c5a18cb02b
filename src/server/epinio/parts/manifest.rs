//! Part `manifest`: an application as `epinio push` takes it.

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::super::application::{Application, Origin, Values};
use super::bytes;
use crate::app::Object;
use crate::chart::render::goyaml;
use crate::cluster::EpinioParts;

const YAML: &str = "application/yaml; charset=utf-8";

/// The manifest; without `values` its variables are empty.
pub(super) fn answer(app: &Object, parts: &EpinioParts, values: Values) -> Response {
    bytes(YAML, text(&Application::new(app, parts, values)).into_bytes())
}

/// In Epinio's order, without what is empty.
fn text(app: &Application) -> String {
    let of = &app.configuration;
    let configuration = [
        ("instances", json!(of.instances)),
        ("configurations", json!(of.configurations)),
        ("environment", json!(of.environment)),
        ("services", json!(of.services)),
        ("routes", json!(of.routes)),
        ("appchart", json!(of.appchart)),
        ("settings", json!(of.settings)),
    ];
    let manifest = filled([
        ("name", json!(app.meta.name)),
        ("configuration", filled(configuration)),
        ("origin", origin(&app.origin)),
        ("staging", filled([("builder", json!(app.staging.builder))])),
        ("namespace", json!(app.meta.namespace)),
    ]);
    goyaml::text_in_order(&manifest) + "\n"
}

fn origin(origin: &Origin) -> Value {
    let git = origin.git.as_ref().map(|git| {
        filled([
            ("revision", json!(git.revision)),
            ("url", json!(git.repository)),
            ("provider", json!(git.provider)),
            ("branch", json!(git.branch)),
            ("gitconfig", json!(git.gitconfig)),
        ])
    });
    filled([
        ("container", json!(origin.container)),
        ("git", git.unwrap_or_default()),
        ("path", json!(origin.path)),
        ("archive", json!(origin.archive)),
    ])
}

/// Fields that are not empty, as Go leaves out the others.
fn filled<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    let filled = fields.into_iter().filter(|(_, value)| !is_empty(value));
    Value::Object(filled.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(spec: &Value) -> String {
        let app = json!({"apiVersion": "application.epinio.io/v1", "kind": "App",
            "metadata": {"name": "sample", "namespace": "workspace"}, "spec": spec});
        let app = serde_json::from_value(app).unwrap();
        text(&Application::new(&app, &EpinioParts::default(), Values::Shown))
    }

    #[test]
    fn everything_is_in_epinios_order() {
        let git = json!({"repository": "https://git.example.com/a", "revision": "main",
            "provider": "git", "branch": "dev", "gitconfig": "mine"});
        let spec = json!({"chartname": "standard", "builderimage": "builder:1",
            "routes": ["b.example.org", "a.example.org"], "settings": {"z": "1", "a": "yes"},
            "origin": {"git": git}});
        let expected = "\
name: sample
configuration:
  instances: 1
  routes:
  - b.example.org
  - a.example.org
  appchart: standard
  settings:
    a: \"yes\"
    z: \"1\"
origin:
  git:
    revision: main
    url: https://git.example.com/a
    provider: git
    branch: dev
    gitconfig: mine
staging:
  builder: builder:1
namespace: workspace
";
        assert_eq!(manifest(&spec), expected);
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let path = json!({"origin": {"path": "src", "archive": true}});
        let configuration = "name: sample\nconfiguration:\n  instances: 1\n";
        let origin = "origin:\n  path: src\n  archive: true\n";
        assert_eq!(manifest(&path), format!("{configuration}{origin}namespace: workspace\n"));
        assert_eq!(manifest(&json!({})), format!("{configuration}namespace: workspace\n"));
    }
}
