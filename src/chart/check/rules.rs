//! The intended differences between what ran and what a chart renders: the closed list of invariant
//! I5. Most of what normalising takes out (pull secrets, namespaces, doubled keys) is gone from the
//! application before, and is no difference here.

use serde_json::Value;

use super::{Case, secrets};
use crate::app::{HOOK_ANNOTATIONS, Object};
use crate::chart::input::Input;
use crate::chart::manifest::with_namespace;

/// One intended difference.
#[derive(Debug)]
pub struct Rule {
    /// Its name in reports.
    pub name: &'static str,
    /// Why it is intended.
    pub reason: &'static str,
    covers: Covers,
}

/// What a rule is about.
#[derive(Debug)]
enum Covers {
    /// Changes of an object's fields.
    Change(fn(&Case<'_>) -> bool),
    /// Objects that the application does not have: what such an object has to be.
    Object(fn(&Input<'_>, &Object) -> Option<Object>),
}

/// The closed list.
pub const RULES: &[Rule] = &[
    Rule {
        name: "imageReference",
        reason: "images are pulled from the copy, by the digest that ran",
        covers: Covers::Change(is_image),
    },
    Rule {
        name: "helmLabels",
        reason: "Helm's labels say which chart and release an object belongs to",
        covers: Covers::Change(is_helm_label),
    },
    Rule {
        name: "subjectNamespace",
        reason: "service accounts that get rights are those of the release's namespace",
        covers: Covers::Change(is_subject),
    },
    Rule {
        name: "keepPolicy",
        reason: "volume claims stay when the release goes, so that no data is lost",
        covers: Covers::Change(is_keep_policy),
    },
    Rule {
        name: "jobHook",
        reason: "Jobs run after each install and upgrade, as asked for",
        covers: Covers::Change(is_job_hook),
    },
    Rule {
        name: "namespaceRewritten",
        reason: "addresses in the application's namespace follow the release, as asked for",
        covers: Covers::Change(is_rewritten),
    },
    Rule {
        name: "serviceType",
        reason: "the type is a value, and ClusterIP is what a Service without one has",
        covers: Covers::Change(is_default_type),
    },
    Rule {
        name: "emptyVariable",
        reason: "each plain variable is a value, and one without a value is empty",
        covers: Covers::Change(is_empty_variable),
    },
    Rule {
        name: "secretMade",
        reason: "the policy for Secrets has the chart make this one",
        covers: Covers::Object(secrets::made),
    },
];

/// The rule that a change falls under.
pub(super) fn of_change(case: &Case<'_>) -> Option<&'static Rule> {
    RULES.iter().find(|rule| matches!(rule.covers, Covers::Change(covers) if covers(case)))
}

/// The rule that an object falls under which the application does not have, and what it has to be.
pub(super) fn of_object(input: &Input<'_>, object: &Object) -> Option<(&'static Rule, Object)> {
    RULES.iter().find_map(|rule| match rule.covers {
        Covers::Object(covers) => Some((rule, covers(input, object)?)),
        Covers::Change(_) => None,
    })
}

/// The image of a container, a volume or a field of a custom resource, as the reference that the
/// chart was built with.
fn is_image(case: &Case<'_>) -> bool {
    let pointer = case.change.pointer.as_str();
    let container = pointer.strip_suffix("/image");
    let id = case.object.id();
    let places = case.images.get(&id).map(Vec::as_slice).unwrap_or_default();
    let place = places.iter().find(|(place, _)| *place == pointer || Some(*place) == container);
    place.is_some_and(|(_, image)| {
        let prefix = if image.registry.is_empty() { "" } else { "/" };
        let reference = format!("{}{prefix}{}@{}", image.registry, image.repository, image.digest);
        case.change.after.and_then(Value::as_str) == Some(&*reference)
    })
}

fn is_helm_label(case: &Case<'_>) -> bool {
    let is_right = |label: &str, value: &Value| match label {
        "helm.sh/chart" => *value == *chart_label(&case.input.name, &case.input.version),
        "app.kubernetes.io/instance" => *value == *case.release.name,
        "app.kubernetes.io/managed-by" => *value == "Helm",
        _ => false,
    };
    is_added(case, "/metadata/labels", is_right)
}

/// What the chart's own helper makes of its name and version.
fn chart_label(chart: &str, version: &semver::Version) -> String {
    let label: String = format!("{chart}-{version}").replace('+', "_").chars().take(63).collect();
    label.trim_matches(['-', '_', '.']).to_owned()
}

fn is_keep_policy(case: &Case<'_>) -> bool {
    let is_right = |key: &str, value: &Value| key == "helm.sh/resource-policy" && *value == "keep";
    case.object.kind() == "PersistentVolumeClaim"
        && is_added(case, "/metadata/annotations", is_right)
}

fn is_job_hook(case: &Case<'_>) -> bool {
    let is_right =
        |key: &str, value: &Value| HOOK_ANNOTATIONS.iter().any(|(k, v)| *k == key && *value == **v);
    case.object.kind() == "Job" && is_added(case, "/metadata/annotations", is_right)
}

/// Text with the release's namespace exactly where the application's stood.
fn is_rewritten(case: &Case<'_>) -> bool {
    let (app, change) = (case.input.app, case.change);
    let (before, after) = (change.before.and_then(Value::as_str), change.after);
    let id = case.object.id();
    let place = app.rewrites.iter().find(|of| of.pointer == change.pointer && of.object == id);
    before.zip(place).is_some_and(|(before, place)| {
        let namespace = case.release.namespace;
        let text = with_namespace(before, &place.offsets, &app.namespace, namespace);
        after.and_then(Value::as_str) == Some(&*text)
    })
}

/// Whether entries of the mapping at `pointer` were added, each of them right, or the mapping with
/// nothing else in it.
fn is_added(case: &Case<'_>, pointer: &str, is_right: impl Fn(&str, &Value) -> bool) -> bool {
    let (Some(after), None) = (case.change.after, case.change.before) else { return false };
    let Some(rest) = case.change.pointer.strip_prefix(pointer) else { return false };
    match (rest.strip_prefix('/'), after) {
        (Some(key), value) => is_right(&key.replace("~1", "/").replace("~0", "~"), value),
        (None, Value::Object(entries)) if rest.is_empty() => {
            entries.iter().all(|(key, value)| is_right(key, value))
        }
        _ => false,
    }
}

fn is_subject(case: &Case<'_>) -> bool {
    let change = case.change;
    matches!(case.object.kind(), "RoleBinding" | "ClusterRoleBinding")
        && change.pointer.starts_with("/subjects/")
        && change.pointer.ends_with("/namespace")
        && change.before.is_none()
        && change.after.and_then(Value::as_str) == Some(case.release.namespace)
}

fn is_default_type(case: &Case<'_>) -> bool {
    let change = case.change;
    case.object.kind() == "Service"
        && change.pointer == "/spec/type"
        && change.before.is_none()
        && change.after.and_then(Value::as_str) == Some("ClusterIP")
}

/// The API server keeps no empty values: a variable without one may have been written with it.
fn is_empty_variable(case: &Case<'_>) -> bool {
    let change = case.change;
    let steps: Vec<&str> = change.pointer.rsplit('/').take(3).collect();
    matches!(steps[..], ["value", _, "env"])
        && change.before.is_none()
        && change.after.and_then(Value::as_str) == Some("")
}
