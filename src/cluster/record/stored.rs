//! Records of either kind as the API stores them: made, read, written and removed, one at a time.

use hyper::http::Method;
use kube::Resource;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cluster::client::{JSON, MAX_DOCUMENT};
use crate::cluster::discover::segment;
use crate::cluster::{Error, Live};

/// Where the API serves them.
const API: &str = "/apis/outhaul.dev/v1alpha1";

/// Media type of a JSON merge patch (RFC 7396).
const MERGE: &str = "application/merge-patch+json";

/// Objects of one answer: a hundred of the largest are a few MiB.
const PAGE: usize = 100;

/// An object of one of our kinds.
pub(super) trait Stored:
    Resource<DynamicType = ()> + Serialize + DeserializeOwned + Sized
{
    /// What a message calls it.
    fn title(&self) -> String {
        let meta = self.meta();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{} {}/{}", Self::kind(&()), text(&meta.namespace), text(&meta.name))
    }

    /// Where the API has it.
    fn path(&self) -> String {
        let meta = self.meta();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        path::<Self>(&text(&meta.namespace), &text(&meta.name))
    }
}

impl<T: Resource<DynamicType = ()> + Serialize + DeserializeOwned> Stored for T {}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMeta,
    items: Vec<T>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    more: Option<String>,
}

impl Live {
    /// Makes it. Sent once: who gets no answer reads what is there before asking again.
    pub(super) async fn create_stored<T: Stored>(
        &self,
        object: &T,
        query: &str,
    ) -> Result<T, Error> {
        let namespace = object.meta().namespace.clone().unwrap_or_default();
        let path = format!("{}{query}", within::<T>(Some(&namespace)));
        let body = self.written(object)?;
        let made = self.api.send_once(Method::POST, &path, JSON, &body).await;
        made.map_err(|error| match error {
            Error::Api { status: 409, .. } => Error::Exists { what: object.title() },
            other => other,
        })
    }

    /// The one of this name; `None` where there is none, or where the cluster does not know the kind.
    pub(super) async fn read_stored<T: Stored>(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<T>, Error> {
        match self.api.get(&path::<T>(namespace, name), JSON, MAX_DOCUMENT).await {
            Ok((object, _)) => Ok(Some(object)),
            Err(Error::Api { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// At most `limit` of a namespace, or of all, in the order of their names; with a selector, those
    /// that have such labels.
    pub(super) async fn list_stored<T: Stored>(
        &self,
        namespace: Option<&str>,
        selector: &str,
        limit: usize,
    ) -> Result<Vec<T>, Error> {
        let path = within::<T>(namespace);
        let mut all: Vec<T> = Vec::new();
        let mut more = String::new();
        while all.len() < limit {
            let size = PAGE.min(limit - all.len());
            let (selector, more_of) = (segment(selector), segment(&more));
            let url = format!("{path}?limit={size}&labelSelector={selector}&continue={more_of}");
            let (page, _): (Page<T>, _) = self.api.get(&url, JSON, MAX_DOCUMENT).await?;
            all.extend(page.items);
            more = page.metadata.more.unwrap_or_default();
            if more.is_empty() {
                break;
            }
        }
        all.truncate(limit);
        Ok(all)
    }

    /// Writes the status that `object` has, if the rest of it is still what was read.
    pub(super) async fn put_status<T: Stored>(&self, object: &T) -> Result<T, Error> {
        let path = format!("{}/status", object.path());
        let body = self.written(object)?;
        let sent = self.api.send(Method::PUT, &path, JSON, &body).await;
        sent.map_err(|error| overtaken(object, error))
    }

    /// Sets annotations, and no others. Anybody's later changes stay.
    pub(super) async fn put_annotations<T: Stored>(
        &self,
        object: &T,
        annotations: &[(&str, &str)],
    ) -> Result<T, Error> {
        let values = annotations.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        let values: Map<String, Value> = values.collect();
        let body = json!({"metadata": {"uid": object.meta().uid, "annotations": values}});
        self.merge(object, &body).await
    }

    /// Writes what a merge patch says.
    pub(super) async fn merge<T: Stored>(&self, object: &T, body: &Value) -> Result<T, Error> {
        let sent = self.api.send(Method::PATCH, &object.path(), MERGE, body).await;
        sent.map_err(|error| overtaken(object, error))
    }

    /// Removes it, if it is still this one and not a later one of its name.
    pub(super) async fn delete_stored<T: Stored>(&self, object: &T) -> Result<(), Error> {
        let body = json!({"preconditions": {"uid": object.meta().uid}});
        let sent = self.api.send::<Value>(Method::DELETE, &object.path(), JSON, &body).await;
        sent.map(drop).map_err(|error| overtaken(object, error))
    }

    /// It as JSON.
    pub(super) fn written<T: Stored>(&self, object: &T) -> Result<Value, Error> {
        serde_json::to_value(object).map_err(|error| Error::Protocol {
            server: self.server().to_owned(),
            path: object.path(),
            reason: error.to_string(),
        })
    }
}

fn within<T: Stored>(namespace: Option<&str>) -> String {
    let within = namespace.map(|name| format!("/namespaces/{}", segment(name)));
    format!("{API}{}/{}", within.unwrap_or_default(), T::plural(&()))
}

fn path<T: Stored>(namespace: &str, name: &str) -> String {
    format!("{}/{}", within::<T>(Some(namespace)), segment(name))
}

/// What a refusal to write means where somebody else was faster.
pub(super) fn overtaken<T: Stored>(object: &T, error: Error) -> Error {
    let conflict = match &error {
        Error::Api { status: 404 | 409, .. } => true,
        // A patch of another object than was read.
        Error::Api { status: 422, reason, .. } => reason.contains("metadata.uid"),
        _ => false,
    };
    if conflict { Error::Conflict { what: object.title() } } else { error }
}
