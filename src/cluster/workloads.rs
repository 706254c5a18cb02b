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

    /// The names of all namespaces.
    ///
    /// # Errors
    /// When they may not be listed, or the cluster does not answer.
    pub async fn namespaces(&self) -> Result<Vec<String>, Error> {
        let kind = resource(["", "v1", "namespaces", "Namespace"]);
        let query = Query { namespace: None, labels: "" };
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
