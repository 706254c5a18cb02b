//! Objects in a cluster: applied, patched and read as plain JSON, without any code of ours.

use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
};
use kube::discovery::{Scope, pinned_kind};
use serde_json::Value;

use super::block_on;
use super::cluster::Cluster;

/// The field manager of [`Namespace::apply`], what a person with `kubectl apply --server-side` has.
pub(crate) const MANAGER: &str = "kubectl";

/// A namespace of one test.
pub(crate) struct Namespace<'c> {
    cluster: &'c Cluster,
    name: String,
}

impl<'c> Namespace<'c> {
    pub(super) fn new(cluster: &'c Cluster, name: &str) -> Self {
        Self { cluster, name: name.to_owned() }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub(crate) fn cluster(&self) -> &'c Cluster {
        self.cluster
    }

    /// Applies every document of `yaml` as admin, here unless it names a namespace itself.
    pub(crate) fn apply(&self, yaml: &str) {
        self.apply_as(MANAGER, yaml);
    }

    /// As [`Self::apply`], with the field manager of somebody else: a controller, helm, an operator.
    pub(crate) fn apply_as(&self, manager: &str, yaml: &str) {
        apply(self.cluster, Some(&self.name), manager, yaml);
    }

    /// Merges `status` into an object's status, as a controller or a kubelet would.
    pub(crate) fn patch_status(&self, api_version: &str, kind: &str, name: &str, status: &Value) {
        let body = serde_json::json!({ "status": status });
        block_on(async {
            let api = api(self.cluster, Some(&self.name), api_version, kind).await.unwrap();
            api.patch_status(name, &PatchParams::default(), &Patch::Merge(&body)).await.unwrap();
        });
    }

    /// A token of a service account, for an audience or else for the API server itself.
    pub(crate) fn token(&self, account: &str, audience: Option<&str>) -> String {
        let audiences: Vec<&str> = audience.into_iter().collect();
        let request = serde_json::json!({"apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest", "spec": {"audiences": audiences, "expirationSeconds": 7200}});
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/{account}/token", self.name);
        let request = hyper::http::Request::post(path)
            .header("content-type", "application/json")
            .body(request.to_string().into_bytes())
            .unwrap();
        let answer: Value =
            block_on(async { self.cluster.client("admin").await.request(request).await.unwrap() });
        answer["status"]["token"].as_str().unwrap().to_owned()
    }

    /// One object, if it is there.
    pub(crate) fn get(&self, api_version: &str, kind: &str, name: &str) -> Option<Value> {
        get(self.cluster, Some(&self.name), api_version, kind, name)
    }

    /// Every object of a kind here, by name.
    pub(crate) fn list(&self, api_version: &str, kind: &str) -> Vec<Value> {
        block_on(async {
            let api = api(self.cluster, Some(&self.name), api_version, kind).await.unwrap();
            let list = api.list(&ListParams::default()).await.unwrap();
            list.into_iter().map(|object| serde_json::to_value(object).unwrap()).collect()
        })
    }

    /// Deletes one object, and does not wait for its finalizers.
    pub(crate) fn delete(&self, api_version: &str, kind: &str, name: &str) {
        block_on(async {
            let api = api(self.cluster, Some(&self.name), api_version, kind).await.unwrap();
            api.delete(name, &DeleteParams::default()).await.unwrap();
        });
    }
}

/// Server-side apply of every document of `yaml`, taking over fields that others own.
///
/// # Panics
///
/// With the server's words when it refuses a document.
pub(crate) fn apply(cluster: &Cluster, namespace: Option<&str>, manager: &str, yaml: &str) {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    block_on(async {
        for object in documents.into_iter().filter(|document| !document.is_null()) {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            let (kind, name) = (text("/kind").unwrap(), text("/metadata/name").unwrap());
            let namespace = text("/metadata/namespace").or(namespace);
            let applied = async {
                let api = api(cluster, namespace, text("/apiVersion").unwrap(), kind).await?;
                let params = PatchParams::apply(manager).force();
                api.patch(name, &params, &Patch::Apply(&object)).await
            };
            applied.await.unwrap_or_else(|error| panic!("{kind} {name} does not apply: {error}"));
        }
    });
}

/// One object as admin, if it is there.
pub(crate) fn get(
    cluster: &Cluster,
    namespace: Option<&str>,
    api_version: &str,
    kind: &str,
    name: &str,
) -> Option<Value> {
    block_on(async {
        let api = api(cluster, namespace, api_version, kind).await.unwrap();
        let found = api.get_opt(name).await.unwrap();
        found.map(|object| serde_json::to_value(object).unwrap())
    })
}

/// The API of a kind, found by discovery, so that custom resources work as well.
async fn api(
    cluster: &Cluster,
    namespace: Option<&str>,
    api_version: &str,
    kind: &str,
) -> Result<Api<DynamicObject>, kube::Error> {
    let client = cluster.client("admin").await;
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let gvk = GroupVersionKind::gvk(group, version, kind);
    let (resource, capabilities): (ApiResource, _) = pinned_kind(&client, &gvk).await?;
    Ok(match (capabilities.scope, namespace) {
        (Scope::Namespaced, Some(name)) => Api::namespaced_with(client, name, &resource),
        (Scope::Namespaced, None) => panic!("a {kind} is in a namespace, and none was named"),
        (Scope::Cluster, _) => Api::all_with(client, &resource),
    })
}
