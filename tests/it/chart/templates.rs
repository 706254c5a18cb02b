//! Templates of the user's for README and NOTES.

use std::collections::BTreeSet;
use std::path::Path;

use outhaul::app::{SecretValues, SecretsPolicy};
use outhaul::chart::{Chart, Templates, build, text};
use serde_json::Value;

use super::oracle::packed;
use super::shop;
use crate::support::helm::Helm;

/// The chart of the shop with these templates.
fn chart_with(readme: Option<&str>, notes: Option<&str>) -> Result<Chart, String> {
    let (app, none) = (shop::app(), SecretValues::default());
    let mut input = shop::input(&app, SecretsPolicy::Reference, &none);
    input.templates =
        Templates { readme: readme.map(str::to_owned), notes: notes.map(str::to_owned) };
    build(&input).map_err(|error| error.to_string())
}

fn file<'c>(chart: &'c Chart, path: &str) -> &'c str {
    std::str::from_utf8(&chart.files[path]).unwrap()
}

#[test]
fn each_text_may_come_from_a_template_of_the_users() {
    let own = shop::chart();
    let readme = "# {{chart}}\n{{#each images}}\n- {{key}} {{digest}}\n{{/each}}\n";
    let chart = chart_with(Some(readme), None).unwrap();
    assert!(file(&chart, "README.md").starts_with("# shop-prod-shop-chart\n- api sha256:aaaa"));
    assert_eq!(file(&chart, "templates/NOTES.txt"), file(&own, "templates/NOTES.txt"));
    let error = chart_with(None, Some("one\n\n{{nothing}}")).unwrap_err();
    assert!(error.starts_with("NOTES.txt.hbs:3: "), "{error}");
}

#[test]
fn helm_renders_the_notes_and_leaves_braces_of_users_alone() {
    let notes = "{{{{raw}}}}Hello {{ .Release.Name }}{{{{/raw}}}}.\n\
                 {{#each requirements}}\n{{reason}}\n{{/each}}\n";
    let mut chart = chart_with(None, Some(notes)).unwrap();
    let show = "text: {{ include (print .Template.BasePath \"/NOTES.txt\") . | toJson }}";
    chart.files.insert("templates/notes.yaml".to_owned(), show.into());
    for helm in Helm::both() {
        let text = super::oracle::template(&helm, &chart, &[]);
        assert!(text.contains("Hello shop.\\n"), "{text}");
        assert!(text.contains(r#"write \"{{ backup }}\" in its args"#), "{text}");
    }
}

#[test]
fn values_are_refused_whatever_the_notes_say() {
    let chart = chart_with(None, Some("")).unwrap();
    for helm in Helm::both() {
        let file = packed(&helm, &chart);
        helm.run(&["lint", "--strict", &file]).ok();
        let refused = helm.run(&["template", "shop", &file, "--set", "nameOverride=two"]);
        assert!(refused.code != 0 && refused.mentions("nameOverride cannot be set"));
    }
}

/// Every field of the data, items of lists as `name[]`.
fn fields(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                fields(&path, value, found);
            }
        }
        Value::Array(items) => match items.first() {
            Some(item) => fields(&format!("{path}[]"), item, found),
            None => _ = found.insert(format!("{path}[]")),
        },
        _ => _ = found.insert(path.to_owned()),
    }
}

#[test]
fn the_documentation_lists_every_field() {
    let (app, none) = (shop::app(), SecretValues::default());
    let data = text::data(&shop::input(&app, SecretsPolicy::Reference, &none));
    let mut found = BTreeSet::new();
    fields("", &data, &mut found);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TEMPLATES.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, table) = text.split_once("## Fields").unwrap();
    let names = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let documented: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(documented, found);
}
