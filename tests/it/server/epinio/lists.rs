//! The lists besides applications that clients draw their pages with.

use reqwest::Method;
use serde_json::{Value, json};

use super::looks::AUDIENCE;
use super::{get, refused, site};
use crate::support::objects::Namespace;

/// Configurations of a namespace: one that somebody made and two of a service, which an application
/// uses.
const CONFIGURATIONS: &str = "
apiVersion: v1
kind: Secret
metadata:
  name: own
  labels: {epinio.io/configuration: 'true', epinio.io/configuration-type: custom}
  annotations: {epinio.io/created-by: admin}
stringData: {key: canary}
---
apiVersion: v1
kind: Secret
metadata:
  name: db-one
  labels:
    epinio.io/configuration: 'true'
    epinio.io/configuration-type: service
    epinio.io/configuration-origin: db
stringData: {password: canary}
---
apiVersion: v1
kind: Secret
metadata:
  name: db-two
  labels:
    epinio.io/configuration: 'true'
    epinio.io/configuration-type: service
    epinio.io/configuration-origin: db
---
apiVersion: v1
kind: Secret
metadata:
  name: sample-config
  labels:
    app.kubernetes.io/name: sample
    app.kubernetes.io/part-of: PLACE
    app.kubernetes.io/managed-by: epinio
    app.kubernetes.io/component: application
    epinio.io/area: configuration
stringData: {db-one: '', db-two: ''}
---
apiVersion: v1
kind: Secret
metadata: {name: none-of-epinios}
stringData: {key: canary}
";

pub(in crate::server) const CHARTS: &str = "
apiVersion: application.epinio.io/v1
kind: AppChart
metadata: {name: standard}
spec:
  description: Epinio standard deployment
  shortDescription: Epinio standard
  helmChart: https://charts.example.com/epinio-application-0.1.26.tgz
  settings:
    appListeningPort: {type: integer, minimum: '1', maximum: '65535'}
    size: {type: string, enum: [small, large]}
  values: {token: canary}
---
apiVersion: application.epinio.io/v1
kind: AppChart
metadata: {name: local}
spec: {helmChart: /var/run/secrets/canary.tgz}
---
apiVersion: application.epinio.io/v1
kind: AppChart
metadata: {name: repo}
spec: {helmChart: 'web:1.0.0', helmRepo: 'https://me:canary@charts.example.com/'}
";

fn place(name: &str) -> Namespace<'static> {
    let namespace = site().0.namespace(name);
    namespace.apply(&CONFIGURATIONS.replace("PLACE", name));
    namespace
}

