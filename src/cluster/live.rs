//! The live cluster as a source.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use super::client::{Api, MAX_DOCUMENT};
use super::discover::{discover, segment};
use super::source::UNKNOWN;
use super::{
    ClientOptions, Error, Records, Scope, SecretRead, Source, cluster_scoped, definitions,
    endpoints, nodes, releases,
};
use crate::app::snapshot::Plaintext;
use crate::app::{Object, Origin, Snapshot, Unreadable};

/// A live cluster.
#[derive(Clone)]
pub struct Live {
    pub(super) api: Api,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default, rename = "gitVersion")]
    git_version: String,
}

/// The namespace whose uid is the identity of a cluster.
const KUBE_SYSTEM: &str = "kube-system";

impl Live {
    /// Reads the configuration and prepares the connection; nothing is asked yet.
    ///
    /// # Errors
    /// When there is no configuration, or one that cannot be used.
    pub async fn connect(options: &ClientOptions) -> Result<Self, Error> {
        Ok(Self { api: Api::connect(options).await? })
    }

    /// The namespace of the kubeconfig's context, or of the pod that we run in.
    pub fn default_namespace(&self) -> &str {
        self.api.namespace()
    }

    /// Address of the API server.
    pub fn server(&self) -> &str {
        self.api.server()
    }

    /// Asks the API server for something that everybody may read.
    ///
    /// # Errors
    /// When it does not answer, or refuses the credentials.
    pub async fn ping(&self) -> Result<(), Error> {
        self.version().await.map(|_| ())
    }

    /// The version of the API server, such as `v1.35.4`.
    ///
    /// # Errors
    /// As [`Self::ping`].
    pub async fn version(&self) -> Result<String, Error> {
        let (version, _) =
            self.api.get::<Version>("/version", "application/json", MAX_DOCUMENT).await?;
        Ok(version.git_version)
    }

    async fn origin(&self, identity: bool) -> Result<Origin, Error> {
        let uid = if identity { self.uid().await? } else { UNKNOWN.to_owned() };
        // Worth a line in a report, not worth failing for.
        let version = self.version().await.unwrap_or_else(|_| UNKNOWN.to_owned());
        Ok(Origin::Cluster { uid, version })
    }

    /// What tells this cluster from others.
    ///
    /// # Errors
    /// When it may not be read, or the cluster does not answer.
    pub async fn uid(&self) -> Result<String, Error> {
        let system = self.namespace(KUBE_SYSTEM).await.map_err(|error| match error {
            Error::Forbidden { reason, .. } => {
                Error::Unidentified { namespace: KUBE_SYSTEM, reason }
            }
            other => other,
        })?;
        let uid = system.and_then(|object| object.uid().map(str::to_owned));
        uid.ok_or_else(|| self.missing(KUBE_SYSTEM))
    }

    /// Whether there is a namespace of this name, as far as that may be asked.
    ///
    /// # Errors
    /// [`Error::NamespaceMissing`] if there is none, or when the cluster does not answer.
    pub async fn require_namespace(&self, name: &str) -> Result<(), Error> {
        match self.namespace(name).await {
            Ok(None) => Err(self.missing(name)),
            Ok(Some(_)) | Err(Error::Forbidden { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The namespace as an object; `None` where there is none.
    pub(super) async fn namespace(&self, name: &str) -> Result<Option<Object>, Error> {
        self.object(&format!("/api/v1/namespaces/{}", segment(name))).await
    }

    /// The object at a path; `None` where there is none.
    pub(super) async fn object(&self, path: &str) -> Result<Option<Object>, Error> {
        match self.api.get::<Object>(path, "application/json", MAX_DOCUMENT).await {
            Ok((object, _)) => Ok(Some(object)),
            Err(Error::Api { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn missing(&self, namespace: &str) -> Error {
        let place = format!("the cluster at {}", self.server());
        Error::NamespaceMissing { namespace: namespace.to_owned(), place }
    }
}

#[async_trait]
impl Source for Live {
    async fn snapshot(&self, scope: &Scope) -> Result<Snapshot, Error> {
        let taken_at = Timestamp::now();
        let namespace = scope.namespace.as_deref().unwrap_or_else(|| self.default_namespace());
        let own = match self.namespace(namespace).await {
            Ok(None) => return Err(self.missing(namespace)),
            Ok(Some(object)) => Ok(object),
            Err(Error::Forbidden { reason, .. }) => {
                Err(Unreadable { resource: "namespaces".to_owned(), reason })
            }
            Err(error) => return Err(error),
        };
        let (origin, mut served) =
            tokio::try_join!(self.origin(scope.identity), discover(&self.api))?;
        let mut snapshot = Snapshot::new(taken_at, origin, namespace);
        if scope.secrets == SecretRead::Nothing {
            served.resources.retain(|resource| !resource.is_secret());
        }
        snapshot.unreadable.append(&mut served.broken);
        let (kinds, moved) = self.settle(served.resources, namespace).await?;
        snapshot.moved = moved;
        let definitions = match scope.definitions {
            true => definitions::read(self, &kinds).await?,
            false => Ok(Vec::new()),
        };
        if scope.identity {
            snapshot.platforms = nodes::platforms(self).await?;
        }
        match &scope.releases {
            Records::None => {}
            Records::Of(name) => snapshot.release = releases::read(self, namespace, name).await?,
            Records::All => {
                (snapshot.releases, snapshot.release) = releases::all(self, namespace).await?;
            }
        }
        let mut door = Door { live: self, snapshot: &mut snapshot, secrets: scope.secrets };
        door.take(own.map(|object| vec![object]))?;
        for listed in kinds {
            door.take(listed.map(|kind| kind.objects))?;
        }
        let endpoints = endpoints::read(self, namespace, &door.snapshot.objects).await?;
        door.take(Ok(endpoints))?;
        door.take(definitions)?;
        for listed in cluster_scoped::read(self, namespace, &door.snapshot.objects).await? {
            door.take(listed)?;
        }
        Ok(snapshot)
    }
}

/// Where objects enter a snapshot.
struct Door<'a> {
    live: &'a Live,
    snapshot: &'a mut Snapshot,
    secrets: SecretRead,
}

impl Door<'_> {
    fn take(&mut self, listed: Result<Vec<Object>, Unreadable>) -> Result<(), Error> {
        let objects = match listed {
            Ok(objects) => objects,
            Err(unreadable) => {
                self.snapshot.unreadable.push(unreadable);
                return Ok(());
            }
        };
        let plaintext = match self.secrets {
            SecretRead::Values => Plaintext::Keep,
            SecretRead::Nothing | SecretRead::Keys => Plaintext::Drop,
        };
        for object in objects {
            self.snapshot.push(object, plaintext).map_err(|source| {
                let place = format!("the cluster at {}", self.live.server());
                Error::Snapshot { place, source }
            })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("server", &self.server()).finish_non_exhaustive()
    }
}
