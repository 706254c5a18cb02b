//! `values.schema.json`: strict, so that a misspelt value is an error and not silence.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::values::{Content, Setting, Values, one_of};

/// Largest schema that is laid out for the eye. Helm keeps the chart in the release, which has a
/// limit of 1 MiB, and nobody reads more than this.
const LARGEST_PRETTY: usize = 256 << 10;

/// Pieces that occur more than once, written once, by the text of the piece.
struct Shared {
    names: BTreeMap<String, String>,
    definitions: Map<String, Value>,
}

/// The schema of the values.
pub fn schema(chart: &str, values: &Values) -> String {
    let mut shared = Shared::new(values);
    let mut properties = Map::new();
    properties.insert("enabled".to_owned(), enabled());
    for name in REFUSED {
        properties.insert(name.to_owned(), refused());
    }
    for (name, heading, setting) in values.sections() {
        properties.insert(name.to_owned(), section(name, heading, setting, &shared));
    }
    if values.keys("images").next().is_some() {
        let keys = one_of(values.keys("images"));
        shared.definitions.insert("imageKey".to_owned(), keys);
    }
    // Parents may have no `global`, and the templates do without.
    let needed = values.sections().filter(|(name, _, it)| it.needed && *name != "global");
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": format!("Values of {chart}"),
        "type": "object",
        "additionalProperties": false,
        "required": needed.map(|(name, ..)| name).collect::<Vec<_>>(),
        "properties": properties,
        "definitions": shared.definitions,
    });
    let pretty = format!("{schema:#}\n");
    if pretty.len() <= LARGEST_PRETTY { pretty } else { format!("{schema}\n") }
}

/// What other charts take and this one refuses when it renders, with a reason that a schema could
/// not give.
const REFUSED: [&str; 2] = ["fullnameOverride", "nameOverride"];

fn refused() -> Value {
    json!({"type": ["string", "null"], "description": "Cannot be set: objects keep their names."})
}

/// Parents switch subcharts by this name; nothing in the chart reads it.
fn enabled() -> Value {
    json!({"type": "boolean", "description": "For a parent chart: whether this chart is part of it."})
}

fn section(name: &str, heading: &str, setting: &Setting, shared: &Shared) -> Value {
    let comment = if heading.is_empty() { &setting.comment } else { heading };
    let mut section = of(comment, setting, shared);
    if name == "global" {
        // Parents and siblings put values of their own there.
        section["additionalProperties"] = true.into();
    }
    section
}

fn of(comment: &str, setting: &Setting, shared: &Shared) -> Value {
    let settings = match &setting.content {
        Content::Group(settings) => settings,
        Content::Value { schema, .. } => return shared.reference(leaf(comment, schema)),
    };
    let properties: Map<String, Value> = settings
        .iter()
        .map(|(key, setting)| (key.clone(), of(&setting.comment, setting, shared)))
        .collect();
    let mut group =
        json!({"type": "object", "additionalProperties": false, "properties": properties});
    let needed = settings.iter().filter(|(_, setting)| setting.needed);
    let needed: Vec<&str> = needed.map(|(key, _)| key.as_str()).collect();
    if !needed.is_empty() {
        group["required"] = needed.into();
    }
    leaf(comment, &group)
}

fn leaf(comment: &str, schema: &Value) -> Value {
    let mut fields = Map::new();
    if !comment.is_empty() {
        fields.insert("description".to_owned(), comment.into());
    }
    fields.extend(schema.as_object().cloned().unwrap_or_default());
    Value::Object(fields)
}

impl Shared {
    fn new(values: &Values) -> Self {
        let mut seen = BTreeMap::new();
        for (name, _, setting) in values.sections() {
            count(name, setting, &mut seen);
        }
        let mut shared = Self { names: BTreeMap::new(), definitions: Map::new() };
        for (text, (key, piece, count)) in seen {
            if count > 1 {
                let name = shared.free_name(key);
                shared.names.insert(text, name.clone());
                shared.definitions.insert(name, piece);
            }
        }
        shared
    }

    fn free_name(&self, key: &str) -> String {
        let numbered = (2..).map(|number| format!("{key}{number}"));
        let mut names = std::iter::once(key.to_owned()).chain(numbered);
        names.find(|name| !self.definitions.contains_key(name)).unwrap_or_default()
    }

    /// A reference to the piece, if it is shared, or the piece.
    fn reference(&self, piece: Value) -> Value {
        match self.names.get(&piece.to_string()) {
            Some(name) => json!({"$ref": format!("#/definitions/{name}")}),
            None => piece,
        }
    }
}

/// Counts the pieces below a setting, each with the key it first had.
fn count<'v>(
    key: &'v str,
    setting: &'v Setting,
    seen: &mut BTreeMap<String, (&'v str, Value, usize)>,
) {
    match &setting.content {
        Content::Group(settings) => {
            settings.iter().for_each(|(key, setting)| count(key, setting, seen));
        }
        Content::Value { schema, .. } => {
            let piece = leaf(&setting.comment, schema);
            seen.entry(piece.to_string()).or_insert((key, piece, 0)).2 += 1;
        }
    }
}
