//! `POST …/export`: what clients of Epinio export by.

use std::io::Write as _;
use std::net::TcpStream;

use reqwest::Method;
use serde_json::{Value, json};

use super::{basic, refused, site};
use crate::export::shop::declare_as;
use crate::support::images::Image;
use crate::support::objects::Namespace;
use crate::support::registry::Registry;
use crate::support::server::{Answer, Server};

/// An application that runs as one pod, staged as `new`, of which `old` runs.
pub(super) const APP: &str = "
apiVersion: application.epinio.io/v1
kind: App
metadata: {name: sample}
spec: {chartname: standard, stageid: new, origin: {container: x}}
---
apiVersion: v1
kind: Pod
metadata:
  name: sample
  annotations: {note: NOTE}
  labels:
    app.kubernetes.io/component: application
    app.kubernetes.io/name: sample
    app.kubernetes.io/part-of: PLACE
    epinio.io/stage-id: old
spec: {containers: [{name: web, image: 'REGISTRY/demo/web:1'}]}
";

/// A namespace with the application, and a destination of the same name.
pub(super) struct Place {
    sources: Registry,
    destination: Registry,
    pub(super) namespace: Namespace<'static>,
}

impl Place {
    pub(super) fn new(name: &str) -> Self {
        let (sources, destination) = (Registry::plain().start(), Registry::plain().tls());
        let destination = destination.basic_auth("carol", "canary-password").start();
        Image::new(7, 1, 20_000).push(&sources.target(), "demo/web", "1");
        let namespace = site().0.namespace(name);
        declare_as(&site().0.system(), name, &destination);
        let place = Self { sources, destination, namespace };
        place.change("first");
        place
    }

    fn change(&self, note: &str) {
        let app = APP.replace("PLACE", self.namespace.name()).replace("NOTE", note);
        self.namespace.apply(&app.replace("REGISTRY", &self.sources.address()));
    }

    fn charts(&self) -> String {
        format!("backups/{}-sample-chart", self.namespace.name())
    }

    /// Versions there, but `0.0.0`.
    pub(super) fn versions(&self) -> Vec<String> {
        let mut tags = self.destination.target().tags(&self.charts());
        tags.retain(|tag| !tag.starts_with("sha256-") && tag != "0.0.0");
        tags
    }

    fn manifest(&self, version: &str) -> Value {
        let found = self.destination.target().manifest(&self.charts(), version);
        serde_json::from_slice(&found.unwrap_or_else(|| panic!("no {version}"))).unwrap()
    }

    /// `epinio app export sample -r NAME`
    fn export(&self, further: &Value) -> Answer {
        let mut body = json!({"destination": self.namespace.name()});
        let further = further.as_object().cloned().unwrap_or_default();
        body.as_object_mut().unwrap().extend(further);
        post(&site().1, "admin", &self.path(), &body.to_string())
    }

    fn path(&self) -> String {
        format!("/namespaces/{}/applications/sample/export", self.namespace.name())
    }
}

pub(super) fn post(server: &Server, user: &str, path: &str, body: &str) -> Answer {
    let (path, authorization) = (format!("/api/v1{path}"), basic(user, "pw"));
    server.send(Method::POST, &path, &[("Authorization", &authorization)], body)
}

