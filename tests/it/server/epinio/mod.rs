//! Epinio's API against a real kube-apiserver with Epinio's kinds of objects.

mod client;
mod conversation;
mod cors;
mod export;
mod failures;
pub(super) mod lists;
mod looks;
mod oidc;
mod parts;
mod upstream;
mod users;

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::server::{Answer, Server};

/// Where Epinio is.
const SYSTEM: &str = "epinio";

/// The kinds of Epinio's that we read.
const DEFINITIONS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: apps.application.epinio.io}
spec:
  group: application.epinio.io
  scope: Namespaced
  names: {kind: App, listKind: AppList, plural: apps, singular: app}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: appcharts.application.epinio.io}
spec:
  group: application.epinio.io
  scope: Namespaced
  names: {kind: AppChart, listKind: AppChartList, plural: appcharts, singular: appchart}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

/// What a real server found in its namespace: destinations, users and roles.
const RECORDED: &str = include_str!("../../../fixtures/epinio/system.yaml");

/// A cluster with Epinio's namespace as it was recorded.
pub(super) struct Site {
    cluster: Cluster,
}

impl Site {
    pub(super) fn start() -> Self {
        let cluster = Cluster::start();
        cluster.add_exports();
        cluster.apply(DEFINITIONS);
        cluster.named_namespace(SYSTEM).apply(RECORDED);
        cluster.await_served("application.epinio.io/v1", "apps");
        cluster.await_served("application.epinio.io/v1", "appcharts");
        Self { cluster }
    }

    /// A namespace of Epinio's.
    pub(super) fn namespace(&self, name: &str) -> Namespace<'_> {
        let namespace = self.cluster.named_namespace(name);
        self.cluster.apply(&format!(
            "apiVersion: v1
kind: Namespace
metadata: {{name: {name}, labels: {{app.kubernetes.io/component: epinio-namespace}}}}
"
        ));
        namespace
    }

    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    pub(super) fn system(&self) -> Namespace<'_> {
        self.cluster.named_namespace(SYSTEM)
    }

    pub(super) fn serve(&self, args: &[&str]) -> Server {
        self.serve_at("1000", args)
    }

    /// A server that takes so many requests a second of one caller.
    pub(super) fn serve_at(&self, rate: &str, args: &[&str]) -> Server {
        let outhaul = Outhaul::new().kubeconfig(self.cluster.kubeconfig("admin"));
        Server::start(outhaul, &[&["--system-namespace", SYSTEM, "--rate", rate], args].concat())
    }

    /// One that reads no images on this machine.
    pub(super) fn serve_strict(&self) -> Server {
        let outhaul = Outhaul::new().kubeconfig(self.cluster.kubeconfig("admin"));
        Server::start_strict(outhaul, &["--system-namespace", SYSTEM, "--rate", "1000"])
    }

    /// Makes dex known, with its roles by groups.
    pub(super) fn dex(&self, issuer: &str, mapping: &str) {
        let secret = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "dex-config"},
            "stringData": {"issuer": issuer, "endpoint": issuer, "rolesMapping": mapping},
        });
        self.system().apply(&secret.to_string());
    }

    /// A user whose password is `pw`.
    pub(super) fn user(&self, name: &str, roles: &str, namespaces: &str) {
        let hash = bcrypt::hash("pw", 4).unwrap();
        self.system().apply(&format!(
            "apiVersion: v1
kind: Secret
metadata:
  name: user-{}
  labels: {{epinio.io/api-user-credentials: 'true'}}
  annotations: {{epinio.io/roles: '{roles}'}}
stringData: {{username: {name}, password: '{hash}', namespaces: \"{namespaces}\"}}
",
            name.replace('@', ".at.")
        ));
    }
}

/// The cluster of the tests here that can share one, and a server of it.
pub(super) fn site() -> &'static (Site, Server) {
    static SHARED: OnceLock<(Site, Server)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let site = Site::start();
        let server = site.serve(&[]);
        (site, server)
    })
}

/// `Authorization` of a user.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// `GET /api/v1…` as a user whose password is `pw`.
fn get(server: &Server, user: &str, path: &str) -> Answer {
    let path = format!("/api/v1{path}");
    server.send(Method::GET, &path, &[("Authorization", &basic(user, "pw"))], "")
}

/// The error that an answer is.
pub(super) fn refused(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let error = answer.json()["errors"][0].clone();
    assert_eq!(error["status"], status, "{answer:?}");
    error["title"].clone()
}
