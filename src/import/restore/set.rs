//! Every application of a namespace that a registry has exports of.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Selector, find};
use crate::export::Target;
use crate::export::history::{self, Published};
use crate::import::Error;
use crate::registry::RepositoryName;

/// Repositories looked at at once: the registry's other users want to be served, too.
const AT_ONCE: usize = 8;

/// Whose exports are meant.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Namespace that they were made in.
    pub namespace: String,
    /// Uid of their cluster; `None`: it must be the only one.
    pub cluster: Option<String>,
    /// Which version of each.
    pub selector: Selector,
}

/// An application and the version of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub app: String,
    /// Uid of the cluster that it was exported from.
    pub cluster: String,
    /// Where its charts are.
    pub repository: RepositoryName,
    /// The version.
    pub published: Published,
}

/// Parts of an origin: cluster, namespace, application.
fn parts(published: &Published) -> Option<[&str; 3]> {
    let mut parts = published.origin.as_deref()?.splitn(3, '/');
    Some([parts.next()?, parts.next()?, parts.next()?])
}

/// The applications of a namespace, by name: of the repositories in `charts`, or of all at `target`.
/// The newest version of a repository says whose it is.
///
/// # Errors
/// [`Error::NoCatalog`] where repositories have to be named, [`Error::ManyClusters`] where a cluster
/// has, [`Error::NoExports`] where there is nothing, or when the registry cannot be read.
pub async fn set(
    target: &Target,
    charts: &[RepositoryName],
    wanted: &Wanted,
) -> Result<Vec<Found>, Error> {
    let repositories = match charts {
        [] => listed(target).await?,
        named => named.to_vec(),
    };
    let each = repositories.into_iter().map(|repository| one(target, repository, wanted));
    let found: Vec<Option<Found>> = stream::iter(each).buffered(AT_ONCE).try_collect().await?;
    let found: Vec<Found> = found.into_iter().flatten().collect();
    if found.is_empty() {
        let (place, namespace) = (target.name.clone(), wanted.namespace.clone());
        return Err(Error::NoExports { place, namespace });
    }
    of_one_cluster(found)
}

/// Every repository below the path of the target.
async fn listed(target: &Target) -> Result<Vec<RepositoryName>, Error> {
    let none = || Error::NoCatalog(target.name.clone());
    let registry = target.registry.as_ref().ok_or_else(none)?;
    let mut all = registry.catalog().await?.ok_or_else(none)?;
    if let Some(prefix) = &target.prefix {
        let below = format!("{prefix}/");
        all.retain(|repository| repository.as_str().starts_with(&below));
    }
    Ok(all)
}

async fn one(
    target: &Target,
    repository: RepositoryName,
    wanted: &Wanted,
) -> Result<Option<Found>, Error> {
    let in_namespace =
        |of: &Published| parts(of).is_some_and(|[_, namespace, _]| namespace == wanted.namespace);
    let newest = history::newest(target, &repository).await?;
    if !newest.as_ref().is_some_and(in_namespace) {
        return Ok(None);
    }
    let is_meant = |of: &Published| {
        let cluster = wanted.cluster.as_deref();
        in_namespace(of)
            && parts(of).is_some_and(|[from, ..]| cluster.is_none_or(|cluster| cluster == from))
    };
    let published = match find::version(target, &repository, wanted.selector, is_meant).await {
        Ok(published) => published,
        Err(Error::NoVersion { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = parts(&published).map(|[cluster, _, app]| (cluster.to_owned(), app.to_owned()));
    Ok(found.map(|(cluster, app)| Found { app, cluster, repository, published }))
}

/// One version of each application, the newest where several repositories have it.
fn of_one_cluster(found: Vec<Found>) -> Result<Vec<Found>, Error> {
    let clusters: BTreeSet<String> = found.iter().map(|of| of.cluster.clone()).collect();
    if clusters.len() > 1 {
        return Err(Error::ManyClusters(clusters.into_iter().collect()));
    }
    let mut by_name: BTreeMap<String, Found> = BTreeMap::new();
    for of in found {
        let newer = |known: &Found| known.published.version < of.published.version;
        if by_name.get(&of.app).is_none_or(newer) {
            by_name.insert(of.app.clone(), of);
        }
    }
    Ok(by_name.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Digest;
    use semver::Version;

    fn found(cluster: &str, app: &str, version: u64) -> Found {
        let origin = Some(format!("{cluster}/shop/{app}"));
        let version = Version::new(2026, version, 0);
        let (content, secrets, schedule, taken_at) = Default::default();
        let digest = Digest::of(b"");
        let published = Published { version, digest, origin, content, secrets, schedule, taken_at };
        let repository = "team/a".parse().unwrap();
        Found { app: app.to_owned(), cluster: cluster.to_owned(), repository, published }
    }

    #[test]
    fn each_application_comes_once_and_of_one_cluster() {
        let two = vec![found("a", "web", 101), found("a", "web", 102), found("a", "db", 103)];
        let set = of_one_cluster(two).unwrap();
        let told: Vec<_> = set.iter().map(|of| (&*of.app, of.published.version.minor)).collect();
        assert_eq!(told, [("db", 103), ("web", 102)]);
        let error = of_one_cluster(vec![found("b", "web", 1), found("a", "db", 1)]).unwrap_err();
        assert!(matches!(error, Error::ManyClusters(all) if all == ["a", "b"]));
    }
}
