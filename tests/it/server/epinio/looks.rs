//! What the client calls to look around and to complete names.

use reqwest::Method;
use serde_json::{Value, json};

use super::{basic, get, refused, site};
use crate::support::objects::Namespace;

pub(super) const AUDIENCE: &str = "outhaul.dev";

/// Two applications, of which one runs and was staged, with what belongs to it.
const APPS: &str = "
apiVersion: application.epinio.io/v1
kind: App
metadata: {name: sample}
spec:
  chartname: standard
  imageurl: 'registry.example.com/apps/team-sample:new'
  builderimage: builder:1
  stageid: new
  origin: {git: {repository: 'https://git.example.com/a?b&c', revision: main}}
  routes: [sample.example.com]
  settings: {b: '2', a: '1'}
---
apiVersion: application.epinio.io/v1
kind: App
metadata: {name: empty}
spec: {chartname: standard, origin: {}}
---
apiVersion: v1
kind: Secret
metadata:
  name: sample-env
  labels: {app.kubernetes.io/name: sample, app.kubernetes.io/part-of: PLACE, epinio.io/area: environment}
stringData: {TOKEN: 'canary <&>'}
---
apiVersion: v1
kind: Secret
metadata:
  name: sample-config
  labels: {app.kubernetes.io/name: sample, app.kubernetes.io/part-of: PLACE, epinio.io/area: configuration}
stringData: {z: '', a: ''}
---
apiVersion: v1
kind: Secret
metadata: {name: a, labels: {epinio.io/configuration: 'true'}}
stringData: {secret: canary}
---
apiVersion: v1
kind: Pod
metadata:
  name: sample-1
  annotations: {epinio.io/created-by: dev}
  labels:
    app.kubernetes.io/component: application
    app.kubernetes.io/name: sample
    app.kubernetes.io/part-of: PLACE
    epinio.io/app-container: rsample
    epinio.io/stage-id: old
spec: {containers: [{name: rsample, image: 'registry.example.com/apps/team-sample:old'}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: sample
  labels: {app.kubernetes.io/component: application, app.kubernetes.io/name: sample, app.kubernetes.io/part-of: PLACE}
spec:
  rules:
  - host: sample.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: s, port: {number: 80}}}}]}
";

fn place(name: &str) -> Namespace<'static> {
    let namespace = site().0.namespace(name);
    namespace.apply(&APPS.replace("PLACE", name));
    namespace
}

