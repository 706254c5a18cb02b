//! A Kubernetes API over plain HTTP: what kubectl and helm send, and what comes back, untouched by
//! any type of ours or of a client library.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::fixture::{Apply, Fixture, Id, with_images_at};
use crate::support::cluster::Cluster;

/// What `kubectl apply` keeps of the file.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// New kinds are served within a second or two.
const SERVED: Duration = Duration::from_secs(30);

/// How a client makes an object.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// As helm 3 and `kubectl create` do.
    Create,
    /// As helm 4 and `kubectl apply --server-side` do.
    Apply,
}

/// Documents under way at once.
const AT_ONCE: usize = 8;

/// One API server. All that talk to it share its connections, and what is known of its kinds.
pub(super) struct Server {
    pub(super) cluster: Cluster,
    kinds: Mutex<BTreeMap<(String, String), Kind>>,
    client: Client,
    runtime: Runtime,
}

/// How a kind is served.
#[derive(Clone)]
struct Kind {
    plural: String,
    namespaced: bool,
}

impl Server {
    pub(super) fn new(cluster: Cluster) -> Self {
        let pem = std::fs::read(cluster.ca_file()).unwrap();
        let ca = reqwest::Certificate::from_pem(&pem).unwrap();
        let client = Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { cluster, kinds: Mutex::default(), client, runtime }
    }

    /// Applies what a cluster has before applications come, and waits until their kinds are served.
    pub(super) fn prepare(&self, objects: &[&Value]) {
        self.prepare_in("", objects);
    }

    /// The same, of objects in a namespace.
    pub(super) fn prepare_in(&self, namespace: &str, objects: &[&Value]) {
        self.runtime.block_on(async {
            for object in objects {
                let path = self.path(object, namespace).await;
                let (status, answer) = self
                    .send(
                        Way::Apply,
                        &path,
                        name(object),
                        object.to_string(),
                        "fieldManager=platform",
                    )
                    .await;
                assert!(status.is_success(), "{}: {answer}", Id::of(object));
            }
            let definitions = objects.iter().filter(|it| it["kind"] == "CustomResourceDefinition");
            for definition in definitions {
                self.await_served(definition).await;
            }
        });
    }

    async fn await_served(&self, definition: &Value) {
        let spec = &definition["spec"];
        for version in spec["versions"].as_array().unwrap() {
            let group_version = format!(
                "{}/{}",
                spec["group"].as_str().unwrap(),
                version["name"].as_str().unwrap()
            );
            let started = Instant::now();
            while self.kind(&group_version, spec["names"]["kind"].as_str().unwrap()).await.is_none()
            {
                assert!(started.elapsed() < SERVED, "{group_version} is not served");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Brings an application into the namespace of its name, which is there; gives what was refused.
    pub(super) fn deploy(&self, fixture: &Fixture, registry: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut refused = Vec::new();
            let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": "default"}});
            self.await_object(&account, &fixture.name).await;
            for object in &fixture.objects {
                let mut object = with_images_at(object, registry);
                let way = match fixture.expect.apply {
                    Apply::ServerSide => Way::Apply,
                    Apply::Create => Way::Create,
                    Apply::ClientSide => {
                        let applied = format!("{object}\n");
                        object["metadata"]["annotations"][LAST_APPLIED] = applied.into();
                        Way::Create
                    }
                };
                let manager = match fixture.expect.apply {
                    Apply::ServerSide => "kubectl",
                    Apply::ClientSide => "kubectl-client-side-apply",
                    Apply::Create => "kubectl-create",
                };
                let path = self.path(&object, &fixture.name).await;
                let query = format!("fieldManager={manager}");
                let (status, answer) =
                    self.send(way, &path, name(&object), object.to_string(), &query).await;
                if !status.is_success() {
                    refused.push(format!("{}: {}", Id::of(&object), answer["message"]));
                } else if let Some(edit) = fixture.expect.edits.get(&Id::of(&object).0) {
                    self.edit(&path, &object, edit).await;
                }
            }
            refused
        })
    }

    async fn edit(&self, path: &str, object: &Value, edit: &Value) {
        let url =
            format!("{}{path}/{}?fieldManager=kubectl-edit", self.cluster.url(), name(object));
        let request = self.client.request(Method::PATCH, url).bearer_auth("admin-token");
        let request = request.header("content-type", "application/merge-patch+json");
        let answer = request.body(edit.to_string()).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{}: {}",
            Id::of(object),
            answer.text().await.unwrap()
        );
    }

