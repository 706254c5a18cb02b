//! Reads all kinds of a namespace, and looks again until nothing moved meanwhile.
//!
//! The second look is at metadata alone. What came, went or changed sends its kind back to be read
//! once more; after three readings the rest is named as moved.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::discover::Resource;
use super::list::{self, Budget, Query};
use super::{Error, Live};
use crate::app::{Object, ObjectId, Unreadable};

/// The objects of one kind as they were when it was listed.
pub(super) struct Kind {
    pub(super) resource: Resource,
    pub(super) objects: Vec<Object>,
}

/// One kind, or why it could not be read.
pub(super) type Listed = Result<Kind, Unreadable>;

/// What has to be the same for an object not to have moved.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mark {
    /// The server counts changes of what the user wants.
    Generation(i64),
    /// It does not, and nothing but that is in the object (`ConfigMap`, `Secret`, `Role`, …).
    Version(String),
    /// It does not, and the object has a status that changes all the time.
    Existence,
}

/// Lists at once. The API server's fair queueing gives a user about this many seats; more would
/// wait there.
const PARALLEL: usize = 8;

/// Readings before an application counts as restless.
const PASSES: usize = 3;

impl Live {
    async fn list_all(
        &self,
        resources: Vec<Resource>,
        namespace: &str,
        budget: &Budget,
    ) -> Result<Vec<Listed>, Error> {
        stream::iter(resources)
            .map(|resource| self.list(resource, Some(namespace), budget))
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    async fn list(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        budget: &Budget,
    ) -> Result<Listed, Error> {
        let query = Query { namespace, labels: "" };
        match list::objects(&self.api, &resource, query, budget).await {
            Ok(objects) => Ok(Ok(Kind { resource, objects })),
            Err(error) => unreadable(&resource, error).map(Err),
        }
    }

    /// The objects among `kinds` that are not what they were, by the position of their kind.
    async fn moved(
        &self,
        kinds: &[Listed],
        namespace: &str,
    ) -> Result<BTreeMap<usize, Vec<ObjectId>>, Error> {
        let budget = Budget::new();
        let mut checks = Vec::with_capacity(kinds.len());
        for (at, listed) in kinds.iter().enumerate() {
            if let Ok(kind) = listed {
                checks.push(self.check(at, kind, namespace, &budget));
            }
        }
        let mut moved: BTreeMap<_, _> =
            stream::iter(checks).buffered(PARALLEL).try_collect().await?;
        moved.retain(|_, objects: &mut Vec<_>| !objects.is_empty());
        Ok(moved)
    }

    async fn check(
        &self,
        at: usize,
        kind: &Kind,
        namespace: &str,
        budget: &Budget,
    ) -> Result<(usize, Vec<ObjectId>), Error> {
        let query = Query { namespace: Some(namespace), labels: "" };
        match list::metadata(&self.api, &kind.resource, query, budget).await {
            Ok(now) => Ok((at, differences(kind, &now, namespace))),
            // An add-on's server that answered a moment ago: what it said stands.
            Err(error) => unreadable(&kind.resource, error).map(|_| (at, Vec::new())),
        }
    }

    /// Lists every kind, and those that moved meanwhile again. What still moves after
    /// [`PASSES`] readings is the second part of the answer.
    ///
    /// # Errors
    /// When a kind of the cluster itself cannot be listed for another reason than its rights.
    pub(super) async fn settle(
        &self,
        resources: Vec<Resource>,
        namespace: &str,
    ) -> Result<(Vec<Listed>, Vec<ObjectId>), Error> {
        let mut kinds = self.list_all(resources, namespace, &Budget::new()).await?;
        for pass in 1.. {
            let moved = self.moved(&kinds, namespace).await?;
            if moved.is_empty() {
                break;
            }
            if pass >= PASSES {
                return Ok((kinds, moved.into_values().flatten().collect()));
            }
            tracing::debug!(namespace, pass, kinds = moved.len(), "objects moved, reading again");
            let budget = Budget::new();
            for at in moved.into_keys() {
                if let Ok(kind) = &kinds[at] {
                    kinds[at] = self.list(kind.resource.clone(), Some(namespace), &budget).await?;
                }
            }
        }
        Ok((kinds, Vec::new()))
    }
}

/// A kind that may not be read, or whose own server is broken, is noted; everything else fails.
fn unreadable(resource: &Resource, error: Error) -> Result<Unreadable, Error> {
    let reason = match error {
        Error::Forbidden { reason, .. } => reason,
        // Gone or not to be listed after all: discovery was a moment ago.
        Error::Api { status: 404 | 405, reason, .. } => reason,
        Error::Api { reason, .. } if !resource.is_built_in() => reason,
        error @ Error::Timeout { .. } if !resource.is_built_in() => error.to_string(),
        Error::TooDeep { limit, .. } if !resource.is_built_in() => {
            format!("an object of it nests deeper than {limit} levels")
        }
        error => return Err(error),
    };
    Ok(Unreadable { resource: resource.name(), reason })
}

fn mark(object: &Object) -> Mark {
    let generation = object.at("/metadata/generation").and_then(serde_json::Value::as_i64);
    match (generation, object.at("/status")) {
        (Some(generation), _) => Mark::Generation(generation),
        (None, Some(_)) => Mark::Existence,
        (None, None) => {
            Mark::Version(object.text("/metadata/resourceVersion").unwrap_or_default().to_owned())
        }
    }
}

/// Objects that came, went or changed between a list and its metadata read later.
fn differences(kind: &Kind, now: &[list::Meta], namespace: &str) -> Vec<ObjectId> {
    let mut before: BTreeMap<&str, &Object> =
        kind.objects.iter().filter_map(|object| Some((object.uid()?, object))).collect();
    let mut moved = Vec::new();
    for list::Meta { metadata } in now {
        let same = match before.remove(metadata.uid.as_str()).map(mark) {
            Some(Mark::Generation(generation)) => metadata.generation == Some(generation),
            Some(Mark::Version(version)) => metadata.resource_version == version,
            Some(Mark::Existence) => true,
            None => false,
        };
        if !same {
            moved.push(ObjectId {
                group: kind.resource.group.clone(),
                kind: kind.resource.kind.clone(),
                namespace: Some(namespace.to_owned()),
                name: metadata.name.clone(),
            });
        }
    }
    moved.extend(before.into_values().map(Object::id));
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(objects: serde_json::Value) -> Kind {
        let resource = Resource {
            group: "apps".into(),
            version: "v1".into(),
            plural: "deployments".into(),
            kind: "Deployment".into(),
        };
        Kind { resource, objects: serde_json::from_value(objects).unwrap() }
    }

    fn object(name: &str, meta: &serde_json::Value, status: bool) -> serde_json::Value {
        let mut object =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta.clone()});
        object["metadata"]["name"] = name.into();
        object["metadata"]["uid"] = format!("uid-{name}").into();
        if status {
            object["status"] = json!({});
        }
        object
    }

    fn now(items: serde_json::Value) -> Vec<list::Meta> {
        serde_json::from_value(items).unwrap()
    }

    #[test]
    fn generation_counts_where_there_is_one() {
        let kind =
            kind(json!([object("a", &json!({"generation": 1, "resourceVersion": "5"}), true)]));
        let meta = |generation: i64, version: &str| {
            now(json!([{"metadata": {"name": "a",
            "uid": "uid-a", "generation": generation, "resourceVersion": version}}]))
        };
        assert!(differences(&kind, &meta(1, "6"), "shop").is_empty());
        assert_eq!(differences(&kind, &meta(2, "6"), "shop")[0].name, "a");
    }

    #[test]
    fn the_version_counts_where_there_is_nothing_else() {
        let data = kind(json!([object("a", &json!({"resourceVersion": "5"}), false)]));
        let pod = kind(json!([object("a", &json!({"resourceVersion": "5"}), true)]));
        let later =
            now(json!([{"metadata": {"name": "a", "uid": "uid-a", "resourceVersion": "6"}}]));
        assert_eq!(differences(&data, &later, "shop").len(), 1);
        assert!(differences(&pod, &later, "shop").is_empty());
    }

    #[test]
    fn what_came_and_what_went_has_moved() {
        let kind = kind(json!([object("gone", &json!({}), true)]));
        let moved =
            differences(&kind, &now(json!([{"metadata": {"name": "new", "uid": "n"}}])), "s");
        let names: Vec<_> = moved.iter().map(|id| id.name.as_str()).collect();
        assert_eq!(names, ["new", "gone"]);
    }
}