#[test]
fn an_application_is_shown_as_it_is_to_be_and_as_it_runs() {
    let (_, server) = site();
    place("shown");
    let app = get(server, "admin", "/namespaces/shown/applications/sample");
    let text = &app.text;
    assert!(text.contains(r#""TOKEN":"canary \u003c\u0026\u003e""#), "{text}");
    let app = app.json();
    let configuration = json!({
        "instances": 1, "configurations": ["a", "z"], "environment": {"TOKEN": "canary <&>"},
        "environment_grouped": {"user": {"TOKEN": "canary <&>"}, "service": {}},
        "routes": ["sample.example.com"], "appchart": "standard", "settings": {"a": "1", "b": "2"},
    });
    assert_eq!(app["configuration"], configuration);
    let git = json!({"revision": "main", "repository": "https://git.example.com/a?b&c"});
    assert_eq!(app["origin"], json!({"Kind": 2, "git": git}));
    assert_eq!((&app["stage_id"], &app["deployment"]["stage_id"]), (&json!("new"), &json!("old")));
    assert_eq!(app["deployment"]["routes"], json!(["sample.example.com"]));
    assert_eq!(app["deployment"]["status"], "0/1");
    assert_eq!(
        (&app["status"], &app["staging"]),
        (&json!("running"), &json!({"builder": "builder:1"}))
    );

    let empty = get(server, "admin", "/namespaces/shown/applications/empty").json();
    assert_eq!((&empty["status"], &empty["deployment"]), (&json!("created"), &Value::Null));
    let unknown = get(server, "admin", "/namespaces/shown/applications/none");
    assert_eq!(refused(&unknown, 404), "application 'none' does not exist");
}

#[test]
fn lists_name_variables_and_tell_no_value() {
    let (site, server) = site();
    place("listed");
    let paths = [
        "/applications",
        "/applications/grouped",
        "/applications?search=sam",
        "/namespaces/listed/applications",
        "/namespaces/listed/applications?page=1&pageSize=1&search=SAM",
        "/namespaces",
        "/namespaces/listed",
        "/exportregistries",
    ];
    for path in paths {
        let answer = get(server, "admin", path);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.text.contains("canary"), "{path}: {answer:?}");
    }
    let page = get(server, "admin", paths[4]).json();
    assert_eq!(page["items"][0]["configuration"]["environment"], json!({"TOKEN": ""}));
    let numbers = ["page", "pageSize", "totalItems", "totalPages"].map(|key| page[key].clone());
    assert_eq!(numbers, [1, 1, 1, 1].map(Value::from));
    let namespace = get(server, "admin", "/namespaces/listed").json();
    assert_eq!(namespace["apps"], json!(["empty", "sample"]));
    assert_eq!(namespace["configurations"], json!(["a"]));

    let hiding = site.serve(&["--epinio-environment", "hide"]);
    let app = get(&hiding, "admin", "/namespaces/listed/applications/sample");
    assert!(!app.text.contains("canary"), "{app:?}");
}

#[test]
fn names_are_completed() {
    let (_, server) = site();
    place("matched");
    let names = |path: &str| get(server, "admin", path).text;
    let apps = "/namespaces/matched/appsmatches";
    assert_eq!(names(apps), r#"{"names":["empty","sample"]}"#);
    assert_eq!(names(&format!("{apps}/s")), r#"{"names":["sample"]}"#);
    assert_eq!(names(&format!("{apps}/z")), "{}");
    assert_eq!(names("/namespacematches/matc"), r#"{"names":["matched"]}"#);
    for path in [apps, "/namespacematches", "/exportregistrymatches"] {
        assert_eq!(refused(&server.get(&format!("/api/v1{path}")), 401), "missing credentials");
        let moved = server.get(&format!("/api/v1{path}/?a=b"));
        assert_eq!((moved.status, moved.header("location")), (301, &*format!("/api/v1{path}?a=b")));
        let posted = server.send(Method::POST, &format!("/api/v1{path}"), &[], "");
        assert_eq!(refused(&posted, 405), "Method not allowed");
        assert_eq!(posted.header("allow"), "GET");
    }
    let posted = server.send(Method::POST, "/api/v1/namespaces/", &[], "");
    assert_eq!((posted.status, posted.header("location")), (307, "/api/v1/namespaces"));
}

#[test]
fn what_it_is_and_whether_it_is_ready_may_anybody_ask() {
    let (_, server) = site();
    let info = server.get("/api/v1/info");
    assert!(info.text.starts_with(r#"{"version":"v1.14.0","kube_version":"v1."#), "{info:?}");
    assert!(info.text.ends_with(r#","platform":"generic"}"#), "{info:?}");
    let ready = server.wait_for_status("/ready", 200);
    assert_eq!((ready.text.as_str(), ready.header("epinio-version")), ("{}", ""));
    let me = get(server, "admin", "/me");
    assert_eq!(me.header("epinio-version"), "v1.14.0");
    let token = get(server, "admin", "/authtoken").json()["token"].as_str().unwrap().to_owned();
    assert_eq!(token.split('.').count(), 3);
    for path in ["/api/v1/none", "/api/v1", "/wapi/v1/namespaces/a/applications/b/logs"] {
        let title = format!("route '{path}' does not exist");
        assert_eq!(refused(&server.get(path), 404), title);
    }
}

/// Those whom Kubernetes knows have no roles here: what they see is what they may read.
#[test]
fn a_token_of_kubernetes_sees_what_it_may_read() {
    let (_, server) = site();
    let own = place("tokens");
    place("foreign");
    own.apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci}\n");
    own.apply(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ci}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:aggregate-to-view}
subjects: [{kind: ServiceAccount, name: ci, namespace: tokens}]
",
    );
    let token = format!("Bearer {}", own.token("ci", Some(AUDIENCE)));
    let get = |path: &str| {
        server.send(Method::GET, &format!("/api/v1{path}"), &[("Authorization", &token)], "")
    };
    let app = server.running().wait_for("the right", |_, _| {
        let answer = get("/namespaces/tokens/applications/sample");
        (answer.status == 200).then_some(answer)
    });
    assert!(!app.text.contains("canary"), "it may read no Secrets: {app:?}");
    let namespaces = get("/namespaces").json();
    assert_eq!(namespaces.as_array().unwrap().len(), 1, "{namespaces}");
    let foreign = refused(&get("/namespaces/foreign/applications"), 403);
    assert_eq!(foreign, "user unauthorized for namespace foreign");
    assert_eq!(get("/exportregistries").json(), json!([]));
    let stranger = server.send(
        Method::GET,
        "/api/v1/me",
        &[("Authorization", &basic("epinio:admin", "pw"))],
        "",
    );
    assert_eq!(refused(&stranger, 401), "user not found");
}
