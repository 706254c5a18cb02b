//! The destinations that are known: labelled Secrets, and what other systems say of registries.

use std::path::Path;

use jiff::Timestamp;

use super::args::Global;
use super::connect;
use crate::cluster::{self, Live, Manifests, SecretReader};
use crate::destination::documents::{self, Documents};
use crate::destination::{self, Destination, adopt, select};
use crate::error::Error;
use crate::registry::credentials::DockerConfig;

/// What is known.
pub(crate) struct Known {
    /// The namespace in which labelled Secrets were sought.
    pub(crate) namespace: String,
    /// All of them: labelled Secrets, then those that other systems describe.
    pub(crate) all: Vec<Destination>,
    /// What is odd about the descriptions and no destination's own problem.
    pub(crate) notes: Vec<String>,
    /// Why some could not be read that may be there.
    pub(crate) unread: Option<Error>,
}

/// Reads what `--destinations` names, else the cluster.
///
/// # Errors
/// When labelled Secrets cannot be read, or a file is none.
pub(crate) async fn known(global: &Global) -> Result<Known, Error> {
    let mut known = match &global.destinations {
        Some(path) => of_files(path, global).await?,
        None => of_cluster(global).await?,
    };
    adopt::shadow(&mut known.all);
    Ok(known)
}

async fn of_files(path: &Path, global: &Global) -> Result<Known, Error> {
    let mut found = documents::read(cluster::placed(path)?, global.eda_namespace.as_deref())?;
    let objects = std::mem::take(&mut found.objects);
    let name = path.display().to_string();
    let objects = Manifests::from_documents(name, objects, Timestamp::now())?;
    beside(labelled(&objects, global).await, found, None)
}

async fn of_cluster(global: &Global) -> Result<Known, Error> {
    let live = Live::connect(&connect::client_options(global)).await?;
    let secrets = match labelled(&live, global).await {
        // Who does not answer is not asked again.
        Err(error) if !is_optional(&error) => return Err(error.into()),
        secrets => secrets,
    };
    let namespace = global.eda_namespace();
    match live.eda_registries(namespace).await {
        Ok(registries) => beside(secrets, documents::of_eda(registries)?, None),
        Err(source) => {
            let (namespace, source) = (namespace.to_owned(), Box::new(source));
            let unread = destination::Error::Unreadable { namespace, source };
            beside(secrets, Documents::default(), Some(unread))
        }
    }
}

/// Labelled Secrets, and behind them what other systems describe. Who has registries of another system
/// needs neither labelled Secrets nor a right to them.
fn beside(
    secrets: Result<(String, Vec<Destination>), destination::Error>,
    found: Documents,
    unread: Option<destination::Error>,
) -> Result<Known, Error> {
    let (namespace, mut all, unread) = match (secrets, unread) {
        (Ok((namespace, all)), unread) => (namespace, all, unread),
        (Err(destination::Error::NoSystemNamespace { .. }), Some(unread)) => {
            return Err(unread.into());
        }
        (Err(error), _) if found.adopted.is_empty() || !is_optional(&error) => {
            return Err(error.into());
        }
        (Err(error), _) => {
            let namespace = select::SYSTEM_NAMESPACES[0].to_owned();
            let is_none = matches!(error, destination::Error::NoSystemNamespace { .. });
            (namespace, Vec::new(), Some(error).filter(|_| !is_none))
        }
    };
    all.extend(with_docker(found.adopted)?);
    Ok(Known { namespace, all, notes: found.notes, unread: unread.map(Error::from) })
}

async fn labelled(
    reader: &dyn SecretReader,
    global: &Global,
) -> Result<(String, Vec<Destination>), destination::Error> {
    let namespace = select::system_namespace(reader, global.system_namespace.as_deref()).await?;
    let all = select::list(reader, &namespace).await?;
    Ok((namespace, all))
}

/// Whether there may be destinations all the same: no namespace for labelled Secrets, or no right.
fn is_optional(error: &destination::Error) -> bool {
    match error {
        destination::Error::NoSystemNamespace { .. } => true,
        destination::Error::Unreadable { source, .. } => {
            matches!(**source, cluster::Error::Forbidden { .. })
        }
        _ => false,
    }
}

/// Where a system has no credentials for a registry, those of the Docker configuration are used, as for
/// an address.
fn with_docker(mut adopted: Vec<Destination>) -> Result<Vec<Destination>, Error> {
    let is_open = |of: &&mut Destination| of.keychain.is_empty() && of.fatal().is_none();
    let mut open = adopted.iter_mut().filter(is_open).peekable();
    if open.peek().is_some() {
        let docker = DockerConfig::load_default()?;
        for destination in open {
            let keychain = std::mem::take(&mut destination.keychain);
            destination.keychain = keychain.with_docker_config(docker.clone());
        }
    }
    Ok(adopted)
}
