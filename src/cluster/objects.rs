//! Single objects that a user has made, changed or removed: descriptions of registries.

use hyper::http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::client::JSON;
use super::discover::segment;
use super::standing::parsed;
use super::target::{MANAGER, without_words};
use super::{Error, Live, target::ApiKind};
use crate::app::Object;

/// Media type of RFC 7396.
const MERGE: &str = "application/merge-patch+json";

/// An object that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    kind: ApiKind,
    /// Where it is.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// Which of those that were ever called so.
    pub uid: String,
}

impl Placed {
    /// Kind, namespace and name, for messages.
    pub fn title(&self) -> String {
        title(&self.kind, &self.namespace, &self.name)
    }

    fn path(&self) -> String {
        path(&self.kind, &self.namespace, &self.name)
    }
}

impl Live {
    /// Makes an object of its manifest. Sent once: who gets no answer looks before asking again.
    ///
    /// # Errors
    /// [`Error::Unknown`] if it may have been made all the same; [`Error::Exists`] if there is one of its name; else what the cluster says against it, for
    /// Secrets without its words, which may quote what was sent.
    pub async fn create_object(
        &self,
        kind: &ApiKind,
        namespace: &str,
        manifest: &SecretString,
    ) -> Result<Placed, Error> {
        let object = parsed(manifest)?;
        let name = object.name().to_owned();
        let path = format!("{}?fieldManager={MANAGER}", kind.path(namespace));
        let sent = self.api.send_once::<Object>(Method::POST, &path, JSON, &object.into()).await;
        let made = sent.map_err(|error| match error {
            Error::Api { status: 409, .. } => Error::Exists { what: title(kind, namespace, &name) },
            error => {
                let error = if kind.plural() == "secrets" { without_words(error) } else { error };
                error.unknown(|| title(kind, namespace, &name))
            }
        })?;
        Ok(placed(kind, namespace, &made))
    }

    /// Removes an object, if it is still this one and not a later one of its name. One that is gone is
    /// removed.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is a later one; else what the cluster says.
    pub async fn remove_object(&self, object: &Placed) -> Result<(), Error> {
        let body = json!({"preconditions": {"uid": object.uid}});
        let sent = self.api.send::<Value>(Method::DELETE, &object.path(), JSON, &body).await;
        match sent {
            Ok(_) | Err(Error::Api { status: 404, .. }) => Ok(()),
            Err(error) => Err(overtaken(object, error)),
        }
    }

    /// Writes fields of an object (RFC 7396: null takes one away) and no others, if it is still this
    /// one.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is gone or a later one; else what the cluster says.
    pub async fn merge_object(&self, object: &Placed, fields: &Value) -> Result<(), Error> {
        let mut body = fields.clone();
        body["metadata"]["uid"] = object.uid.as_str().into();
        let path = format!("{}?fieldManager={MANAGER}", object.path());
        let sent = self.api.send::<Object>(Method::PATCH, &path, MERGE, &body).await;
        sent.map(drop).map_err(|error| overtaken(object, error))
    }

    /// The object of this kind and name, and its labels and annotations; `None` where there is none.
    ///
    /// # Errors
    /// When it may not be seen, or the cluster does not answer.
    pub async fn find_object(
        &self,
        kind: &ApiKind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<(Placed, Object)>, Error> {
        let found = self.metadata(kind, namespace, name).await?;
        Ok(found.map(|object| (placed(kind, namespace, &object), object)))
    }
}

fn placed(kind: &ApiKind, namespace: &str, object: &Object) -> Placed {
    Placed {
        kind: kind.clone(),
        namespace: namespace.to_owned(),
        name: object.name().to_owned(),
        uid: object.uid().unwrap_or_default().to_owned(),
    }
}

fn overtaken(object: &Placed, error: Error) -> Error {
    match error {
        Error::Api { status: 404 | 409, .. } => Error::Conflict { what: object.title() },
        error => error,
    }
}

fn title(kind: &ApiKind, namespace: &str, name: &str) -> String {
    format!("{} {namespace}/{name}", kind.resource().kind)
}

fn path(kind: &ApiKind, namespace: &str, name: &str) -> String {
    format!("{}/{}", kind.path(namespace), segment(name))
}