/// The answer without its times.
fn timeless(text: &str) -> String {
    let times = regex::Regex::new(r#","createdAt":"[^"]+""#).unwrap();
    times.replace_all(text, "").into_owned()
}

#[test]
fn configurations_are_told_without_what_is_in_them() {
    let (site, server) = site();
    place("configured");
    let path = "/namespaces/configured/configurations";
    let meta = |name: &str| format!(r#"{{"meta":{{"name":"{name}","namespace":"configured"}},"#);
    let of_db = |name: &str, other: &str| {
        let head = meta(name);
        let bound = r#""configuration":{"user":"","boundapps":["sample"],"type":"service","#;
        format!(r#"{head}{bound}"origin":"db","siblings":["{other}"]}}}}"#)
    };
    let (one, two) = (of_db("db-one", "db-two"), of_db("db-two", "db-one"));
    let own = format!(
        r#"{}"configuration":{{"user":"admin","boundapps":[],"type":"custom"}}}}"#,
        meta("own")
    );
    assert_eq!(timeless(&get(server, "admin", path).text), format!("[{one},{two},{own}]"));
    let page = get(server, "admin", &format!("{path}?page=9&pageSize=2")).json();
    assert_eq!((&page["page"], &page["items"][0]["meta"]["name"]), (&json!(2), &json!("own")));
    let found = get(server, "admin", &format!("{path}?search=OW")).text;
    assert_eq!(timeless(&found), format!("[{own}]"));
    let all = get(server, "admin", "/configurations").json();
    let mine: Vec<&Value> = all.as_array().unwrap().iter().map(|item| &item["meta"]).collect();
    assert_eq!(mine.iter().filter(|meta| meta["namespace"] == "configured").count(), 3);
    let names = get(server, "admin", "/namespaces/configured").json()["configurations"].clone();
    assert_eq!(names, json!(["db-one", "db-two", "own"]));

    // Who may see applications may not see these.
    site.user("watcher", "application_developer", "configured");
    let server = &site.serve(&[]);
    for path in [path, "/configurations"] {
        assert_eq!(refused(&get(server, "watcher", path), 403), "user unauthorized");
    }
    assert_eq!(refused(&get(server, "admin", "/namespaces/none/configurations"), 404), {
        "namespace 'none' does not exist"
    });
}

#[test]
fn charts_are_told_without_values_credentials_and_paths() {
    let (site, server) = site();
    site.system().apply(CHARTS);
    let standard = r#"{"meta":{"name":"standard"},"description":"Epinio standard deployment","short_description":"Epinio standard","helm_chart":"https://charts.example.com/epinio-application-0.1.26.tgz","settings":{"appListeningPort":{"type":"integer","minimum":"1","maximum":"65535"},"size":{"type":"string","enum":["small","large"]}}}"#;
    let local = r#"{"meta":{"name":"local"}}"#;
    let repo = r#"{"meta":{"name":"repo"},"helm_chart":"web:1.0.0","helm_repo":"https://charts.example.com/"}"#;
    let all = get(server, "dev", "/appcharts");
    assert_eq!(timeless(&all.text), format!("[{local},{repo},{standard}]"));
    let one = get(server, "dev", "/appcharts/standard");
    assert_eq!(timeless(&one.text), standard);
    assert_eq!(refused(&get(server, "dev", "/appcharts/none"), 404), {
        "application chart 'none' does not exist"
    });
    assert_eq!(get(server, "dev", "/appchartsmatch/st").text, r#"{"names":["standard"]}"#);
    assert_eq!(get(server, "dev", "/appchartsmatch").json()["names"], {
        json!(["local", "repo", "standard"])
    });
    let searched = get(server, "dev", "/appcharts?search=REP&page=1").json();
    assert_eq!(searched["totalItems"], 1);
}

#[test]
fn what_only_epinios_own_server_has_is_empty() {
    let (site, _) = site();
    site.namespace("bare");
    site.user("bare", "bare", "bare");
    site.system().apply(
        "apiVersion: v1
kind: ConfigMap
metadata: {name: bare, labels: {epinio.io/role: 'true'}}
data: {id: bare, name: bare, actions: 'service_read'}
",
    );
    let server = &site.serve(&[]);
    let lists = ["/services", "/namespaces/bare/services", "/catalogservices"];
    for path in lists.iter().chain(&["/gitconfigs", "/builderimages"]) {
        assert_eq!(get(server, "admin", path).text, "[]", "{path}");
    }
    for path in lists {
        assert_eq!(get(server, "bare", path).text, "[]", "{path}");
    }
    for path in ["/gitconfigs", "/builderimages"] {
        assert_eq!(refused(&get(server, "bare", path), 403), "user unauthorized");
    }
    let page = get(server, "admin", "/services?page=3").text;
    let none = r#"{"items":[],"page":3,"pageSize":25,"totalItems":0,"totalPages":1}"#;
    assert_eq!(page, none);
    let title = refused(&get(server, "bare", "/namespaces/none/services"), 403);
    assert_eq!(title, "user unauthorized for namespace none");
    for path in ["/services", "/appcharts", "/configurations"] {
        let posted = server.send(Method::POST, &format!("/api/v1{path}"), &[], "");
        assert_eq!(refused(&posted, 405), "Method not allowed");
    }
}

/// Kubernetes does not show these names to who may only see what runs.
#[test]
fn a_token_of_kubernetes_is_told_of_no_secrets_and_charts() {
    let (site, server) = site();
    site.system().apply(CHARTS);
    let own = place("unseen");
    own.apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci}\n");
    let bind = |role: &str, kind: &str| {
        own.apply(&format!(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {role}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: '{role}'}}
subjects: [{{kind: ServiceAccount, name: ci, namespace: unseen}}]
"
        ));
    };
    bind("system:aggregate-to-view", "ClusterRole");
    let token = format!("Bearer {}", own.token("ci", Some(AUDIENCE)));
    let get = |path: &str| {
        server.send(Method::GET, &format!("/api/v1{path}"), &[("Authorization", &token)], "")
    };
    server.running().wait_for("the right", |_, _| {
        (get("/namespaces/unseen/configurations").status == 200).then_some(())
    });
    for path in ["/configurations", "/namespaces/unseen/configurations", "/appcharts"] {
        assert_eq!(get(path).text, "[]", "{path}");
    }
    assert_eq!(get("/namespaces/unseen").json()["configurations"], Value::Null);
    assert_eq!(refused(&get("/appcharts/standard"), 404), {
        "application chart 'standard' does not exist"
    });
    own.apply(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: secrets}
rules: [{apiGroups: [''], resources: [secrets], verbs: [list]}]
",
    );
    bind("secrets", "Role");
    server.running().wait_for("the right to list Secrets", |_, _| {
        (get("/configurations").json().as_array().unwrap().len() == 3).then_some(())
    });
}