#[test]
fn version_0_0_0_moves_to_the_newest_content_beside_a_version_that_stays() {
    let place = Place::new("moves");
    let done = place.export(&json!({}));
    assert_eq!((done.status, done.text.as_str()), (200, r#"{"status":"ok"}"#), "{done:?}");
    let first = place.versions();
    assert_eq!(first.len(), 1);
    let content = |version: &str| {
        place.manifest(version)["annotations"]["dev.outhaul.content-digest"].clone()
    };
    assert_eq!(content("0.0.0"), content(&first[0]));
    let config = place.manifest("0.0.0")["config"]["digest"].as_str().unwrap().to_owned();
    let config = place.destination.target().blob(&place.charts(), &config).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&config).unwrap()["version"], "0.0.0");
    let images = place.destination.target().tags(&place.charts().replace("-chart", "-image"));
    assert!(images.iter().any(|tag| tag == "old"), "what runs, not what was staged: {images:?}");

    let before = place.manifest("0.0.0");
    assert_eq!(place.export(&json!({"chart-version": "0.0.0"})).status, 200);
    assert_eq!((place.versions(), place.manifest("0.0.0")), (first.clone(), before));

    place.change("second");
    assert_eq!(place.export(&json!({})).status, 200);
    let second = place.versions();
    let newest = second.iter().find(|version| !first.contains(version)).unwrap();
    assert_eq!(second.len(), 2, "{second:?}");
    assert_eq!(content("0.0.0"), content(newest));
    assert_ne!(content("0.0.0"), content(&first[0]));

    // One that was named does not move.
    assert_eq!(place.export(&json!({"chart-version": "1.0.0", "image-tag": "mine"})).status, 200);
    place.change("third");
    let taken = refused(&place.export(&json!({"chart-version": "1.0.0"})), 409);
    assert!(taken.as_str().unwrap().contains("1.0.0 exists in"), "{taken}");
    let record = place.namespace.list("outhaul.dev/v1alpha1", "Export")[0]["spec"].clone();
    assert_eq!(record["requestedBy"]["user"], "epinio:admin");
    assert_eq!(record["requestedBy"]["via"], "epinio");
}

#[test]
fn what_cannot_be_exported_is_refused_in_words_that_clients_know() {
    let place = Place::new("refused");
    let (site, server) = site();
    let with = |further: Value, status| refused(&place.export(&further), status);
    let title = with(json!({"chart-version": "one"}), 400);
    assert!(title.as_str().unwrap().starts_with("`one` is not a valid chart version"), "{title}");
    with(json!({"chart-name": "Up/Case"}), 400);
    with(json!({"image-tag": "a b"}), 400);

    let none = place.path().replace("sample", "none");
    let body = r#"{"destination":"refused"}"#;
    assert_eq!(
        refused(&post(server, "admin", &none, body), 404),
        "application 'none' does not exist"
    );
    // `dev` may export, but in no other namespace than its own.
    let title = refused(&post(server, "dev", &place.path(), body), 403);
    assert_eq!(title, "user unauthorized for namespace refused");
    let around = format!("{}?namespaces[]=workspace", place.path());
    assert_eq!(refused(&post(server, "dev", &around, body), 403), title);

    site.system().apply_as(
        "operator",
        "apiVersion: v1
kind: Secret
metadata: {name: refused, annotations: {outhaul.dev/allowed-namespaces: other}}
",
    );
    let title = with(json!({}), 403);
    assert!(title.as_str().unwrap().starts_with("bad export destination"), "{title}");
    assert_eq!(place.versions(), [""; 0]);
    let log = server.running().stderr();
    assert!(!log.contains("canary"), "{log}");
}

#[test]
fn a_0_0_0_of_another_is_left_alone() {
    let place = Place::new("taken");
    Image::new(8, 1, 100).push(&place.destination.target(), &place.charts(), "0.0.0");
    let title = refused(&place.export(&json!({})), 409);
    assert!(title.as_str().unwrap().contains("holds charts of another origin"), "{title}");
    assert_eq!(place.versions(), [""; 0]);
}

#[test]
fn who_goes_away_changes_nothing() {
    let place = Place::new("leaves");
    let (_, server) = site();
    let body = r#"{"destination":"leaves"}"#;
    let head = format!(
        "POST /api/v1{} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n{body}",
        place.path(),
        basic("admin", "pw"),
        body.len()
    );
    let mut client = TcpStream::connect(server.address()).unwrap();
    client.write_all(head.as_bytes()).unwrap();
    server.running().wait_for("asked for", |_, _| {
        (!place.namespace.list("outhaul.dev/v1alpha1", "Export").is_empty()).then_some(())
    });
    drop(client);
    server.running().wait_for("exported", |_, _| {
        let tags = place.destination.target().tags(&place.charts());
        tags.iter().any(|tag| tag == "0.0.0").then_some(())
    });
    assert_eq!(place.versions().len(), 1);
}
