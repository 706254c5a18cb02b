//! Who gets which part.

use reqwest::Method;
use serde_json::Value;

use super::super::{get, refused, site};
use super::Sample;
use crate::support::server::Answer;

const AUDIENCE: &str = "outhaul.dev";

const PARTS: [&str; 5] = ["manifest", "values", "chart", "image", "archive"];

#[test]
fn roles_without_the_action_get_no_part() {
    let sample = Sample::new("roles");
    let (site, _) = site();
    site.system().apply(
        "apiVersion: v1
kind: ConfigMap
metadata: {name: role-reader, labels: {epinio.io/role: 'true'}}
data: {id: reader, name: Reader, actions: app_read}
",
    );
    site.user("reader", "reader", "roles");
    site.user("exporter", "application_developer", "roles");
    let server = site.serve(&[]);
    for part in PARTS.into_iter().chain(["bogus"]) {
        let path = sample.path(part);
        assert_eq!(refused(&get(&server, "reader", &path), 403), "user unauthorized", "{part}");
        // `dev` may export, but in no other namespace than its own.
        let title = refused(&get(&server, "dev", &path), 403);
        assert_eq!(title, "user unauthorized for namespace roles");
        let around = format!("{path}?namespaces[]=workspace");
        assert_eq!(refused(&get(&server, "dev", &around), 403), title);
        let nobody = server.get(&format!("/api/v1{path}"));
        assert_eq!(refused(&nobody, 401), "missing credentials");
        let posted = server.send(Method::POST, &format!("/api/v1{path}"), &[], "");
        assert_eq!(refused(&posted, 405), "Method not allowed");
    }
    for part in PARTS {
        assert_eq!(get(&server, "exporter", &sample.path(part)).status, 200, "{part}");
    }
    let log = server.running().stderr();
    assert!(!log.contains("CANARY"), "{log}");
}

#[test]
fn a_server_that_hides_environments_tells_no_value() {
    let sample = Sample::new("hidden");
    let server = site().0.serve(&["--epinio-environment", "hide"]);
    let ask = |part: &str| get(&server, "admin", &sample.path(part));
    for part in ["values", "archive"] {
        let title = refused(&ask(part), 403);
        assert_eq!(title, "the values of applications' environments are not told by this server");
    }
    let manifest = ask("manifest");
    let environment = serde_saphyr::from_str::<Value>(&manifest.text).unwrap();
    let environment = &environment["configuration"]["environment"];
    assert_eq!(environment, &serde_json::json!({"PASSWORD": "", "TRICKY": ""}), "{manifest:?}");
    for part in ["chart", "image"] {
        assert_eq!(ask(part).status, 200, "{part}");
    }
}

/// For those whom Kubernetes knows, what is made of Secrets needs the right to read them.
#[test]
fn a_token_of_kubernetes_gets_what_it_may_read() {
    let sample = Sample::new("tokens-of-parts");
    let place = sample.namespace.name();
    sample.namespace.apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci}\n");
    sample.namespace.apply(&format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: ci}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:aggregate-to-view}}
subjects: [{{kind: ServiceAccount, name: ci, namespace: {place}}}]
"
    ));
    let server = site().0.serve(&[]);
    let token = format!("Bearer {}", sample.namespace.token("ci", Some(AUDIENCE)));
    let ask = |part: &str| -> Answer {
        let path = format!("/api/v1{}", sample.path(part));
        server.send(Method::GET, &path, &[("Authorization", &token)], "")
    };
    let manifest = server
        .running()
        .wait_for("the right", |_, _| Some(ask("manifest")).filter(|answer| answer.status == 200));
    assert!(manifest.text.contains("PASSWORD: \"\""), "{manifest:?}");
    assert!(!manifest.text.contains("CANARY"));
    let title = format!("user unauthorized for the Secrets of namespace {place}");
    for part in ["values", "chart", "archive"] {
        assert_eq!(refused(&ask(part), 403), title);
    }
    assert_eq!(ask("image").status, 200);
    assert!(server.running().stderr().contains(&title), "the audit has it");

    sample.namespace.apply(&format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: secrets}}
rules:
- {{apiGroups: [''], resources: [secrets], verbs: [get, list]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: secrets}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: secrets}}
subjects: [{{kind: ServiceAccount, name: ci, namespace: {place}}}]
"
    ));
    let values = server.running().wait_for("the right to Secrets", |_, _| {
        Some(ask("values")).filter(|answer| answer.status == 200)
    });
    assert!(values.text.contains("CANARY-sample"), "{values:?}");
    assert!(ask("manifest").text.contains("CANARY-sample"));
}
