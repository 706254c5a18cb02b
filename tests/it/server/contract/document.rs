//! The description by itself.

use std::collections::BTreeSet;

use outhaul::server::openapi;
use serde_json::Value;

use super::operations;
use super::schema::Schemas;

/// Each `$ref` of the document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                found.insert(reference.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

/// By a reader that is not ours.
#[test]
fn it_is_one_that_others_read() {
    let text = openapi().to_string();
    assert_eq!(text, openapi().to_string());
    let read = oas3::from_json(&text).unwrap();
    read.validate_version().unwrap();
    let read: BTreeSet<String> =
        read.operations().map(|(path, method, _)| format!("{method} {path}")).collect();
    let ours: BTreeSet<String> = operations(&openapi()).iter().map(|it| it.to_string()).collect();
    assert_eq!(read, ours);
}

#[test]
fn all_that_it_refers_to_is_in_it_and_nothing_else() {
    let document = openapi();
    let mut all = BTreeSet::new();
    references(&document, &mut all);
    let schemas = Schemas::of(&document);
    let prefix = "#/components/schemas/";
    let name = |reference: &String| {
        schemas.resolve(reference);
        reference.strip_prefix(prefix).unwrap().to_owned()
    };
    let referred: BTreeSet<String> = all.iter().map(name).collect();
    let components: BTreeSet<String> =
        document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(referred, components);
    let plain = |name: &String| name.chars().all(|char| char.is_ascii_alphabetic());
    assert!(components.iter().all(plain), "two types of one name: {components:?}");
}

#[test]
fn every_operation_says_what_it_is() {
    let document = openapi();
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let (path, what) = (operation.path, operation.what);
        assert!(ids.insert(operation.id.to_owned()), "{operation}");
        for field in ["summary", "description"] {
            assert!(!what[field].as_str().unwrap().is_empty(), "{operation}: {field}");
        }
        let named: Vec<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')).collect();
        let named: BTreeSet<&str> =
            named.iter().filter_map(|part| part.strip_suffix('}')).collect();
        let parameters = what["parameters"].as_array().into_iter().flatten();
        let in_path = parameters.clone().filter(|parameter| parameter["in"] == "path");
        let declared: BTreeSet<&str> = in_path.map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(named, declared, "{operation}");
        let texts = parameters.map(|parameter| &parameter["description"]);
        assert!(texts.clone().all(Value::is_string), "{operation}: {texts:?}");
        let is_open = what["security"].as_array().unwrap().is_empty();
        assert_eq!(is_open, what["responses"].get("401").is_none(), "{operation}");
        let needs = what["description"].as_str().unwrap().starts_with("Needs ");
        assert_eq!(needs, what["responses"].get("403").is_some(), "{operation}");
    }
}
