//! Namespaces that users' text names: the application's own, which the chart may be told to
//! rewrite, and others, which the chart cannot bring.
//!
//! Nobody can tell an address from a word that looks like one, so that only addresses count.

use serde_json::Value;

use super::Portability;
use super::pods::Pod;
use crate::app::kinds;
use crate::app::model::{NAMESPACE_PLACEHOLDER, NamespacePlace};
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

/// The namespace that is in every cluster, with its DNS.
const SYSTEM: &str = "kube-system";

/// The namespace that is looked for.
#[derive(Clone, Copy)]
struct Own<'a> {
    namespace: &'a str,
    /// Names of the Services in it, in order.
    services: &'a [&'a str],
}

/// Text of a user, and where it stands.
type Text<'a> = (Path, &'a str);

/// Says which namespaces are named. With `rewrite`, where the application's own is named goes to
/// [`Portability::rewrites`].
pub(super) fn check(view: &View<'_>, objects: &[Object], rewrite: bool, found: &mut Portability) {
    let services: Vec<&str> =
        view.of_kind(kinds::SERVICE).map(|(_, of)| of.object.name()).collect();
    let own = Own { namespace: &view.snapshot.namespace, services: &services };
    for object in objects {
        let (texts, names) = (texts(object), names(object));
        // Then a placeholder could not be told from the user's own text.
        let rewrite = rewrite && !holds_placeholder(object);
        for (path, text) in texts {
            let tokens = tokens(text, own);
            if let Some((_, token)) = tokens.first() {
                let token = token.clone();
                let offsets = tokens.into_iter().map(|(at, _)| at).collect();
                own_namespace(object, &path, &token, offsets, rewrite, found);
            }
            if let Some(address) = foreign_address(text, own) {
                other_namespace(object, &path, &address, found);
            }
        }
        for (path, name) in names {
            if name == own.namespace {
                own_namespace(object, &path, name, vec![0], rewrite, found);
            } else if name != SYSTEM {
                other_namespace(object, &path, name, found);
            }
        }
    }
}

fn holds_placeholder(object: &Object) -> bool {
    // JSON has nothing to escape in it.
    serde_json::to_string(object.fields()).map_or(true, |json| json.contains(NAMESPACE_PLACEHOLDER))
}

/// Text of the object that may hold addresses.
fn texts(object: &Object) -> Vec<Text<'_>> {
    let mut found = Vec::new();
    if let Some(pod) = Pod::of(object) {
        found.extend(POD.into_iter().flat_map(|at| pod.find(at)));
    }
    if kinds::is(object, kinds::SERVICE) {
        found.extend(path::find(object.fields(), "spec.externalName"));
    }
    if kinds::is(object, kinds::CONFIG_MAP) {
        let data = object.at("/data").and_then(Value::as_object).into_iter().flatten();
        found.extend(data.map(|(key, text)| (Path::default().key("data").key(key), text)));
    }
    found.into_iter().filter_map(|(path, text)| Some((path, text.as_str()?))).collect()
}

/// Names of namespaces by which a policy chooses them.
fn names(object: &Object) -> Vec<Text<'_>> {
    let mut found = Vec::new();
    for (at, selector) in path::find(object.fields(), PEERS) {
        let label = selector.get("matchLabels").and_then(|labels| labels.get(NAME_LABEL));
        found.extend(label.map(|name| (at.key("matchLabels").key(NAME_LABEL), name)));
        let expressions = selector.get("matchExpressions").and_then(Value::as_array);
        for (index, expression) in expressions.into_iter().flatten().enumerate() {
            let by_name = expression.get("key").is_some_and(|key| key == NAME_LABEL);
            let values = expression.get("values").and_then(Value::as_array).filter(|_| by_name);
            let at = at.key("matchExpressions").then(Step::Item(index)).key("values");
            let values = values.into_iter().flatten().enumerate();
            found.extend(values.map(|(place, name)| (at.then(Step::Item(place)), name)));
        }
    }
    found.into_iter().filter_map(|(path, name)| Some((path, name.as_str()?))).collect()
}

