//! Every route of Epinio's API, called: no route without an exchange, and no secret but where
//! Epinio's own contract has it.

use std::collections::BTreeSet;

use outhaul::server::epinio_routes;
use reqwest::Method;
use serde_json::{Value, json};

use crate::export::shop::declare_as;
use crate::server::epinio::lists::CHARTS;
use crate::server::epinio::{basic, refused, site};
use crate::support::images::Image;
use crate::support::objects::Namespace;
use crate::support::registry::Registry;
use crate::support::server::{Answer, Server};

/// Namespace of the application, and name of its destination.
const PLACE: &str = "contract";

/// Value of the application's own variable, and those that nobody sees by any route.
const OWN: &str = "canary-variable";
const HIDDEN: [&str; 3] = ["canary-config", "canary-password", "canary-service"];

/// The routes that hand a user the environment of the user's own application (`docs/SERVER.md`,
/// section 19.1).
const WITH_VARIABLES: [&str; 2] = [
    "/namespaces/contract/applications/sample",
    "/namespaces/contract/applications/sample/part/manifest", // `values` is of helm's record
];

/// An application that runs, with variables, a configuration and a service.
const APP: &str = "
apiVersion: application.epinio.io/v1
kind: App
metadata: {name: sample}
spec: {chartname: standard, stageid: one, origin: {container: x}, routes: [sample.example.com]}
---
apiVersion: v1
kind: Secret
metadata:
  name: sample-env
  labels: {app.kubernetes.io/name: sample, app.kubernetes.io/part-of: PLACE, epinio.io/area: environment}
stringData: {TOKEN: canary-variable}
---
apiVersion: v1
kind: Secret
metadata: {name: conf, labels: {epinio.io/configuration: 'true'}}
stringData: {key: canary-config}
---
apiVersion: v1
kind: Secret
metadata: {name: bound, labels: {epinio.io/configuration: 'true', epinio.io/configuration-type: service}}
stringData: {key: canary-service}
---
apiVersion: v1
kind: Secret
metadata:
  name: sample-configurations
  labels: {app.kubernetes.io/name: sample, app.kubernetes.io/part-of: PLACE, epinio.io/area: configuration}
stringData: {conf: '', bound: ''}
---
apiVersion: v1
kind: Pod
metadata:
  name: sample
  labels:
    app.kubernetes.io/component: application
    app.kubernetes.io/name: sample
    app.kubernetes.io/part-of: PLACE
    epinio.io/stage-id: one
spec:
  containers:
  - name: web
    image: 'REGISTRY/demo/web:1'
    env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: sample-env, key: TOKEN}}}]
";

/// One call: the route, the path with its names filled in, and what the answer has to have.
struct Call {
    route: &'static str,
    path: &'static str,
    /// Its Content-Type.
    kind: &'static str,
    has: fn(&Value) -> bool,
}

const JSON: &str = "application/json; charset=utf-8";

const fn call(route: &'static str, path: &'static str, has: fn(&Value) -> bool) -> Call {
    Call { route, path, kind: JSON, has }
}

fn names(value: &Value) -> bool {
    value["names"].is_array()
}

/// What is below `/api/v1`, for an admin.
const CALLS: &[Call] = &[
    call("/info", "/info", |it| it["version"].is_string()),
    call("/me", "/me", |it| it["user"] == "admin"),
    call("/authtoken", "/authtoken", |it| it["token"].is_string()),
    call("/namespaces", "/namespaces", |it| it[0]["meta"]["name"].is_string()),
    call("/namespaces/{ns}", "/namespaces/contract", |it| it["apps"] == json!(["sample"])),
    call("/namespacematches", "/namespacematches", names),
    call("/namespacematches/{prefix}", "/namespacematches/contr", names),
    call("/exportregistries", "/exportregistries", |it| it[0]["url"].is_string()),
    call("/exportregistrymatches", "/exportregistrymatches", names),
    call("/exportregistrymatches/{prefix}", "/exportregistrymatches/contr", names),
    call("/applications", "/applications", |it| it[0]["configuration"].is_object()),
    call("/applications/grouped", "/applications/grouped", |it| it[PLACE]["items"].is_array()),
    call("/namespaces/{ns}/applications", "/namespaces/contract/applications", |it| {
        it[0]["meta"]["name"] == "sample"
    }),
    call("/namespaces/{ns}/applications/{app}", "/namespaces/contract/applications/sample", |it| {
        it["configuration"]["environment"]["TOKEN"] == OWN
    }),
    Call {
        route: "/namespaces/{ns}/applications/{app}/part/{part}",
        path: "/namespaces/contract/applications/sample/part/manifest",
        kind: "application/yaml; charset=utf-8",
        has: |it| it.as_str().is_some_and(|text| text.starts_with("name: sample\n")),
    },
    call("/namespaces/{ns}/appsmatches", "/namespaces/contract/appsmatches", names),
    call("/namespaces/{ns}/appsmatches/{prefix}", "/namespaces/contract/appsmatches/s", names),
    call("/appcharts", "/appcharts", |it| it[0]["meta"]["name"].is_string()),
    call("/appcharts/{name}", "/appcharts/standard", |it| it["description"].is_string()),
    call("/appchartsmatch", "/appchartsmatch", names),
    call("/appchartsmatch/{prefix}", "/appchartsmatch/st", names),
    call("/configurations", "/configurations", |it| it[0]["meta"]["name"].is_string()),
    call("/namespaces/{ns}/configurations", "/namespaces/contract/configurations", |it| {
        it[1]["meta"]["name"] == "conf"
    }),
    call("/services", "/services", Value::is_array),
    call("/namespaces/{ns}/services", "/namespaces/contract/services", Value::is_array),
    call("/catalogservices", "/catalogservices", Value::is_array),
    call("/gitconfigs", "/gitconfigs", Value::is_array),
    call("/builderimages", "/builderimages", Value::is_array),
];

