//! Definitions of custom resources in a chart: helm takes them as they are.

use outhaul::app::{App, Object};
use serde_json::{Value, json};

use super::oracle::{packed, rendered};
use super::shop;
use crate::support::helm::Helm;

#[test]
fn definitions_are_not_rendered_and_come_out_as_they_went_in() {
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com", "annotations": {"note": "{{ .Values.x }}"}},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "description": "A {{ braces }}\nand yes: no"}}}]}});
    let widget =
        json!([{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}]);
    let app =
        App { definitions: vec![Object::new(definition.clone()).unwrap()], ..shop::app_of(widget) };
    let chart = shop::plain_chart_of(&app);
    assert!(chart.files.contains_key("crds/widgets.example.com.yaml"));
    for helm in Helm::both() {
        let file = packed(&helm, &chart);
        helm.run(&["lint", "--strict", &file]).ok();
        let rendered = rendered(&helm, &chart, &["--include-crds"]);
        let found: Option<&Value> = rendered.get("CustomResourceDefinition widgets.example.com");
        assert_eq!(found, Some(&definition));
        assert!(rendered.contains_key("Widget w"));
    }
}