    /// Waits for what a controller makes.
    async fn await_object(&self, object: &Value, namespace: &str) {
        let started = Instant::now();
        while self.get(object, namespace).await.is_none() {
            assert!(started.elapsed() < SERVED, "{} is not there", Id::of(object));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The object of this API version, kind and name as it is, if it is there.
    pub(super) fn live(&self, object: &Value, namespace: &str) -> Option<Value> {
        self.runtime.block_on(self.get(object, namespace))
    }

    async fn get(&self, object: &Value, namespace: &str) -> Option<Value> {
        let path = self.path(object, namespace).await;
        let url = format!("{}{path}/{}", self.cluster.url(), name(object));
        let answer = self.client.get(url).bearer_auth("admin-token").send().await.unwrap();
        let found = answer.status().is_success();
        let text = answer.text().await.unwrap();
        found.then(|| serde_json::from_str(&text).unwrap())
    }

    /// What the server would store of each YAML document, or why it would not. It reads the text
    /// itself, by the YAML reader that helm has as well.
    pub(super) fn dry_run(
        &self,
        documents: &[String],
        namespace: &str,
        way: Way,
    ) -> Vec<(Value, Result<Value, String>)> {
        let sent = documents.iter().map(|document| self.dry_run_one(document, namespace, way));
        self.runtime.block_on(futures_util::stream::iter(sent).buffered(AT_ONCE).collect())
    }

    async fn dry_run_one(
        &self,
        document: &str,
        namespace: &str,
        way: Way,
    ) -> (Value, Result<Value, String>) {
        // helmify writes some keys twice; what has no name cannot be sent.
        let Ok(object) = serde_saphyr::from_str::<Value>(document) else {
            return (Value::Null, Err("is no YAML".to_owned()));
        };
        let path = self.path(&object, namespace).await;
        let query = "fieldManager=helm&dryRun=All";
        let (status, answer) =
            self.send(way, &path, name(&object), document.to_owned(), query).await;
        let answer = match status.is_success() {
            true => Ok(answer),
            false => Err(answer["message"].as_str().unwrap_or_default().to_owned()),
        };
        (object, answer)
    }

    /// Unknown fields and keys that stand twice are refused.
    async fn send(
        &self,
        way: Way,
        path: &str,
        name: &str,
        body: String,
        query: &str,
    ) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.cluster.url());
        let query = format!("{query}&fieldValidation=Strict");
        let (method, url, media_type) = match way {
            Way::Create => (Method::POST, format!("{url}?{query}"), "application/yaml"),
            Way::Apply => {
                (Method::PATCH, format!("{url}/{name}?{query}"), "application/apply-patch+yaml")
            }
        };
        let request = self.client.request(method, url).bearer_auth("admin-token");
        let request = request.header("content-type", media_type).body(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(json!({})))
    }

    /// Where objects of its kind are.
    async fn path(&self, object: &Value, namespace: &str) -> String {
        let text = |key: &str| object[key].as_str().unwrap();
        let group_version = text("apiVersion");
        let kind = self.kind(group_version, text("kind")).await;
        let kind = kind.unwrap_or_else(|| panic!("{group_version} {} is not served", text("kind")));
        let place =
            if kind.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
        format!("{}{place}/{}", root(group_version), kind.plural)
    }

    async fn kind(&self, group_version: &str, kind: &str) -> Option<Kind> {
        let key = (group_version.to_owned(), kind.to_owned());
        if let Some(known) = self.kinds.lock().unwrap().get(&key) {
            return Some(known.clone());
        }
        let url = format!("{}{}", self.cluster.url(), root(group_version));
        let answer = self.client.get(url).bearer_auth("admin-token").send().await.unwrap();
        let list: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(json!({}));
        let mut resources = list["resources"].as_array().into_iter().flatten();
        let found = resources.find(|resource| {
            resource["kind"] == kind && !resource["name"].as_str().unwrap_or_default().contains('/')
        })?;
        let found = Kind {
            plural: found["name"].as_str()?.to_owned(),
            namespaced: found["namespaced"].as_bool()?,
        };
        self.kinds.lock().unwrap().insert(key, found.clone());
        Some(found)
    }
}

fn root(group_version: &str) -> String {
    let root = if group_version.contains('/') { "apis" } else { "api" };
    format!("/{root}/{group_version}")
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}
