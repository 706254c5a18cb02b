//! The destinations that are known: labelled Secrets, and what other systems say of registries.

use std::path::Path;

use jiff::Timestamp;

use super::args::Global;
use super::connect;
use crate::cluster::{self, Live, Manifests, SecretReader};
use crate::destination::{self, Destination, adopt, documents, select};
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
    let found = documents::read(cluster::placed(path)?, global.eda_namespace.as_deref())?;
    let name = path.display().to_string();
    let objects = Manifests::from_documents(name, found.objects, Timestamp::now())?;
    beside(found.adopted, found.notes, None, &objects, global).await
}

async fn of_cluster(global: &Global) -> Result<Known, Error> {
    let live = Live::connect(&connect::client_options(global)).await?;
    let namespace = global.eda_namespace();
    match live.eda_registries(namespace).await {
        Ok(registries) => {
            let found = documents::of_eda(registries)?;
            beside(found.adopted, found.notes, None, &live, global).await
        }
        Err(source) => {
            let (namespace, source) = (namespace.to_owned(), Box::new(source));
            let unread = destination::Error::Unreadable { namespace, source };
            beside(Vec::new(), Vec::new(), Some(unread.into()), &live, global).await
        }
    }
}

/// Labelled Secrets, and behind them what other systems describe.
async fn beside(
    adopted: Vec<Destination>,
    notes: Vec<String>,
    unread: Option<Error>,
    reader: &dyn SecretReader,
    global: &Global,
) -> Result<Known, Error> {
    let (namespace, mut all, unread) = match labelled(reader, global).await {
        Ok((namespace, all)) => (namespace, all, unread),
        Err(error) if adopted.is_empty() => return Err(unread.unwrap_or_else(|| error.into())),
        // Who has registries of another system needs neither labelled Secrets nor a right to them.
        Err(error) => (select::SYSTEM_NAMESPACES[0].to_owned(), Vec::new(), unread_secrets(error)?),
    };
    all.extend(with_docker(adopted)?);
    Ok(Known { namespace, all, notes, unread })
}

async fn labelled(
    reader: &dyn SecretReader,
    global: &Global,
) -> Result<(String, Vec<Destination>), destination::Error> {
    let namespace = select::system_namespace(reader, global.system_namespace.as_deref()).await?;
    let all = select::list(reader, &namespace).await?;
    Ok((namespace, all))
}

/// Why labelled Secrets are not known that may be there; `None` where there can be none.
fn unread_secrets(error: destination::Error) -> Result<Option<Error>, Error> {
    let is_forbidden = matches!(&error, destination::Error::Unreadable { source, .. }
        if matches!(**source, cluster::Error::Forbidden { .. }));
    match error {
        destination::Error::NoSystemNamespace { .. } => Ok(None),
        error if is_forbidden => Ok(Some(error.into())),
        error => Err(error.into()),
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
