//! The destinations that are known: labelled Secrets, and what other systems say of registries.

use jiff::Timestamp;

use super::args::Global;
use super::connect;
use super::output::Printer;
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

/// Labelled Secrets, in the form in which they were read, and what other systems describe.
pub(crate) struct Found<S> {
    /// What was read of labelled Secrets; `None` where there is no place for them, or no right to it.
    pub(crate) labelled: Option<S>,
    /// What other systems describe.
    pub(crate) documents: Documents,
    /// Why some could not be read that may be there.
    pub(crate) unread: Option<Error>,
}

/// The destinations that `--destinations` names, else those of the cluster.
///
/// # Errors
/// As [`found`].
pub(crate) async fn known(global: &Global) -> Result<Known, Error> {
    let found = found(global, None, async |reader| labelled(reader, global).await).await?;
    let nowhere = || (select::SYSTEM_NAMESPACES[0].to_owned(), Vec::new());
    let (namespace, mut all) = found.labelled.unwrap_or_else(nowhere);
    all.extend(with_docker(found.documents.adopted)?);
    adopt::shadow(&mut all);
    Ok(Known { namespace, all, notes: found.documents.notes, unread: found.unread })
}

/// Reads what `--destinations` names, else the cluster: labelled Secrets as `labelled` does, and Nokia
/// EDA's registries in `eda_namespace`, without it in the one of the flags.
///
/// # Errors
/// When labelled Secrets cannot be read, or a file is none.
pub(crate) async fn found<S>(
    global: &Global,
    eda_namespace: Option<&str>,
    labelled: impl AsyncFn(&dyn SecretReader) -> Result<S, destination::Error>,
) -> Result<Found<S>, Error> {
    if let Some(path) = &global.destinations {
        let mut found = documents::read(cluster::placed(path)?, global.eda_namespace.as_deref())?;
        let objects = std::mem::take(&mut found.objects);
        let name = path.display().to_string();
        let objects = Manifests::from_documents(name, objects, Timestamp::now())?;
        return beside(labelled(&objects).await, found, None);
    }
    let live = Live::connect(&connect::client_options(global)).await?;
    let secrets = match labelled(&live).await {
        // Who does not answer is not asked again.
        Err(error) if !is_optional(&error) => return Err(error.into()),
        secrets => secrets,
    };
    let namespace = eda_namespace.unwrap_or(global.eda_namespace());
    match live.eda_registries(namespace).await {
        Ok(registries) => beside(secrets, documents::of_eda(registries)?, None),
        Err(source) => {
            let (namespace, source) = (namespace.to_owned(), Box::new(source));
            let unread = destination::Error::Unreadable { namespace, source };
            beside(secrets, Documents::default(), Some(unread))
        }
    }
}

/// Says what could not be read, with its cause.
pub(crate) fn tell_unread(unread: Option<&Error>, printer: &Printer) {
    if let Some(error) = unread {
        printer.say(format!("{error}: {}", error.causes().join(": ")));
    }
}

/// Labelled Secrets, and behind them what other systems describe. Who has registries of another system
/// needs neither labelled Secrets nor a right to them.
fn beside<S>(
    secrets: Result<S, destination::Error>,
    documents: Documents,
    unread: Option<destination::Error>,
) -> Result<Found<S>, Error> {
    let (labelled, unread) = match (secrets, unread) {
        (Ok(labelled), unread) => (Some(labelled), unread),
        (Err(destination::Error::NoSystemNamespace { .. }), Some(unread)) => {
            return Err(unread.into());
        }
        (Err(error), _) if documents.adopted.is_empty() || !is_optional(&error) => {
            return Err(error.into());
        }
        (Err(error), _) => {
            let is_none = matches!(error, destination::Error::NoSystemNamespace { .. });
            (None, Some(error).filter(|_| !is_none))
        }
    };
    Ok(Found { labelled, documents, unread: unread.map(Error::from) })
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
/// an address; but not where a document could have them sent to anybody.
fn with_docker(mut adopted: Vec<Destination>) -> Result<Vec<Destination>, Error> {
    let is_open = |of: &&mut Destination| of.keychain.is_empty() && of.fatal().is_none();
    let mut open = adopted.iter_mut().filter(is_open).peekable();
    if open.peek().is_some() {
        let docker = DockerConfig::load_default()?;
        open.for_each(|destination| destination.ask_docker(&docker));
    }
    Ok(adopted)
}
