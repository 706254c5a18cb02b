//! Rendered text back to objects, cut into documents as helm cuts it.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use serde_saphyr::options;

use super::{Manifest, RenderError};
use crate::app::Object;
use crate::app::tree::Tree;

/// Nested mappings and lists of one document: what serde_json takes as well.
const MAX_DEPTH: usize = 128;

/// Nodes of one document: a `values.yaml` of 5 MiB, which is the most that helm loads, has fewer.
const MAX_NODES: usize = 4 << 20;

/// What no file has, since Unicode gives it to nobody; with the line break that our parser adds.
const MARK: char = '\u{f8fe}';
const MARKED: &str = "\u{f8fe}\n";

/// Where documents end (helm, `pkg/release/v1/util/manifest.go`).
static SEPARATOR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:^|\s*\n)---\s*").ok());

/// A file of a chart as text.
pub(super) fn text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, RenderError> {
    std::str::from_utf8(bytes).map_err(|_| RenderError::File {
        path: path.to_owned(),
        reason: "it is no text".to_owned(),
    })
}

/// One YAML document. A block scalar that ends with the text, without a line break, ends without
/// one, as in Go; our parser adds one.
pub(super) fn value(path: &str, text: &str) -> Result<Value, RenderError> {
    let file = |reason| RenderError::File { path: path.to_owned(), reason };
    let value = parse(text).map_err(file)?;
    if text.ends_with('\n') || !text.contains(['|', '>']) || text.contains(MARK) {
        return Ok(value);
    }
    let marked = parse(&format!("{text}{MARK}")).ok();
    Ok(marked.and_then(|mut marked| unmark(&mut marked).then_some(marked)).unwrap_or(value))
}

/// Takes the mark and the line break that was added off the text that ends with them, if one does.
fn unmark(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let Some(bare) = text.strip_suffix(MARKED).map(str::len) else { return false };
            text.truncate(bare);
            true
        }
        Value::Array(items) => items.last_mut().is_some_and(unmark),
        Value::Object(fields) => fields.values_mut().any(unmark),
        _ => false,
    }
}

/// The objects in the text that a template printed. Empty documents are passed over.
pub(super) fn objects(path: &str, text: &str) -> Result<Vec<Manifest>, RenderError> {
    let broken = |reason: String| RenderError::Manifest { path: path.to_owned(), reason };
    let mut objects = Vec::new();
    for document in documents(text) {
        // Helm prints a line feed behind each.
        let value = parse(&format!("{document}\n")).map_err(broken)?;
        if value.is_null() {
            continue;
        }
        let object = Object::new(value).map_err(|error| broken(error.to_string()))?;
        objects.push(Manifest { path: path.to_owned(), object });
    }
    Ok(objects)
}

/// The documents, without the white space around each.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let cut: Vec<&str> = match &*SEPARATOR {
        Some(separator) if text.contains("---") => separator.split(text).collect(),
        _ => vec![text],
    };
    cut.into_iter().map(str::trim).filter(|document| !document.is_empty())
}

fn parse(text: &str) -> Result<Value, String> {
    let options = options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 2,
            max_documents: 1,
            // An image that many workloads use has a long comment in `values.yaml`.
            max_buffered_comment_events: MAX_NODES,
        },
        legacy_octal_numbers: true,
        reject_unsupported_tags: true,
        // A snippet of a manifest may be a snippet of a Secret.
        with_snippet: false,
    };
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let tree = serde_saphyr::from_str_with_options::<Option<Tree>>(text, options);
    tree.map(|tree| tree.map_or(Value::Null, |tree| tree.0)).map_err(|error| {
        let line = error.location().map_or(0, |at| at.line());
        let text = error.without_snippet().to_string();
        let reason = text.lines().next().unwrap_or_default();
        let end = [" at line ", " (line "].iter().filter_map(|place| reason.find(place)).min();
        format!("line {line}: {}", &reason[..end.unwrap_or(reason.len())])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let objects = objects("t", text).unwrap();
        objects.iter().map(|manifest| manifest.object.name().to_owned()).collect()
    }

    #[test]
    fn documents_are_cut_as_helm_cuts_them() {
        let object = |name: &str| format!("apiVersion: v1\nkind: A\nmetadata: {{name: {name}}}\n");
        let text = format!("---\n{}---\n# none\n---\n\n{}", object("a"), object("b"));
        assert_eq!(names(&text), ["a", "b"]);
        let inside = format!("{}text: |\n  ---\n  b\n", object("c"));
        assert_eq!(objects("t", &inside).unwrap()[0].object.text("/text"), Some("---\nb\n"));
        assert!(names(" \n # nothing\n").is_empty());
    }

    #[test]
    fn a_block_scalar_has_no_line_break_that_the_text_has_not() {
        let block = |text: &str| value("", text).unwrap()["a"].clone();
        assert_eq!(block("a: |\n  x\n  ..."), "x\n...");
        assert_eq!(block("a: |\n  x\n  y\n"), "x\ny\n");
        assert_eq!(block("a: |+\n  x"), "x");
        assert_eq!(block("a: >\n  x\n  y"), "x y");
        assert_eq!(block("b: |\n  x\na: 5"), 5);
        assert_eq!(block("a: |\n  x\nb: 'c'"), "x\n");
        assert_eq!(block("a: |\n  x\nb: c"), "x\n");
        assert_eq!(block("a:\n- |\n  x\n- b: |-\n    y")[1]["b"], "y");
        assert_eq!(block("a:\n- |\n  x\n- b: |\n    y")[1]["b"], "y");
    }

    #[test]
    fn what_is_no_object_is_named_without_its_content() {
        for text in ["kind: canary", "- canary", "a: [canary", "a: 1\na: canary", "canary"] {
            let error = objects("templates/a.yaml", text).unwrap_err().to_string();
            assert!(error.starts_with("templates/a.yaml of the chart renders no object: "));
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
