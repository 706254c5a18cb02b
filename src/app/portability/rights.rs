//! Rights that reach over the whole cluster, and that a careful administrator asks about.

use serde_json::Value;

use super::Portability;
use super::pods::texts;
use crate::app::path;
use crate::app::{Code, Finding, Object, kinds};

/// Verbs with which rights grow.
const GROWING: [&str; 3] = ["bind", "escalate", "impersonate"];

/// Verbs that show what is in an object.
const READING: [&str; 4] = ["*", "get", "list", "watch"];

/// The role that may do everything, in every cluster.
const ADMIN: &str = "cluster-admin";

pub(super) fn check(objects: &[Object], found: &mut Portability) {
    let bindings = || objects.iter().filter(|of| kinds::is(of, kinds::CLUSTER_ROLE_BINDING));
    for binding in bindings().filter(|of| of.text("/roleRef/name") == Some(ADMIN)) {
        let text = format!("{} gives the application the rights of {ADMIN}", binding.id());
        say(binding, "roleRef.name", text, found);
    }
    for role in objects.iter().filter(|of| kinds::is(of, kinds::CLUSTER_ROLE)) {
        if bindings().any(|binding| binding.text("/roleRef/name") == Some(role.name())) {
            wide(role, found);
        }
    }
}

fn wide(role: &Object, found: &mut Portability) {
    for (path, rule) in path::find(role.fields(), "rules[]") {
        if let Some(what) = right(rule) {
            let text = format!("{} gives the application the right to {what}", role.id());
            say(role, &path.to_string(), text, found);
        }
    }
}

fn say(object: &Object, field: &str, text: String, found: &mut Portability) {
    let remedy = "Ask whoever runs the target, or install without it: `clusterScoped.create: \
                  false`.";
    let finding = Finding::new(Code::ClusterRights, text).on(object.id()).field(field);
    found.findings.push(finding.remedy(remedy));
}

/// The widest thing that a rule allows, if it is one to ask about.
fn right(rule: &Value) -> Option<String> {
    let list = |key: &str| rule.get(key).into_iter().flat_map(texts).collect::<Vec<_>>();
    let (groups, resources, verbs) = (list("apiGroups"), list("resources"), list("verbs"));
    let any = |of: &[&str]| of.contains(&"*");
    let named = !list("resourceNames").is_empty();
    if any(&resources) && any(&verbs) {
        let group =
            if any(&groups) { "in all groups".to_owned() } else { format!("in {}", of(&groups)) };
        return Some(format!("do everything with every kind {group}"));
    }
    if let Some(verb) = GROWING.iter().find(|verb| verbs.contains(verb)) {
        return Some(format!("{verb} {}", of(&resources)));
    }
    let secrets = (any(&groups) || groups.contains(&""))
        && (any(&resources) || resources.contains(&"secrets"))
        && verbs.iter().any(|verb| READING.contains(verb));
    (secrets && !named).then(|| "read the Secrets of every namespace".to_owned())
}

/// A list for a sentence; the core group has no name.
fn of(list: &[&str]) -> String {
    let named = list.iter().map(|of| if of.is_empty() { "the core group" } else { *of });
    named.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_wide_rights_are_said() {
        let rule = |groups: &[&str], resources: &[&str], verbs: &[&str]| {
            right(&json!({"apiGroups": groups, "resources": resources, "verbs": verbs}))
        };
        assert_eq!(rule(&[""], &["pods"], &["get", "list", "watch"]), None);
        assert_eq!(rule(&["apps"], &["*"], &["get"]), None);
        assert_eq!(rule(&["metrics.example"], &["secrets"], &["get"]), None);
        assert_eq!(rule(&[""], &["secrets"], &["create"]), None);
        let cases = [
            (rule(&["*"], &["*"], &["*"]), "do everything with every kind in all groups"),
            (
                rule(&["", "apps"], &["*"], &["*"]),
                "do everything with every kind in the core group, apps",
            ),
            (
                rule(&["rbac.authorization.k8s.io"], &["clusterroles"], &["escalate"]),
                "escalate clusterroles",
            ),
            (rule(&[""], &["users"], &["impersonate"]), "impersonate users"),
            (
                rule(&["", "apps"], &["configmaps", "secrets"], &["list"]),
                "read the Secrets of every namespace",
            ),
            (rule(&["*"], &["*"], &["get"]), "read the Secrets of every namespace"),
        ];
        for (found, expected) in cases {
            assert_eq!(found.as_deref(), Some(expected));
        }
        let one = json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"],
            "resourceNames": ["ours"]});
        assert_eq!(right(&one), None);
    }
}
