//! Where rows are read: documents, ioFog's Controller, or the cluster.

use crate::cli::args::{ControllerArgs, Global, PlaceArgs};
use crate::cli::controller::Controller;
use crate::cli::destinations;
use crate::cli::output::Printer;
use crate::cluster::{self, Live, SecretReader};
use crate::destination::systems::{Read, System, read};
use crate::destination::{self, epinio, select};
use crate::error::Error;

/// The rows of the place that the arguments name.
pub(super) async fn rows(
    args: &PlaceArgs,
    namespace: Option<&str>,
    global: &Global,
    printer: &Printer,
) -> Result<Read, Error> {
    args.controller.check()?;
    if let (Some(from), Some(file)) = (args.from, &args.file) {
        return Ok(read(from, cluster::documents(file)?)?);
    }
    match controller(&args.controller, namespace, global)? {
        Some(controller) => controller.list().await,
        None => known(namespace, global, printer).await,
    }
}

/// The Controller, if one is named. A flag that names another place is stronger than the variable.
///
/// # Errors
/// When flags name both.
pub(super) fn controller(
    args: &ControllerArgs,
    namespace: Option<&str>,
    global: &Global,
) -> Result<Option<Controller>, Error> {
    match elsewhere(namespace, global) {
        None => Controller::named(args),
        Some(flag) if args.named().is_some() && global.is_typed("controller") => {
            Err(refused(flag, "--controller", "leave out one of the two: they name two places"))
        }
        Some(_) => Ok(None),
    }
}

/// The flag, if there is one, by which registries are in a cluster or in files. What the environment
/// says of a cluster names no place.
pub(super) fn elsewhere(namespace: Option<&str>, global: &Global) -> Option<&'static str> {
    let flags = [
        ("-n", namespace.is_some()),
        ("--destinations", global.destinations.is_some()),
        ("--eda-namespace", global.is_typed("eda_namespace")),
        ("--system-namespace", global.is_typed("system_namespace")),
    ];
    flags.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag)
}

/// Refuses what names another place, for what is done in a cluster alone.
///
/// # Errors
/// When `--destinations` or `--controller` is given.
pub(super) fn only_cluster(
    what: &str,
    args: &ControllerArgs,
    global: &Global,
) -> Result<(), Error> {
    if global.destinations.is_some() {
        return Err(refused("--destinations", what, "leave it out: files are not changed"));
    }
    if args.named().is_some() && global.is_typed("controller") {
        return Err(refused(
            "--controller",
            what,
            "leave out one of the two: they name two places",
        ));
    }
    Ok(())
}

pub(super) fn refused(flag: &str, what: &str, hint: &'static str) -> Error {
    Error::Arguments { text: format!("`{flag}` does not go with `{what}`"), hint }
}

/// The labelled Secrets, then what other systems describe.
async fn known(namespace: Option<&str>, global: &Global, printer: &Printer) -> Result<Read, Error> {
    let labelled = async |reader: &dyn SecretReader| secrets(reader, namespace, global).await;
    let found = destinations::found(global, namespace, labelled).await?;
    destinations::tell_unread(found.unread.as_ref(), printer);
    let mut all = found.labelled.map(|(_, read)| read).unwrap_or_default();
    all.registries.rows.extend(found.documents.rows.rows);
    all.findings.extend(found.documents.findings);
    Ok(all)
}

/// The labelled Secrets of a namespace, and which one that is.
pub(super) async fn secrets(
    reader: &dyn SecretReader,
    namespace: Option<&str>,
    global: &Global,
) -> Result<(String, Read), destination::Error> {
    let explicit = namespace.or(global.system_namespace.as_deref());
    let namespace = select::system_namespace(reader, explicit).await?;
    match epinio::rows(reader, &namespace).await {
        Ok(found) => Ok((namespace, found)),
        Err(source) => Err(destination::Error::Unreadable { namespace, source: Box::new(source) }),
    }
}

/// The Registries of Nokia EDA in a namespace; none where the cluster does not know the kind.
pub(super) async fn eda(live: &Live, namespace: &str) -> Result<Read, Error> {
    let found = live.eda_registries(namespace).await?;
    if found.is_empty() {
        return Ok(Read::default());
    }
    Ok(read(System::Eda, found)?)
}
