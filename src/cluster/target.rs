//! The cluster that an import goes to: what it serves, what it has, and what it would say to new
//! objects. Of what is here, only [`Live::create_namespace`], [`Live::delete_namespace`],
//! [`Live::apply_secret`] and [`Live::bring_secret`] change anything.

use hyper::http::Method;
use kube::client::APIGroupDiscoveryList;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{JSON, MAX_DOCUMENT};
use super::discover::{AGGREGATED, Resource, segment};
use super::live::Live;
use super::secret::secret_path;
use super::standing::parsed;
use super::{Error, discover};
use crate::app::Object;

/// Who is said to have written what we write; helm is `helm`.
pub(super) const MANAGER: &str = "outhaul";

/// Media type of server-side apply; JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

/// One object's metadata without the rest.
pub(super) const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// A kind in one version, as the API serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKind {
    resource: Resource,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

/// Everything that a cluster serves.
#[derive(Clone, Debug, Default)]
pub struct ApiKinds(Vec<ApiKind>);

/// What is asked about a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right<'a> {
    /// `create`, `get`, …
    pub verb: &'a str,
    /// API group.
    pub group: &'a str,
    /// Plural of the kind.
    pub resource: &'a str,
    /// Namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<&'a str>,
}

#[derive(Deserialize)]
struct Review {
    #[serde(default)]
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
struct ReviewStatus {
    #[serde(default)]
    allowed: bool,
}

impl ApiKind {
    /// `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        self.resource.api_version()
    }

    /// As `kubectl api-resources -o name` prints it.
    pub fn name(&self) -> String {
        self.resource.name()
    }

    /// Plural of the kind.
    pub fn plural(&self) -> &str {
        &self.resource.plural
    }

    pub(super) fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Path of its objects, of this namespace if they are in one.
    pub(super) fn path(&self, namespace: &str) -> String {
        self.resource.path(self.namespaced.then_some(namespace))
    }
}

impl ApiKinds {
    /// The kind in exactly this version.
    pub fn exactly(&self, api_version: &str, kind: &str) -> Option<&ApiKind> {
        let is = |of: &&ApiKind| of.resource.kind == kind && of.api_version() == api_version;
        self.0.iter().find(is)
    }

    /// The kind in the version that the server prefers.
    pub fn any(&self, group: &str, kind: &str) -> Option<&ApiKind> {
        self.0.iter().find(|of| of.resource.kind == kind && of.resource.group == group)
    }
}

