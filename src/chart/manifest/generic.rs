//! What every object gets: Helm's labels, and annotations as a value where people change them.

use serde_json::{Map, Value};

use super::{Builder, Draft};
use crate::app::{App, Object};
use crate::chart::expr::{NO_VALUE, include, keeping_no_value};
use crate::chart::values::{Setting, annotations as schema};
use crate::chart::yaml::{Field, Node, Row};

/// The label of Helm's that names the release.
const INSTANCE: &str = "app.kubernetes.io/instance";

/// Whether Helm's instance label may be added. Where the application uses it itself, objects
/// without it would seem to belong to another one.
pub(super) fn instance_label_does_no_harm(app: &App) -> bool {
    app.objects.iter().all(|object| object.label(INSTANCE).is_none())
        && app.secrets.iter().all(|secret| !secret.labels.contains_key(INSTANCE))
}

/// Adds Helm's labels to the metadata; never to selectors and pods, which cannot be upgraded. A
/// label that the object has already wins, and is not written twice.
pub(super) fn labels(builder: &Builder<'_>, draft: &mut Draft<'_>) {
    let object = draft.object;
    let Some(metadata) = draft.body.get_mut("metadata") else { return };
    if !matches!(metadata.get_mut("labels"), Some(Node::Map(_))) {
        metadata.put_after("labels", "name", Row::field("labels", Node::Map(Vec::new())));
    }
    let Some(Node::Map(rows)) = metadata.get_mut("labels") else { return };
    standard_labels(builder, rows, |key| object.label(key).is_some());
}

/// Adds Helm's labels to those of an object that `has` some of them.
pub(super) fn standard_labels(
    builder: &Builder<'_>,
    rows: &mut Vec<Row<Field>>,
    has: impl Fn(&str) -> bool,
) {
    let chart = builder.chart();
    let standard = [
        ("helm.sh/chart", include(chart, "chart", ".")),
        (INSTANCE, ".Release.Name | quote".to_owned()),
        ("app.kubernetes.io/managed-by", ".Release.Service".to_owned()),
    ];
    if standard.iter().all(|(key, _)| *key == INSTANCE || !has(key)) {
        rows.push(Row::Rows(include(chart, "labels", ".")));
        return;
    }
    for (key, pipeline) in standard {
        let wanted = key != INSTANCE || builder.instance_label;
        if wanted && !has(key) {
            rows.push(Row::field(key, Node::Expr(pipeline)));
        }
    }
}

/// Makes the annotations of an object a value read from `variable`.
pub(super) fn annotations(
    builder: &Builder<'_>,
    draft: &mut Draft<'_>,
    variable: &str,
    comment: &str,
) -> Setting {
    let live = map_at(draft.object, "/metadata/annotations");
    if let Some(metadata) = draft.body.get_mut("metadata") {
        let block = Row::field("annotations", texts(builder, &live, "."));
        let row = Row::when(format!("with {variable}.annotations"), block);
        metadata.put_after("annotations", "labels", row);
    }
    keep_trailing_space(draft, live.values());
    Setting::value(comment, live, schema())
}

/// A mapping of texts that `value` reads. Helm's YAML writer does not give some characters back:
/// texts with one of those are quoted as Go quotes them.
pub(super) fn texts(builder: &Builder<'_>, live: &Map<String, Value>, value: &str) -> Node {
    let lost = |c: char| {
        matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
    };
    let mut texts = live.values().filter_map(Value::as_str);
    let has_no_value = texts.clone().any(|text| text.contains(NO_VALUE));
    let is_quoted = has_no_value || texts.clone().any(|text| text.contains(lost));
    let block = match is_quoted {
        true => include(builder.chart(), "quoted", value),
        false => format!("toYaml {value}"),
    };
    let block = if has_no_value { keeping_no_value(&block) } else { block };
    let placed = texts.find_map(|text| builder.text_with_namespace(&block, text));
    Node::Block(placed.unwrap_or(block))
}

/// Ends the document with a comment if one of the texts ends with white space: Helm trims the end
/// of a document, and what `toYaml` prints there may end it.
pub(super) fn keep_trailing_space<'v>(
    draft: &mut Draft<'_>,
    texts: impl IntoIterator<Item = &'v Value>,
) {
    let trimmed = |text: &Value| {
        let body = text.as_str().map(|text| text.strip_suffix('\n').unwrap_or(text));
        body.is_some_and(|body| text == "\n" || body.ends_with(char::is_whitespace))
    };
    if texts.into_iter().any(trimmed)
        && let Some(rows) = draft.body.rows_mut()
    {
        let comment = "This line keeps the white space that ends the text above.";
        rows.push(Row::Comment(comment.to_owned()));
    }
}

/// The mapping at a pointer, or an empty one.
pub(super) fn map_at(object: &Object, pointer: &str) -> Map<String, Value> {
    object.at(pointer).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// "Kind name".
pub(super) fn title(object: &Object) -> String {
    format!("{} {}", object.kind(), object.name())
}

/// `1 thing`, `2 things`.
pub(in crate::chart) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}
