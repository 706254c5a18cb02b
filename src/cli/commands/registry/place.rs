//! Where rows are read: documents, ioFog's Controller, or the cluster.

use jiff::Timestamp;

use crate::cli::args::{Global, PlaceArgs};
use crate::cli::connect;
use crate::cli::controller::Controller;
use crate::cluster::{self, Live, Manifests, SecretReader};
use crate::destination::systems::{Read, System, read};
use crate::destination::{self, documents, epinio, select};
use crate::error::Error;

/// The rows of the place that the arguments name. Documents come before the Controller, whose address
/// may stand in the environment.
pub(super) async fn rows(
    args: &PlaceArgs,
    namespace: Option<&str>,
    global: &Global,
) -> Result<Read, Error> {
    args.controller.check()?;
    if let (Some(from), Some(file)) = (args.from, &args.file) {
        return Ok(read(from, cluster::documents(file)?)?);
    }
    match Controller::named(&args.controller)? {
        Some(controller) => controller.list().await,
        None => known(namespace, global).await,
    }
}

/// The labelled Secrets, then the Registries of Nokia EDA.
async fn known(namespace: Option<&str>, global: &Global) -> Result<Read, Error> {
    if let Some(path) = &global.destinations {
        let found = documents::read(cluster::placed(path)?, global.eda_namespace.as_deref())?;
        let name = path.display().to_string();
        let objects = Manifests::from_documents(name, found.objects, Timestamp::now())?;
        let mut all = secrets(&objects, namespace, global).await?.1;
        all.registries.rows.extend(found.rows.rows);
        all.findings.extend(found.findings);
        return Ok(all);
    }
    let live = Live::connect(&connect::client_options(global)).await?;
    let registries = eda(&live, namespace.unwrap_or(global.eda_namespace())).await?;
    match secrets(&live, namespace, global).await {
        Ok((_, mut found)) => {
            found.findings.extend(registries.findings);
            found.registries.rows.extend(registries.registries.rows);
            Ok(found)
        }
        // Where EDA runs, there may be no namespace for labelled Secrets.
        Err(Error::Destination(destination::Error::NoSystemNamespace { .. }))
            if !registries.registries.rows.is_empty() =>
        {
            Ok(registries)
        }
        Err(error) => Err(error),
    }
}

/// The labelled Secrets of a namespace, and which one that is.
pub(super) async fn secrets(
    reader: &dyn SecretReader,
    namespace: Option<&str>,
    global: &Global,
) -> Result<(String, Read), Error> {
    let explicit = namespace.or(global.system_namespace.as_deref());
    let namespace = select::system_namespace(reader, explicit).await?;
    let found = epinio::rows(reader, &namespace).await?;
    Ok((namespace, found))
}

/// The Registries of Nokia EDA in a namespace; none where the cluster does not know the kind.
pub(super) async fn eda(live: &Live, namespace: &str) -> Result<Read, Error> {
    let found = live.eda_registries(namespace).await?;
    if found.is_empty() {
        return Ok(Read::default());
    }
    Ok(read(System::Eda, found)?)
}
