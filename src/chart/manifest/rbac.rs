//! Service accounts and rights: cluster-scoped objects may be left out or renamed, and subjects
//! live in the release's namespace.

use super::generic::{annotations, title};
use super::{Builder, Draft};
use crate::chart::expr;
use crate::chart::keys::Section;
use crate::chart::values::{Setting, boolean, pattern};
use crate::chart::yaml::{Node, Part, Row};

const SUFFIX: &str = ".Values.clusterScoped.nameSuffix";

pub(super) fn service_account(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    let key = builder.keys.key(Section::ServiceAccounts, draft.object);
    draft.variable("account", &expr::entry("serviceAccounts", &key));
    let comment = "Annotations, such as the role or identity at a cloud.";
    let annotations = annotations(builder, draft, "$account", comment);
    let entry = Setting::group(format!("{}.", title(draft.object)), [("annotations", annotations)]);
    builder.values.entry(Section::ServiceAccounts.name(), key, entry);
}

pub(super) fn parameterise(builder: &mut Builder<'_>, draft: &mut Draft<'_>) {
    subjects(&mut draft.body);
    if draft.object.text("/roleRef/kind") == Some("ClusterRole")
        && let Some(role) = draft.body.at_mut(&["roleRef", "name"])
        && role.as_str().is_some_and(|role| builder.cluster_roles.contains(role))
    {
        suffix(role);
    }
    if matches!(draft.object.kind(), "ClusterRole" | "ClusterRoleBinding") {
        draft.condition = Some("if .Values.clusterScoped.create".to_owned());
        if let Some(name) = draft.body.at_mut(&["metadata", "name"]) {
            suffix(name);
        }
        builder.values.section("clusterScoped", cluster_scoped());
    }
}

/// Service accounts of the application are where the release is.
fn subjects(body: &mut Node) {
    let Some(subjects) = body.get_mut("subjects") else { return };
    for subject in subjects.items_mut() {
        let is_account =
            subject.get_mut("kind").and_then(|kind| kind.as_str()) == Some("ServiceAccount");
        if is_account && subject.get_mut("namespace").is_none() {
            let namespace = Node::expr(".Release.Namespace | quote");
            subject.put_after("namespace", "name", Row::field("namespace", namespace));
        }
    }
}

fn suffix(name: &mut Node) {
    if let Some(live) = name.as_str().map(str::to_owned) {
        *name = Node::Text(vec![Part::Literal(live), Part::Expr(SUFFIX.to_owned())]);
    }
}

fn cluster_scoped() -> Setting {
    let create = Setting::value(
        "Whether the chart makes them. If not, someone with the right to must.",
        true,
        boolean(),
    );
    let suffix = Setting::value(
        "Appended to their names; tells apart releases in one cluster.",
        "",
        pattern("^[-.:a-z0-9]*$"),
    );
    Setting::group("", [("create", create), ("nameSuffix", suffix)])
}
