//! The objects of one file: YAML of several documents, JSON, and lists within them.

use serde_json::Value;
use serde_saphyr::{Spanned, options};

use super::Error;
use crate::app::Object;
use crate::app::snapshot::{MAX_BYTES, MAX_OBJECTS};
use crate::app::stack::with_stack;
use crate::app::tree::Tree;

/// One document of a file.
#[derive(Debug)]
pub(super) struct Document {
    /// What it says.
    pub(super) value: Value,
    /// Line of the file on which it begins, from 1.
    pub(super) line: u64,
}

/// An object and the line of its document.
pub(super) struct Located {
    pub(super) object: Object,
    pub(super) line: u64,
}

/// Nested mappings and lists. serde_json stops at 128, too; the schemas of the deepest CRDs known
/// nest about 60 levels.
const MAX_DEPTH: usize = 128;

/// Scalars, mappings and lists of one file: the objects that a snapshot holds, of 400 nodes each.
const MAX_NODES: usize = MAX_OBJECTS * 400;

/// Text of all scalars, with what anchors repeat: what a snapshot holds, and as much again that
/// is thrown away there.
const MAX_TEXT: usize = 2 * MAX_BYTES;

/// Values that anchors repeat in one file. People repeat a few labels in each of a few objects; a
/// file of one kilobyte can ask for a million.
const MAX_REPEATED: usize = 100_000;

/// Stack for the parser, which recurses: without optimisation a level takes about 25 KiB, and the
/// 2 MiB of a usual thread would end at 80 levels.
const STACK: usize = MAX_DEPTH * (64 << 10);

/// Parses a file into documents. Empty ones are passed over.
///
/// # Errors
/// [`Error::Malformed`] with the line within the file.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Document>, Error> {
    let broken = || Err(malformed(file, 0, 0, "the parser broke off"));
    with_stack(STACK, || parse_here(file, text)).unwrap_or_else(broken)
}

fn parse_here(file: &str, text: &str) -> Result<Vec<Document>, Error> {
    let bare = text.trim_start_matches('\u{feff}').trim_start();
    if !bare.starts_with('{') {
        return parse_yaml(file, text);
    }
    parse_json(bare).or_else(|error| {
        if file.ends_with(".json") {
            let skipped = text[..text.len() - bare.len()].matches('\n').count() as u64;
            let line = error.line() as u64 + skipped;
            Err(malformed(file, line, error.column() as u64, "this is not JSON"))
        } else {
            parse_yaml(file, text)
        }
    })
}

/// One or more JSON documents behind each other. Their lines are those of the last one's end.
fn parse_json(text: &str) -> Result<Vec<Document>, serde_json::Error> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Tree>();
    let mut documents = Vec::new();
    loop {
        let rest = &text[stream.byte_offset()..];
        let begin = text.len() - rest.trim_start().len();
        let line = text[..begin].matches('\n').count() as u64 + 1;
        match stream.next() {
            Some(tree) => documents.push(Document { value: tree?.0, line }),
            None => return Ok(documents),
        }
    }
}

fn parse_yaml(file: &str, text: &str) -> Result<Vec<Document>, Error> {
    let options = options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 2,
            max_documents: MAX_OBJECTS,
            max_total_scalar_bytes: MAX_TEXT,
            max_recorded_anchor_events: MAX_REPEATED,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPEATED },
        legacy_octal_numbers: true,
        // A tag that we drop would be data that we lose.
        reject_unsupported_tags: true,
        // A snippet of a manifest may be a snippet of a Secret.
        with_snippet: false,
    };
    let documents = serde_saphyr::from_multiple_with_options::<Spanned<Tree>>(text, options)
        .map_err(|error| {
            let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
            malformed(file, line, column, &reason(&error))
        })?;
    let document = |spanned: Spanned<Tree>| Document {
        value: spanned.value.0,
        line: spanned.referenced.line(),
    };
    Ok(documents.into_iter().map(document).filter(|found| !found.value.is_null()).collect())
}

/// The parser's words without the place, which is printed before them.
fn reason(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let text = text.replace("budget breached: ", "it goes beyond a limit: ");
    let text = text.lines().next().unwrap_or_default();
    // What follows is the place again, or advice about the parser's options.
    let rest = [" at line ", " (line ", ", set "];
    let end = rest.iter().filter_map(|rest| text.find(rest)).min();
    text[..end.unwrap_or(text.len())].to_owned()
}

/// The objects of a document: itself, or the items of a list.
///
/// # Errors
/// [`Error::Malformed`] where something is no object.
pub(super) fn objects(file: &str, document: Document) -> Result<Vec<Located>, Error> {
    let Document { mut value, line } = document;
    let is_list = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    let single = |value: Value, place: &str| {
        let object = Object::new(value)
            .map_err(|error| malformed(file, line, 0, &format!("{place}{error}")))?;
        Ok(Located { object, line })
    };
    let items = if is_list { value.get_mut("items").map(Value::take) } else { None };
    match items {
        None => Ok(vec![single(value, "")?]),
        Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let items = items.into_iter().enumerate();
            let nested = items.map(|(at, item)| single(item, &format!("items[{at}] is ")));
            nested.collect()
        }
        Some(_) => Err(malformed(file, line, 0, "`items` is no list")),
    }
}