fn own_namespace(
    object: &Object,
    path: &Path,
    token: &str,
    offsets: Vec<usize>,
    rewrite: bool,
    found: &mut Portability,
) {
    let (id, field) = (object.id(), path.to_string());
    let (code, end, remedy) = if rewrite {
        let (object, pointer) = (id.clone(), path.pointer());
        found.rewrites.push(NamespacePlace { object, pointer, offsets });
        (Code::NamespaceRewritten, "; the chart writes the release's", "")
    } else {
        let remedy = "Change it before installing into a namespace of another name, or export \
                      with `--rewrite-namespace`.";
        (Code::NamespaceInData, "", remedy)
    };
    let text = format!(
        "`{token}` in {field} of {id} names the namespace that the application was read from{end}"
    );
    found.findings.push(Finding::new(code, text).on(id).field(field).remedy(remedy));
}

fn other_namespace(object: &Object, path: &Path, token: &str, found: &mut Portability) {
    let (id, field) = (object.id(), path.to_string());
    let text = format!("`{token}` in {field} of {id} is in another namespace");
    let remedy = "Make sure that the target cluster has it, or change the value.";
    found
        .findings
        .push(Finding::new(Code::OtherNamespace, text).on(id).field(field).remedy(remedy));
}

/// The addresses in the text that name the namespace, each with the place of its name:
/// `.shop.svc`, or a Service of it as `db.shop`. The bare name says nothing: it may be any word.
fn tokens(text: &str, own: Own<'_>) -> Vec<(usize, String)> {
    let namespace = own.namespace;
    let token = |(at, _): (usize, &str)| {
        let (before, after) = (&text[..at], &text[at + namespace.len()..]);
        let host = before.strip_suffix('.')?;
        let service = last_name(host);
        if (service, namespace) == API_SERVER {
            return None;
        }
        if let Some(rest) = after.strip_prefix(".svc")
            && !rest.starts_with(is_name)
        {
            return Some((at, format!(".{namespace}.svc")));
        }
        let ends = !after.starts_with(|c: char| is_name(c) || c == '.');
        let known = own.services.binary_search(&service).is_ok();
        (ends && known).then(|| (at, format!("{service}.{namespace}")))
    };
    text.match_indices(namespace).filter_map(token).collect()
}

/// The first address of a Service in another namespace, `queue.infra.svc`.
fn foreign_address(text: &str, own: Own<'_>) -> Option<String> {
    text.match_indices(".svc").find_map(|(at, svc)| {
        let namespace = last_name(&text[..at]);
        let service = last_name(text[..at - namespace.len()].strip_suffix('.')?);
        let ends = !text[at + svc.len()..].starts_with(is_name);
        let counts = ends && !service.is_empty() && !namespace.is_empty();
        let known =
            namespace == own.namespace || namespace == SYSTEM || (service, namespace) == API_SERVER;
        (counts && !known).then(|| format!("{service}.{namespace}.svc"))
    })
}

/// The name at the end of the text, up to what cannot be part of one.
fn last_name(text: &str) -> &str {
    text.rsplit(|c: char| !is_name(c)).next().unwrap_or_default()
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
            let found = tokens(text, own);
            assert_eq!(found.first().map(|(_, token)| token.as_str()), expected, "{text}");
            assert!(found.iter().all(|(at, _)| text[*at..].starts_with("shop")), "{text}");
        }
    }
    #[test]
    fn the_api_server_is_in_every_cluster() {
        let own = Own { namespace: "default", services: &["kubernetes"] };
        assert_eq!(tokens("https://kubernetes.default.svc", own), []);
        assert_eq!(tokens("db.default.svc,x.default.svc", own).len(), 2);
    }

    #[test]
    fn other_namespaces_are_told_by_whole_addresses() {
        let own = Own { namespace: "shop", services: &["db"] };
        for (text, expected) in [
            ("amqp://queue.infra.svc:5672", Some("queue.infra.svc")),
            ("a=db.shop.svc b=queue.infra.svc.cluster.local", Some("queue.infra.svc")),
            ("https://kubernetes.default.svc", None),
            ("kube-dns.kube-system.svc", None),
            ("queue.infra.svcs", None),
            ("infra.svc", None),
            ("$(HOST).svc", None),
            ("ü.svc", None),
            (".svc", None),
        ] {
            assert_eq!(foreign_address(text, own).as_deref(), expected, "{text}");
        }
    }
}