impl Live {
    /// Every kind that the cluster serves.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn kinds(&self) -> Result<ApiKinds, Error> {
        let mut kinds = Vec::new();
        for path in ["/api", "/apis"] {
            let (list, _): (APIGroupDiscoveryList, _) =
                self.api.get(path, AGGREGATED, MAX_DOCUMENT).await?;
            kinds.extend(list.items.iter().flat_map(discover::all_of));
        }
        Ok(ApiKinds(
            kinds
                .into_iter()
                .map(|(resource, namespaced)| ApiKind { resource, namespaced })
                .collect(),
        ))
    }

    /// Whether the namespace exists.
    ///
    /// # Errors
    /// When it may not be seen, or the cluster does not answer.
    pub async fn namespace_exists(&self, name: &str) -> Result<bool, Error> {
        Ok(self.namespace(name).await?.is_some())
    }

    /// The metadata of the object of this kind and name, if it is there. Nothing else of it is read.
    ///
    /// # Errors
    /// When it may not be seen, or the cluster does not answer.
    pub async fn metadata(
        &self,
        kind: &ApiKind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, Error> {
        let path = format!("{}/{}", kind.path(namespace), segment(name));
        match self.api.get(&path, METADATA, MAX_DOCUMENT).await {
            Ok((object, _)) => Ok(Some(object)),
            Err(Error::Api { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the user has a right (SelfSubjectAccessReview, which everybody may ask).
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn may(&self, right: Right<'_>) -> Result<bool, Error> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"verb": right.verb, "group": right.group,
                "resource": right.resource, "namespace": right.namespace.unwrap_or_default()}},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer: Review = self.api.send(Method::POST, path, JSON, &review).await?;
        Ok(answer.status.allowed)
    }

    /// Whether the cluster would take the object as a new one. Nothing is made. That one of this
    /// name is there is no refusal.
    ///
    /// # Errors
    /// What the cluster says against it.
    pub async fn try_create(
        &self,
        kind: &ApiKind,
        namespace: &str,
        object: &Object,
    ) -> Result<(), Error> {
        let path = format!("{}?dryRun=All&fieldManager=helm", kind.path(namespace));
        let body = within(object, kind, namespace);
        match self.api.send::<Value>(Method::POST, &path, JSON, &body).await {
            Ok(_) | Err(Error::Api { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether the cluster would change the object that is there into this one. Nothing is changed.
    ///
    /// # Errors
    /// What the cluster says against it.
    pub async fn try_apply(
        &self,
        kind: &ApiKind,
        namespace: &str,
        object: &Object,
    ) -> Result<(), Error> {
        let path = format!(
            "{}/{}?dryRun=All&force=true&fieldManager=helm",
            kind.path(namespace),
            segment(object.name())
        );
        let body = within(object, kind, namespace);
        self.api.send::<Value>(Method::PATCH, &path, APPLY, &body).await.map(drop)
    }

    /// Makes the namespace, and gives its uid; `None` if it is there.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn create_namespace(&self, name: &str) -> Result<Option<String>, Error> {
        // Who may not make one may well use one that is there.
        if self.namespace_exists(name).await.unwrap_or_default() {
            return Ok(None);
        }
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let path = format!("/api/v1/namespaces?fieldManager={MANAGER}");
        match self.api.send::<Object>(Method::POST, &path, JSON, &body).await {
            Ok(made) => Ok(made.text("/metadata/uid").map(str::to_owned)),
            Err(Error::Api { status: 409, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the namespace, if it is still the one with this uid.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn delete_namespace(&self, name: &str, uid: &str) -> Result<(), Error> {
        let path = format!("/api/v1/namespaces/{}", segment(name));
        let body = json!({"preconditions": {"uid": uid}});
        self.api.send::<Value>(Method::DELETE, &path, JSON, &body).await.map(drop)
    }

    /// Makes a Secret with one key, or changes it to that.
    ///
    /// # Errors
    /// When the cluster refuses; another type than the one that is there is refused.
    pub async fn apply_secret(
        &self,
        namespace: &str,
        name: &str,
        secret_type: &str,
        (key, value): (&str, &SecretString),
    ) -> Result<(), Error> {
        let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "type": secret_type, "stringData": {key: value.expose_secret()}});
        let path = secret_path(namespace, name) + "?force=true&fieldManager=" + MANAGER;
        self.api.send::<Value>(Method::PATCH, &path, APPLY, &body).await.map(drop)
    }

    /// Makes a Secret of its manifest, or changes the one that is there to that.
    ///
    /// # Errors
    /// When the cluster refuses: so it does where another has set one of the fields otherwise. Its
    /// words are not in the error, as they may quote what was sent.
    pub async fn bring_secret(
        &self,
        namespace: &str,
        manifest: &SecretString,
    ) -> Result<(), Error> {
        self.send_secret(namespace, manifest, "").await
    }

    /// Whether the cluster would take the Secret. Nothing is made or changed.
    ///
    /// # Errors
    /// As [`Self::bring_secret`].
    pub async fn try_secret(&self, namespace: &str, manifest: &SecretString) -> Result<(), Error> {
        self.send_secret(namespace, manifest, "&dryRun=All").await
    }

    async fn send_secret(
        &self,
        namespace: &str,
        manifest: &SecretString,
        how: &str,
    ) -> Result<(), Error> {
        let secret = parsed(manifest)?;
        let path = secret_path(namespace, secret.name()) + "?fieldManager=" + MANAGER + how;
        let sent = self.api.send::<Value>(Method::PATCH, &path, APPLY, &secret.into()).await;
        sent.map(drop).map_err(without_words)
    }
}

/// A refusal in words of ours.
pub(super) fn without_words(mut error: Error) -> Error {
    if let Error::Api { status, reason, .. } = &mut error {
        *reason = match status {
            409 => "others have set fields of it otherwise",
            _ => "its reason is not repeated, as it may quote a value",
        }
        .to_owned();
    } else if let Error::Forbidden { reason, .. } = &mut error {
        "the Secret may not be written".clone_into(reason);
    }
    error
}

/// The object as it is sent to a namespace, which may be another than the one that it names.
fn within(object: &Object, kind: &ApiKind, namespace: &str) -> Value {
    let mut body = Value::from(object.clone());
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("namespace");
        if kind.namespaced {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
    }
    body
}