pub(super) fn malformed(file: &str, line: u64, column: u64, reason: &str) -> Error {
    Error::Malformed { file: file.to_owned(), line, column, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn yaml(text: &str) -> Value {
        parse("f.yaml", text).unwrap().remove(0).value
    }

    fn error(file: &str, text: &str) -> String {
        let located = parse(file, text).and_then(|documents| {
            documents.into_iter().map(|d| objects(file, d)).collect::<Result<Vec<_>, _>>()
        });
        located.err().unwrap().to_string()
    }

    #[test]
    fn scalars_mean_what_they_mean_to_kubectl() {
        let text = "a: yes\nb: 'yes'\nc: 0644\nd: 1_000\ne: 18446744073709551615\nf: 1.0\n\
                    g: 1e3\nh: 0.5\ni: 9223372036854775807\nj: -9223372036854775808\nk: ~\n\
                    l: 2024-01-01\nm: 1.2.3\no: 0x10\np: null\nq: 0o17\nr: \"0644\"\n";
        assert_eq!(
            yaml(text),
            json!({"a": true, "b": "yes", "c": 420, "d": 1000, "e": 18446744073709551615u64,
                "f": 1, "g": 1000, "h": 0.5, "i": i64::MAX, "j": i64::MIN, "k": null,
                "l": "2024-01-01", "m": "1.2.3", "o": 16, "p": null, "q": 15, "r": "0644"})
        );
    }

    #[test]
    fn keys_mean_what_they_mean_to_kubectl() {
        assert_eq!(
            yaml("y: 1\n'n': 2\n3: x\nfalse: 4\n\"off\": 5\n0.5: 6\n"),
            json!({"true": 1, "n": 2, "3": "x", "false": 4, "off": 5, "0.5": 6})
        );
    }

    #[test]
    fn order_anchors_merges_and_blocks_are_kept() {
        let text = "z: &a {x: 1}\na:\n  <<: *a\n  y2: |\n    ---\n    {{ x }}\nm: >-\n  a\n  b\n";
        let value = yaml(text);
        assert_eq!(
            value,
            json!({"z": {"x": 1}, "a": {"x": 1, "y2": "---\n{{ x }}\n"}, "m": "a b"})
        );
        assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["z", "a", "m"]);
    }

    #[test]
    fn documents_know_their_lines() {
        let text = "# head\n---\n---\na: 1\n---\n\n# c\nb: 2\n...\n---\n{c: 3}\n";
        let lines: Vec<_> = parse("f", text).unwrap().iter().map(|d| d.line).collect();
        assert_eq!(lines, [4, 8, 11]);
        let text = "\n{\"a\": 1}\n{\"b\":\n 2}";
        let lines: Vec<_> = parse("f", text).unwrap().iter().map(|d| d.line).collect();
        assert_eq!(lines, [1, 2]);
    }

    #[test]
    fn errors_name_file_and_line_and_quote_nothing() {
        let cases = [
            ("a.yaml", "a: 1\n---\nkind: X\nb: [1, 2\nc: canary\n", "a.yaml:"),
            ("a.yaml", "a: 1\na: canary\n", "a.yaml:2"),
            ("a.yaml", "a: !secret canary\n", "a.yaml:1"),
            ("a.yaml", "a: *canary\n", "a.yaml:1"),
            ("a.json", "\n{\"a\": \n canary}", "a.json:3:"),
            ("a.yaml", "\ttabs: 1\n", "a.yaml:1"),
            ("a.yaml", "yes: 1\non: 2\n", "a.yaml: the key `true` is there twice"),
            ("a.yaml", "# x\n---\nkind: Pod\n", "a.yaml:3: not a Kubernetes object: `apiVersion`"),
            ("a.yaml", "- 1\n", "a.yaml:1: not a Kubernetes object: it is no mapping"),
            ("a.yaml", "kind: List\nitems: [{kind: Pod}]\n", "a.yaml:1: items[0] is not a Kub"),
            ("a.yaml", "kind: List\nitems: 5\n", "a.yaml:1: `items` is no list"),
        ];
        for (file, text, expected) in cases {
            let error = error(file, text);
            assert!(error.starts_with(expected), "{text}: {error}");
            assert!(!error.contains("canary") || text.contains('*'), "{error}");
            assert!(!error.contains('\n'), "{error}");
            println!("{error}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let all = vec![format!("*a{}", level - 1); 9].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{all}]\n"));
        }
        let error = parse("f", &text).unwrap_err().to_string();
        assert!(error.contains("it goes beyond a limit: "), "{error}");
        assert!(parse("f", &"[".repeat(100_000)).is_err());
        assert!(parse("f.json", &"{\"a\":".repeat(100_000)).is_err());
        assert!(parse("f", &"- ".repeat(100_000)).is_err());
    }
}
