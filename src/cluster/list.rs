//! Lists of objects: paged, bounded in bytes, with the fields that the API leaves out of items.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::Error;
use super::client::Api;
use super::discover::Resource;
use crate::app::Object;
use crate::app::snapshot::MAX_BYTES;

/// Bytes that may still be read, shared by all lists of one reading.
#[derive(Debug)]
pub(super) struct Budget(AtomicUsize);

/// What is listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    /// Namespace; `None` for cluster-scoped kinds.
    pub(super) namespace: Option<&'a str>,
    /// Label selector; empty for all.
    pub(super) labels: &'a str,
}

/// A page of a list. Generic, so that whole objects and metadata alone share the paging.
#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMeta,
    items: Option<Vec<T>>,
}

#[derive(Default, Deserialize)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    more: Option<String>,
}

/// The part of an object that tells whether it changed, and whose it is.
#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    pub(super) metadata: MetaFields,
}

/// See [`Meta`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetaFields {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default)]
    pub(super) generation: Option<i64>,
    #[serde(default)]
    pub(super) resource_version: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
}

/// kubectl's and client-go's page: large enough for most kinds in one request, small enough for
/// an API server to answer in a second.
const PAGE: usize = 500;

const JSON: &str = "application/json";

/// Metadata alone, which servers know since Kubernetes 1.15. Aggregated servers may not: then
/// whole objects come, and their metadata is taken.
const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

impl Budget {
    /// As much as a snapshot holds: what is read beyond it would be refused there anyway.
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(MAX_BYTES))
    }

    fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn spend(&self, bytes: usize) -> Result<(), Error> {
        let spent = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).map(drop).map_err(|_| {
            let limit = format!("{} MiB", MAX_BYTES >> 20);
            Error::TooLarge { what: "what was read".to_owned(), limit }
        })
    }
}

/// All objects of a kind, in the API's order, with `apiVersion` and `kind`.
///
/// # Errors
/// As [`Api::get`], and when an item is no object.
pub(super) async fn objects(
    api: &Api,
    resource: &Resource,
    query: Query<'_>,
    budget: &Budget,
) -> Result<Vec<Object>, Error> {
    let items: Vec<Map<String, Value>> = pages(api, resource, query, JSON, budget).await?;
    items.into_iter().map(|item| complete(api, resource, item)).collect()
}

/// The metadata of all objects of a kind.
///
/// # Errors
/// As [`Api::get`].
pub(super) async fn metadata(
    api: &Api,
    resource: &Resource,
    query: Query<'_>,
    budget: &Budget,
) -> Result<Vec<Meta>, Error> {
    pages(api, resource, query, METADATA, budget).await
}

/// All objects of a kind with their metadata alone, whatever else they hold.
///
/// # Errors
/// As [`objects`].
pub(super) async fn partial(
    api: &Api,
    resource: &Resource,
    query: Query<'_>,
    budget: &Budget,
) -> Result<Vec<Object>, Error> {
    let items: Vec<Map<String, Value>> = pages(api, resource, query, METADATA, budget).await?;
    let bare = |mut item: Map<String, Value>| {
        item.retain(|key, _| key == "metadata");
        complete(api, resource, item)
    };
    items.into_iter().map(bare).collect()
}

async fn pages<T: serde::de::DeserializeOwned>(
    api: &Api,
    resource: &Resource,
    query: Query<'_>,
    accept: &str,
    budget: &Budget,
) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    let mut more: Option<String> = None;
    let mut restarted = false;
    loop {
        let path = url(resource, query, more.as_deref());
        match api.get::<Page<T>>(&path, accept, budget.left()).await {
            Ok((page, bytes)) => {
                budget.spend(bytes)?;
                all.extend(page.items.unwrap_or_default());
                more = page.metadata.more.filter(|token| !token.is_empty());
                if more.is_none() {
                    return Ok(all);
                }
            }
            // The token outlived the server's history (five minutes): once more from the start.
            Err(Error::Api { status: 410, .. }) if more.is_some() && !restarted => {
                (restarted, more) = (true, None);
                all.clear();
            }
            Err(error) => return Err(error),
        }
    }
}

fn url(resource: &Resource, query: Query<'_>, more: Option<&str>) -> String {
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    parameters.append_pair("limit", &PAGE.to_string());
    if !query.labels.is_empty() {
        parameters.append_pair("labelSelector", query.labels);
    }
    if let Some(token) = more {
        parameters.append_pair("continue", token);
    }
    format!("{}?{}", resource.path(query.namespace), parameters.finish())
}

/// Items of built-in kinds come without `apiVersion` and `kind`; they go first, as kubectl prints.
pub(super) fn complete(
    api: &Api,
    resource: &Resource,
    item: Map<String, Value>,
) -> Result<Object, Error> {
    let mut object = Map::with_capacity(item.len() + 2);
    object.insert("apiVersion".to_owned(), resource.api_version().into());
    object.insert("kind".to_owned(), resource.kind.clone().into());
    let rest = item.into_iter().filter(|(key, _)| key != "apiVersion" && key != "kind");
    object.extend(rest);
    Object::new(Value::Object(object)).map_err(|error| Error::Protocol {
        server: api.server().to_owned(),
        path: resource.path(None),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        let pods = Resource {
            group: String::new(),
            version: "v1".into(),
            plural: "pods".into(),
            kind: "Pod".into(),
        };
        let query = Query { namespace: Some("shop"), labels: "a/b=true" };
        assert_eq!(
            url(&pods, query, Some("x=")),
            "/api/v1/namespaces/shop/pods?limit=500&labelSelector=a%2Fb%3Dtrue&continue=x%3D"
        );
    }

    #[test]
    fn a_budget_ends() {
        let budget = Budget(AtomicUsize::new(10));
        assert!(budget.spend(6).is_ok());
        assert!(budget.spend(6).is_err());
        assert_eq!(budget.left(), 4);
    }
}