/// The one that is no `GET`.
const EXPORT: &str = "/namespaces/{ns}/applications/{app}/export";

fn send(server: &Server, method: Method, path: &str, who: Option<&str>, body: &str) -> Answer {
    let authorization = who.map(|who| basic(who, "pw"));
    let headers: Vec<_> = authorization.iter().map(|it| ("Authorization", it.as_str())).collect();
    server.send(method, &format!("/api/v1{path}"), &headers, body)
}

fn deploy() -> (Namespace<'static>, [Registry; 2]) {
    let (sources, destination) = (Registry::plain().start(), Registry::plain().tls());
    let destination = destination.basic_auth("carol", HIDDEN[1]).start();
    Image::new(7, 1, 20_000).push(&sources.target(), "demo/web", "1");
    let namespace = site().0.namespace(PLACE);
    declare_as(&site().0.system(), PLACE, &destination);
    site().0.system().apply(CHARTS);
    namespace.apply(&APP.replace("PLACE", PLACE).replace("REGISTRY", &sources.address()));
    (namespace, [sources, destination])
}

#[test]
fn every_route_answers_and_tells_no_secret_that_is_not_its_own() {
    let (_, server) = site();
    let (namespace, _registries) = deploy();
    let mut held = BTreeSet::new();
    let ready = server.wait_for_status("/ready", 200);
    assert_eq!((ready.text.as_str(), ready.header("epinio-version")), ("{}", ""));
    held.insert((Method::GET.to_string(), "/ready".to_owned()));
    for Call { route, path, kind, has } in CALLS {
        let answer = send(server, Method::GET, path, Some("admin"), "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(&answer.header("content-type"), kind, "{path}");
        let content = if *kind == JSON { answer.json() } else { answer.text.as_str().into() };
        assert!(has(&content), "{path}: {answer:?}");
        let route = format!("/api/v1{route}");
        assert!(!HIDDEN.iter().any(|word| answer.text.contains(word)), "{path}: {answer:?}");
        let may_tell = WITH_VARIABLES.contains(path);
        assert!(may_tell || !answer.text.contains(OWN), "{path}: {answer:?}");
        held.insert((Method::GET.to_string(), route));
        if *path != "/info" {
            assert_eq!(answer.header("epinio-version"), "v1.14.0", "{path}");
            let nobody = send(server, Method::GET, path, None, "");
            assert_eq!(refused(&nobody, 401), "missing credentials", "{path}");
        }
        let posted = send(server, Method::POST, path, Some("admin"), "{}");
        assert_eq!(refused(&posted, 405), "Method not allowed", "{path}");
    }
    let path = EXPORT.replace("{ns}", PLACE).replace("{app}", "sample");
    let body = json!({"destination": PLACE}).to_string();
    let done = send(server, Method::POST, &path, Some("admin"), &body);
    assert_eq!((done.status, done.text.as_str()), (200, r#"{"status":"ok"}"#), "{done:?}");
    let nobody = send(server, Method::POST, &path, None, &body);
    assert_eq!(refused(&nobody, 401), "missing credentials");
    refused(&send(server, Method::POST, &path, Some("admin"), "{"), 400);
    held.insert((Method::POST.to_string(), format!("/api/v1{EXPORT}")));

    let known = epinio_routes().into_iter().map(|(method, path)| (method.to_string(), path));
    assert_eq!(held, known.collect(), "no route without an exchange");
    nothing_else_tells_a_secret(server, &namespace);
}

fn nothing_else_tells_a_secret(server: &Server, namespace: &Namespace<'_>) {
    let objects = |api, kind| json!(namespace.list(api, kind)).to_string();
    for (what, text) in [
        ("the log", server.running().stderr()),
        ("the records", objects("outhaul.dev/v1alpha1", "Export")),
        ("the Events", objects("events.k8s.io/v1", "Event")),
    ] {
        for secret in HIDDEN.iter().chain(&[OWN]) {
            assert!(!text.contains(secret), "{secret} is in {what}");
        }
    }
}
