//! Helm as the judge: it renders a chart, and reads what it rendered with the YAML reader that it
//! reads manifests with.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use outhaul::chart::{Chart, archive};
use serde_json::Value;

use crate::support::helm::Helm;

/// Where the tests install. Nothing in the charts names it.
pub(super) const NAMESPACE: &str = "target";

/// Objects by kind and name.
pub(crate) type Objects = BTreeMap<String, Value>;

/// The objects that a chart renders with these arguments.
pub(super) fn rendered(helm: &Helm, chart: &Chart, args: &[&str]) -> Objects {
    rendered_each(helm, chart, &[args]).remove(0)
}

/// The objects that a chart renders with each of these arguments.
pub(super) fn rendered_each(helm: &Helm, chart: &Chart, args: &[&[&str]]) -> Vec<Objects> {
    let texts: Vec<String> = args.iter().map(|args| template(helm, chart, args)).collect();
    let documents: Vec<Vec<&str>> = texts.iter().map(|text| documents(text)).collect();
    let mut objects = read(helm, &documents.concat()).into_iter();
    let count = documents.iter().map(Vec::len);
    count.map(|count| named(objects.by_ref().take(count))).collect()
}

/// Objects by kind and name.
pub(crate) fn named(objects: impl Iterator<Item = Value>) -> Objects {
    let named = |object: Value| {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
        (format!("{} {}", text("/kind"), text("/metadata/name")), object)
    };
    objects.map(named).collect()
}

/// The text that a chart renders.
pub(super) fn template(helm: &Helm, chart: &Chart, args: &[&str]) -> String {
    let file = packed(helm, chart);
    let command = ["template", "shop", &file, "--namespace", NAMESPACE];
    helm.run(&[&command, args].concat()).ok().stdout
}

/// The documents of what `helm template` printed.
pub(crate) fn documents(text: &str) -> Vec<&str> {
    text.split("---\n# Source: ").skip(1).collect()
}

/// The archive of a chart, for a helm to read.
pub(crate) fn packed(helm: &Helm, chart: &Chart) -> String {
    fs::write(helm.folder().join("chart.tgz"), archive(chart).tgz).unwrap();
    "chart.tgz".to_owned()
}

/// What helm reads in YAML documents: a chart of its own holds them as files and prints them as
/// JSON.
pub(crate) fn read(helm: &Helm, documents: &[&str]) -> Vec<Value> {
    let reader = helm.folder().join("reader");
    let _ = fs::remove_dir_all(&reader);
    fs::create_dir_all(reader.join("templates")).unwrap();
    fs::create_dir_all(reader.join("documents")).unwrap();
    fs::write(reader.join("Chart.yaml"), "apiVersion: v2\nname: reader\nversion: 1.0.0\n").unwrap();
    fs::write(
        reader.join("templates/all.yaml"),
        "{{- range $path, $_ := .Files.Glob \"documents/*\" }}\n---\n\
         kind: {{ $path }}\njson: {{ $.Files.Get $path | fromYaml | toJson | b64enc }}\n{{- end }}\n",
    )
    .unwrap();
    for (at, document) in documents.iter().enumerate() {
        // The rest of the line after `# Source: ` is the name of the template.
        fs::write(reader.join(format!("documents/{at:05}.yaml")), format!("# {document}")).unwrap();
    }
    let output = helm.run(&["template", "reader", "reader"]).ok().stdout;
    let encoded = output.lines().filter_map(|line| line.strip_prefix("json: "));
    encoded.map(|json| serde_json::from_slice(&STANDARD.decode(json).unwrap()).unwrap()).collect()
}

/// What differs between two renderings, as `Kind name/pointer: before → after`.
pub(crate) fn differences(before: &Objects, after: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    let names: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (before, after) = (before.get(name), after.get(name));
        compare(name, before, after, &mut found);
    }
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<String>) {
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                compare(&format!("{path}/{key}"), a.get(key), b.get(key), found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}/{at}"), Some(a), Some(b), found);
            }
        }
        (before, after) if before == after => {}
        (before, after) => {
            let shown = |value: Option<&Value>| value.map_or("-".to_owned(), Value::to_string);
            let (before, after) = (shown(before), shown(after));
            // A whole object that came or went is said by its name alone.
            let cut = |text: String| if text.len() > 200 { "…".to_owned() } else { text };
            found.push(format!("{path}: {} → {}", cut(before), cut(after)));
        }
    }
}
