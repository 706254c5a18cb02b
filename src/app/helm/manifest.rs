//! Which objects a rendered manifest has: as much of each document as that takes.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::options;

use super::release::{Rendered, SecretShape};
use crate::app::ObjectId;
use crate::app::stack::with_stack;

/// Most documents that are looked at: what a snapshot holds.
const MAX_DOCUMENTS: usize = crate::app::snapshot::MAX_OBJECTS;

/// Nested mappings and lists. Definitions of custom resources, the deepest, have about 60.
const MAX_DEPTH: usize = 128;

/// Stack for the parser, which recurses: without optimisation a level takes up to 25 KiB.
pub(super) const STACK: usize = MAX_DEPTH * (64 << 10);

/// Before the path of the template that a document comes from.
const SOURCE: &str = "# Source: ";

/// What is read of an object, or of a list of objects.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    items: Option<Vec<Self>>,
    #[serde(default, rename = "type")]
    type_: Option<String>,
    #[serde(default)]
    data: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(default)]
    string_data: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
}

/// The objects of a manifest in order, and how many documents are none.
pub(super) fn objects(manifest: &str, namespace: &str) -> (Vec<Rendered>, usize) {
    with_stack(STACK, || objects_here(manifest, namespace))
        .unwrap_or_else(|| (Vec::new(), documents(manifest).count()))
}

fn objects_here(manifest: &str, namespace: &str) -> (Vec<Rendered>, usize) {
    let (mut found, mut broken) = (Vec::new(), 0);
    for document in documents(manifest).take(MAX_DOCUMENTS) {
        let source = document.lines().find_map(|line| line.strip_prefix(SOURCE));
        match read(document) {
            Some(head) => push(head, source.unwrap_or_default().trim(), namespace, &mut found),
            None if is_blank(document) => {}
            None => broken += 1,
        }
    }
    (found, broken)
}

/// The documents of a stream: a line of `---` stands between two.
pub(super) fn documents(manifest: &str) -> impl Iterator<Item = &str> {
    let mut begin = Some(0);
    std::iter::from_fn(move || {
        let from = begin?;
        let rest = &manifest[from..];
        let mut at = 0;
        for line in rest.split_inclusive('\n') {
            if line.trim_end() == "---" {
                begin = Some(from + at + line.len());
                return Some(&rest[..at]);
            }
            at += line.len();
        }
        begin = None;
        Some(rest)
    })
}

/// Whether there are only comments and empty lines.
fn is_blank(document: &str) -> bool {
    document.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// A document, within bounds. It takes [`STACK`].
pub(super) fn read<T: DeserializeOwned>(document: &str) -> Option<T> {
    let options = options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(document, options).ok()
}

fn push(head: Head, source: &str, namespace: &str, found: &mut Vec<Rendered>) {
    if let Some(items) = head.items {
        items.into_iter().for_each(|item| push(item, source, namespace, found));
        return;
    }
    let Some(name) = head.metadata.name.filter(|_| found.len() < MAX_DOCUMENTS) else { return };
    let group = head.api_version.split_once('/').map_or("", |(group, _)| group);
    let object = ObjectId {
        group: group.to_owned(),
        kind: head.kind,
        namespace: head.metadata.namespace.filter(|of| !of.is_empty() && of != namespace),
        name,
    };
    let keys = head.data.into_iter().chain(head.string_data).flatten().map(|(key, _)| key);
    let is_secret = object.group.is_empty() && object.kind == "Secret";
    let mut keys: Vec<String> = if is_secret { keys.collect() } else { Vec::new() };
    keys.sort();
    keys.dedup();
    let secret = is_secret.then_some(SecretShape { secret_type: head.type_, keys });
    found.push(Rendered { object, source: source.to_owned(), secret });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn objects_are_named_with_their_template_and_the_keys_of_secrets() {
        let manifest = "---\n# Source: shop/templates/a.yaml\napiVersion: v1\nkind: Secret\n\
            metadata: {name: keys, namespace: web}\ntype: Opaque\nstringData: {b: canary}\ndata:\n  a: x\n\
            ---\n# Source: shop/templates/empty.yaml\n---\n# Source: shop/templates/l.yaml\n\
            apiVersion: v1\nkind: List\nitems:\n- apiVersion: apps/v1\n  kind: Deployment\n  \
            metadata: {name: web}\n  spec: {x: [{y: [1]}]}\n- apiVersion: v1\n  kind: ConfigMap\n  \
            metadata: {name: far, namespace: other}\n---\n{{ broken\n---\nkind: 5\n";
        let (found, broken) = objects(manifest, "web");
        let names: Vec<_> = found.iter().map(|of| of.object.to_string()).collect();
        assert_eq!(names, ["Secret keys", "Deployment web", "ConfigMap other/far"]);
        assert_eq!((found[1].source.as_str(), broken), ("shop/templates/l.yaml", 2));
        let secret = found[0].secret.as_ref().unwrap();
        assert_eq!(
            (secret.keys.as_slice(), secret.secret_type.as_deref()),
            (&["a".to_owned(), "b".to_owned()][..], Some("Opaque"))
        );
        assert!(!format!("{found:?}").contains("canary"));
    }

    #[test]
    fn nesting_without_end_is_a_broken_document() {
        let deep =
            format!("apiVersion: v1\nkind: A\nmetadata: {{name: a}}\nx: {}", "[".repeat(20_000));
        let list = "items: [{apiVersion: v1, kind: List, ".repeat(2_000);
        for manifest in [deep, format!("{{apiVersion: v1, kind: List, {list}")] {
            assert_eq!(objects(&manifest, "web"), (Vec::new(), 1));
        }
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "(---\n|kind: |name: a|metadata: |[{}:,#\\- \n]|.){0,80}") {
            let (found, broken) = objects(&text, "web");
            prop_assert!(found.len() + broken <= documents(&text).count());
        }
    }
}
