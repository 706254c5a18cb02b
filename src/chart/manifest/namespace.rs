//! The release's namespace in users' text, where the application's was
//! (`Options::rewrite_namespace`). In values a placeholder stands for it, as values are no
//! templates: templates put the name in its place, and do nothing else to the text.

use serde_json::Value;

use super::Builder;
use crate::app::{App, NAMESPACE_PLACEHOLDER, NamespacePlace};
use crate::chart::expr::literal;
use crate::chart::yaml::{Field, Node, Part, Row};

/// The namespace of the release, from within any block.
const NAMESPACE: &str = "$.Release.Namespace";

/// The application with the placeholder wherever its namespace is to be rewritten; nothing if it is
/// nowhere.
pub(super) fn placeholders(app: &App) -> Option<App> {
    if app.rewrites.is_empty() {
        return None;
    }
    let mut app = app.clone();
    for NamespacePlace { object, pointer, offsets } in &app.rewrites {
        let object = app.objects.iter_mut().find(|of| of.id() == *object);
        if let Some(Value::String(text)) = object.and_then(|of| of.at_mut(pointer)) {
            *text = replaced(text, offsets, &app.namespace, NAMESPACE_PLACEHOLDER);
        }
    }
    Some(app)
}

/// `text` with `new` in place of the name that stands at these offsets.
pub(in crate::chart) fn replaced(text: &str, offsets: &[usize], name: &str, new: &str) -> String {
    let mut text = text.to_owned();
    // From the end, so that earlier places stay true.
    for at in offsets.iter().rev().copied() {
        let range = at..at + name.len();
        if text.get(range.clone()) == Some(name) {
            text.replace_range(range, new);
        }
    }
    text
}

impl Builder<'_> {
    /// Whether the placeholder stands in text of the object at hand.
    pub(super) fn has_placeholder(&self, text: &str) -> bool {
        self.has_placeholders && text.contains(NAMESPACE_PLACEHOLDER)
    }

    /// `pipeline`, which prints `text`, with the namespace in place of the placeholder; nothing if
    /// there is none in it.
    pub(super) fn text_with_namespace(&self, pipeline: &str, text: &str) -> Option<String> {
        let replace = || {
            let placeholder = literal(NAMESPACE_PLACEHOLDER);
            format!("{pipeline} | replace {placeholder} {NAMESPACE}")
        };
        self.has_placeholder(text).then(replace)
    }
}

/// Puts expressions into the texts of a template that no value holds.
pub(super) fn expressions(node: &mut Node) {
    match node {
        Node::Str(text) if text.contains(NAMESPACE_PLACEHOLDER) => *node = parts(text),
        Node::Map(rows) => each(rows, |Field { value, .. }| value),
        Node::List(rows) => each(rows, |item| item),
        _ => {}
    }
}

fn each<T>(rows: &mut [Row<T>], node: fn(&mut T) -> &mut Node) {
    for row in rows {
        match row {
            Row::One(one) => expressions(node(one)),
            Row::When { rows, .. } => each(rows, node),
            _ => {}
        }
    }
}

fn parts(text: &str) -> Node {
    let mut parts = Vec::new();
    for (at, literal) in text.split(NAMESPACE_PLACEHOLDER).enumerate() {
        if at > 0 {
            parts.push(Part::Expr(NAMESPACE.to_owned()));
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
    }
    Node::Text(parts)
}
