//! The name of the old namespace in what users wrote. It is not rewritten, only reported: nobody
//! can tell an address from a word that looks like one.

use serde_json::Value;

use super::Portability;
use crate::app::kinds;
use crate::app::path::{self, Path, Step};
use crate::app::view::View;
use crate::app::{Code, Finding, Object};

/// Text below the `spec` of a pod.
const POD: [&str; 3] = [
    "containers|initContainers[].args[]",
    "containers|initContainers[].command[]",
    "containers|initContainers[].env[].value",
];

/// Selectors of namespaces in a NetworkPolicy, and the label that every namespace has.
const PEERS: &str = "spec.ingress|egress[].from|to[].namespaceSelector";
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The Service of the API server is in the same namespace in every cluster.
const API_SERVER: (&str, &str) = ("kubernetes", "default");

/// The namespace that is looked for.
#[derive(Clone, Copy)]
struct Own<'a> {
    namespace: &'a str,
    /// Names of the Services in it, in order.
    services: &'a [&'a str],
}

/// Says where the application's namespace is named.
pub(super) fn check(view: &View<'_>, objects: &[Object], found: &mut Portability) {
    let services: Vec<&str> =
        view.of_kind(kinds::SERVICE).map(|(_, of)| of.object.name()).collect();
    let own = Own { namespace: &view.snapshot.namespace, services: &services };
    for object in objects {
        named_in(object, own, &mut found.findings);
    }
}

fn named_in(object: &Object, own: Own<'_>, findings: &mut Vec<Finding>) {
    let id = object.id();
    let mut say = |field: String, token: &str| {
        let text = format!(
            "`{token}` in {field} of {id} names the namespace that the application was read from"
        );
        let finding = Finding::new(Code::NamespaceInData, text).on(id.clone()).field(field);
        findings
            .push(finding.remedy("Change it before installing into a namespace of another name."));
    };
    if let Some(template) = kinds::pod_template(object) {
        for at in POD {
            for (path, value) in
                path::find(object.fields(), &kinds::below(template, &format!("spec.{at}")))
            {
                if let Some(token) = value.as_str().and_then(|text| token(text, own)) {
                    say(path.to_string(), &token);
                }
            }
        }
    }
    for (path, selector) in path::find(object.fields(), PEERS) {
        if let Some(field) = naming_field(&path, selector, own.namespace) {
            say(field.to_string(), own.namespace);
        }
    }
    if kinds::is(object, kinds::CONFIG_MAP) {
        let data = object.at("/data").and_then(Value::as_object);
        for (key, value) in data.into_iter().flatten() {
            if let Some(token) = value.as_str().and_then(|text| token(text, own)) {
                say(Path::default().key("data").key(key).to_string(), &token);
            }
        }
    }
}

/// Where a selector of namespaces chooses the namespace by its name.
fn naming_field(at: &Path, selector: &Value, namespace: &str) -> Option<Path> {
    let label = selector.get("matchLabels").and_then(|labels| labels.get(NAME_LABEL));
    if label.is_some_and(|name| name == namespace) {
        return Some(at.key("matchLabels").key(NAME_LABEL));
    }
    let expressions = selector.get("matchExpressions")?.as_array()?;
    expressions.iter().enumerate().find_map(|(index, expression)| {
        expression.get("key").filter(|key| *key == NAME_LABEL)?;
        let place = expression.get("values")?.as_array()?.iter().position(|of| of == namespace)?;
        let at = at.key("matchExpressions").then(Step::Item(index));
        Some(at.key("values").then(Step::Item(place)))
    })
}

/// The first address in the text that names the namespace: `.shop.svc`, or a Service of it as
/// `db.shop`. The bare name says nothing: it may be any word.
fn token(text: &str, own: Own<'_>) -> Option<String> {
    let namespace = own.namespace;
    text.match_indices(namespace).find_map(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + namespace.len()..]);
        let host = before.strip_suffix('.')?;
        let service = host.rsplit(|c: char| !is_name(c)).next()?;
        if (service, namespace) == API_SERVER {
            return None;
        }
        if let Some(rest) = after.strip_prefix(".svc")
            && !rest.starts_with(is_name)
        {
            return Some(format!(".{namespace}.svc"));
        }
        let ends = !after.starts_with(|c: char| is_name(c) || c == '.');
        let known = own.services.binary_search(&service).is_ok();
        (ends && known).then(|| format!("{service}.{namespace}"))
    })
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_and_words_are_not() {
        let own = Own { namespace: "shop", services: &["db"] };
        for (text, expected) in [
            ("postgres://db.shop.svc.cluster.local:5432/x", Some(".shop.svc")),
            ("http://any.shop.svc", Some(".shop.svc")),
            ("http://any.shop.svc/", Some(".shop.svc")),
            ("db.shop:5432", Some("db.shop")),
            ("hosts: [db.shop]", Some("db.shop")),
            ("shop", None),
            ("www.shop.example", None),
            ("db.shop.example.com", None),
            ("db.shopping", None),
            ("any.shop.svcs", None),
            ("web.shop", None),
            ("workshop.svc", None),
            ("ünïcode.shop.svc ✓", Some(".shop.svc")),
        ] {
            assert_eq!(token(text, own).as_deref(), expected, "{text}");
        }
    }
    #[test]
    fn the_api_server_is_in_every_cluster() {
        let own = Own { namespace: "default", services: &["kubernetes"] };
        assert_eq!(token("https://kubernetes.default.svc", own), None);
        assert_eq!(token("https://db.default.svc", own).as_deref(), Some(".default.svc"));
    }
}
