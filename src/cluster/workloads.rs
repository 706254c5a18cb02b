//! The workloads of a namespace, and the names of namespaces, for who cannot wait for all objects.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::discover::Resource;
use super::list::{self, Budget, Query};
use super::source::UNKNOWN;
use super::{Error, Live};
use crate::app::snapshot::Plaintext;
use crate::app::{Origin, Snapshot};

/// What names an application: group, version, plural, kind. Pods and what makes them for these have
/// no names of their own.
const KINDS: [[&str; 4]; 5] = [
    ["apps", "v1", "deployments", "Deployment"],
    ["apps", "v1", "statefulsets", "StatefulSet"],
    ["apps", "v1", "daemonsets", "DaemonSet"],
    ["batch", "v1", "cronjobs", "CronJob"],
    ["application.epinio.io", "v1", "apps", "App"],
];

impl Live {
    /// The workloads of a namespace, without any other object, by one request for each kind. Kinds
    /// that are not served or may not be listed are left out in silence: this is for suggestions, and
    /// nothing can be exported from it.
    ///
    /// # Errors
    /// When there are more objects than a snapshot holds.
    pub async fn workloads(&self, namespace: &str) -> Result<Snapshot, Error> {
        let origin = Origin::Cluster { uid: UNKNOWN.to_owned(), version: UNKNOWN.to_owned() };
        let mut snapshot = Snapshot::new(Timestamp::now(), origin, namespace);
        let (query, budget) = (Query { namespace: Some(namespace), labels: "" }, Budget::new());
        let kinds = KINDS.map(resource);
        let lists = kinds.iter().map(|kind| list::objects(&self.api, kind, query, &budget));
        for object in join_all(lists).await.into_iter().flatten().flatten() {
            let pushed = snapshot.push(object, Plaintext::Drop);
            let place = || self.server().to_owned();
            pushed.map_err(|source| Error::Snapshot { place: place(), source })?;
        }
        Ok(snapshot)
    }

    /// Kind and name of the workloads of a namespace that have these labels. A kind that is not served
    /// has none.
    ///
    /// # Errors
    /// When the selector is none, they may not be listed, or the cluster does not answer.
    pub async fn workloads_with(
        &self,
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<(&'static str, String)>, Error> {
        let (query, budget) = (Query { namespace: Some(namespace), labels }, Budget::new());
        let lists = KINDS.map(|kind @ [_, _, _, name]| {
            let budget = &budget;
            async move {
                match list::metadata(&self.api, &resource(kind), query, budget).await {
                    Ok(found) => Ok({ found.into_iter() }
                        .map(|workload| (name, workload.metadata.name))
                        .collect()),
                    Err(Error::Api { status: 404, .. }) => Ok(Vec::new()),
                    Err(error) => Err(error),
                }
            }
        });
        let lists: Result<Vec<Vec<_>>, Error> = join_all(lists).await.into_iter().collect();
        Ok(lists?.into_iter().flatten().collect())
    }

    /// The names of all namespaces.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn namespaces(&self) -> Result<Vec<String>, Error> {
        self.namespaces_with("").await
    }

    /// The names of the namespaces that have these labels.
    ///
    /// # Errors
    /// When the selector is none, they may not be listed, or the cluster does not answer.
    pub async fn namespaces_with(&self, labels: &str) -> Result<Vec<String>, Error> {
        let kind = resource(["", "v1", "namespaces", "Namespace"]);
        let query = Query { namespace: None, labels };
        let found = list::metadata(&self.api, &kind, query, &Budget::new()).await?;
        Ok(found.into_iter().map(|namespace| namespace.metadata.name).collect())
    }
}

fn resource([group, version, plural, kind]: [&str; 4]) -> Resource {
    Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        kind: kind.to_owned(),
    }
}
