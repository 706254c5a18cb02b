//! Service accounts, bindings and roles.

use super::super::codes;
use super::{container, deployment, label, object, others, web};

const ACCOUNT: &str = "serviceAccountName: web, containers: []";

fn binding(kind: &str, name: &str, role: (&str, &str), accounts: &[&str]) -> String {
    let subject = |of: &&str| format!("{{kind: ServiceAccount, name: {of}, namespace: shop}}");
    let subjects: Vec<_> = accounts.iter().map(subject).collect();
    let (role_kind, role) = role;
    let rest = format!(
        ", roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {role_kind}, name: {role}}}, \
         subjects: [{}]",
        subjects.join(", ")
    );
    object("rbac.authorization.k8s.io/v1", kind, name, &rest)
}

fn role(kind: &str, name: &str) -> String {
    object("rbac.authorization.k8s.io/v1", kind, name, ", rules: []")
}

#[test]
fn rights_follow_the_service_account() {
    let app = web(&(deployment("web", ACCOUNT)
        + &object("v1", "ServiceAccount", "web", "")
        + &role("Role", "r")
        + &role("ClusterRole", "c")
        + &role("ClusterRole", "unbound")
        + &binding("RoleBinding", "r", ("Role", "r"), &["web"])
        + &binding("RoleBinding", "view", ("ClusterRole", "view"), &["web"])
        + &binding("ClusterRoleBinding", "c", ("ClusterRole", "c"), &["web"])));
    assert_eq!(
        others(&app),
        [
            "ServiceAccount web",
            "ClusterRole c",
            "ClusterRoleBinding c",
            "Role r",
            "RoleBinding r",
            "RoleBinding view"
        ]
    );
    assert!(app.findings.is_empty() && app.requirements.is_empty());
    let subject =
        app.objects.iter().find(|object| object.name() == "c" && object.at("/subjects").is_some());
    assert_eq!(subject.unwrap().at("/subjects/0/namespace"), None);
}

#[test]
fn rights_that_others_have_as_well_are_required() {
    let app = web(&(deployment("web", ACCOUNT)
        + &object("v1", "ServiceAccount", "web", "")
        + &role("Role", "r")
        + &role("ClusterRole", "c")
        + &binding("RoleBinding", "both", ("Role", "r"), &["web", "other"])
        + &binding("RoleBinding", "mine", ("Role", "r"), &["web"])
        + &binding("ClusterRoleBinding", "c", ("ClusterRole", "c"), &["web", "other"])
        + &binding("ClusterRoleBinding", "foreign", ("ClusterRole", "c"), &["other"])));
    assert_eq!(others(&app), ["ServiceAccount web", "RoleBinding mine"]);
    let required: Vec<_> = app.requirements.iter().map(|of| of.object.to_string()).collect();
    assert_eq!(required, ["ClusterRoleBinding c", "Role r", "RoleBinding both"]);
    assert_eq!(
        codes(&app),
        [
            "CLUSTER_SCOPED_REQUIRED ClusterRoleBinding c",
            "NOT_EXPORTED Role r",
            "NOT_EXPORTED RoleBinding both"
        ]
    );
}

#[test]
fn a_shared_service_account_keeps_its_rights_outside() {
    let app = web(&(deployment("web", ACCOUNT)
        + &deployment("other", ACCOUNT)
        + &object("v1", "ServiceAccount", "web", "")
        + &role("Role", "r")
        + &binding("RoleBinding", "r", ("Role", "r"), &["web"])));
    assert_eq!(others(&app), [""; 0]);
    assert_eq!(codes(&app), ["NOT_EXPORTED ServiceAccount web", "NOT_EXPORTED RoleBinding r"]);
    assert_eq!(app.requirements.len(), 2);
}

#[test]
fn roles_that_are_not_there_are_named() {
    let app = web(&(deployment("web", ACCOUNT)
        + &object("v1", "ServiceAccount", "web", "")
        + &binding("RoleBinding", "r", ("Role", "gone"), &["web"])
        + &binding("RoleBinding", "c", ("ClusterRole", "unseen"), &["web"])));
    assert_eq!(
        codes(&app),
        ["CLUSTER_SCOPED_REQUIRED ClusterRole unseen", "REFERENCE_MISSING RoleBinding r"]
    );
}

#[test]
fn the_default_account_is_never_taken() {
    let account = |rest: &str| object("v1", "ServiceAccount", "default", rest);
    let text = container("web", "");
    let plain = web(&(text.clone() + &account(", secrets: [{name: default-token-x}]")));
    assert_eq!((others(&plain), codes(&plain)), (vec![], vec![]));
    let custom = web(&(text + &account(", automountServiceAccountToken: false")));
    assert_eq!(others(&custom), [""; 0]);
    assert_eq!(codes(&custom), ["NOT_EXPORTED ServiceAccount default"]);
}

#[test]
fn labelled_objects_of_the_cluster_are_taken_or_required() {
    let app = web(&(container("web", "")
        + &label(&role("ClusterRole", "mine"))
        + &label(&object("scheduling.k8s.io/v1", "PriorityClass", "high", ", value: 1"))));
    assert_eq!(others(&app), ["ClusterRole mine"]);
    assert_eq!(codes(&app), ["CLUSTER_SCOPED_REQUIRED PriorityClass high"]);
}
