//! The values as a table, for people.

use serde_json::Value;

use super::{Content, Setting, Values};

/// Longest default that the table shows.
const LONGEST: usize = 80;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Described {
    /// Path of the value, keys with dots in quotes.
    pub path: String,
    /// Default, as JSON, cut.
    pub default: String,
    /// What it is.
    pub comment: String,
}

/// Every value that a user may set.
pub fn describe(values: &Values) -> Vec<Described> {
    let mut lines = Vec::new();
    for (name, _, setting) in values.sections() {
        walk(name, setting, &mut lines);
    }
    lines
}

fn walk(path: &str, setting: &Setting, lines: &mut Vec<Described>) {
    match &setting.content {
        Content::Group(settings) => {
            for (key, setting) in settings {
                walk(&self::path(path, key), setting, lines);
            }
        }
        Content::Value { default, .. } => lines.push(Described {
            path: path.to_owned(),
            default: default_cell(default),
            comment: setting.comment.replace('\n', " "),
        }),
    }
}

/// The path of what is below `path`.
pub(in crate::chart) fn path(path: &str, key: &str) -> String {
    if key.contains('.') { format!("{path}.\"{key}\"") } else { format!("{path}.{key}") }
}

/// A default as the table shows it.
pub(in crate::chart) fn default_cell(default: &Value) -> String {
    let text = match default {
        Value::Object(fields) if !fields.is_empty() => {
            fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    format!("{}…", text.chars().take(LONGEST - 1).collect::<String>())
}
