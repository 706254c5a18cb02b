//! A namespace for a while: what a drill makes, reads and leaves behind.

use hyper::http::Method;
use serde_json::{Value, json};

use super::Error;
use super::client::{JSON, MAX_DOCUMENT};
use super::discover::{Resource, segment};
use super::list::{self, Budget, Query};
use super::live::Live;
use super::secret::{secret_path, secrets_path};
use super::target::{ApiKind, MANAGER, without_words};
use crate::app::Object;

impl Live {
    /// Makes a namespace that must be new, with this metadata, and gives its uid.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn make_namespace(&self, metadata: &Value) -> Result<String, Error> {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        let path = format!("/api/v1/namespaces?fieldManager={MANAGER}");
        let made: Object = self.api.send(Method::POST, &path, JSON, &body).await?;
        Ok(made.uid().unwrap_or_default().to_owned())
    }

    /// Metadata of the namespaces with this label.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn scratch_namespaces(&self, label: &str) -> Result<Vec<Object>, Error> {
        let kind = Resource {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "namespaces".to_owned(),
            kind: "Namespace".to_owned(),
        };
        let query = Query { namespace: None, labels: label };
        list::partial(&self.api, &kind, query, &Budget::new()).await
    }

    /// Every object of a kind in a namespace. Not for Secrets.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn all(&self, kind: &ApiKind, namespace: &str) -> Result<Vec<Object>, Error> {
        let query = Query { namespace: Some(namespace), labels: "" };
        list::objects(&self.api, kind.resource(), query, &Budget::new()).await
    }

    /// Removes an object. That there is none is no error.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn delete(&self, kind: &ApiKind, namespace: &str, name: &str) -> Result<(), Error> {
        let path = format!("{}/{}", kind.path(namespace), segment(name));
        match self.api.send::<Value>(Method::DELETE, &path, JSON, &json!({})).await {
            Ok(_) | Err(Error::Api { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes an object. One of its name that is there stays as it is.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn make(&self, kind: &ApiKind, namespace: &str, object: &Value) -> Result<(), Error> {
        let path = format!("{}?fieldManager={MANAGER}", kind.path(namespace));
        match self.api.send::<Value>(Method::POST, &path, JSON, object).await {
            Ok(_) | Err(Error::Api { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The object of this kind and name with its status, if it is there. Not for Secrets.
    ///
    /// # Errors
    /// When it may not be seen, or the cluster does not answer.
    pub async fn read(
        &self,
        kind: &ApiKind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, Error> {
        self.object(&format!("{}/{}", kind.path(namespace), segment(name))).await
    }

    /// Brings a Secret of one namespace into another; `false` where there is none. Its values are
    /// neither kept nor said.
    ///
    /// # Errors
    /// When it may not be read or made.
    pub async fn copy_secret(&self, from: &str, to: &str, name: &str) -> Result<bool, Error> {
        let read = self.api.get::<Object>(&secret_path(from, name), JSON, MAX_DOCUMENT).await;
        let secret = match read {
            Ok((secret, _)) => secret,
            Err(Error::Api { status: 404, .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "type": secret.at("/type"), "data": secret.at("/data")});
        let path = format!("{}?fieldManager={MANAGER}", secrets_path(to));
        let sent = self.api.send::<Value>(Method::POST, &path, JSON, &body).await;
        sent.map_err(without_words)?;
        Ok(true)
    }
}
