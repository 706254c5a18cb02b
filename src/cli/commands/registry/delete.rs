//! `outhaul registry delete`: a labelled Secret of the cluster, or a row of ioFog's Controller.

use serde::Serialize;

use super::place;
use crate::cli::args::{Global, RegistryDeleteArgs};
use crate::cli::connect;
use crate::cli::controller::Controller;
use crate::cli::output::Printer;
use crate::cluster::{self, Live};
use crate::destination::epinio;
use crate::destination::iofog::id_of;
use crate::destination::systems::{NotFound, Registries, Row};
use crate::error::Error;

/// What is gone, and what stays that belonged to it.
#[derive(Serialize)]
struct Removed {
    removed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
}

pub(super) async fn run(
    args: &RegistryDeleteArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let removed = match place::controller(&args.controller, args.namespace.as_deref(), global)? {
        Some(controller) => of_controller(&controller, &args.registry).await?,
        None => of_cluster(args, global).await?,
    };
    printer.data(&removed, |Removed { removed, left }| match left {
        Some(left) => format!("removed {removed}\nleft    {left}\n"),
        None => format!("removed {removed}\n"),
    })
}

async fn of_controller(controller: &Controller, word: &str) -> Result<Removed, Error> {
    let id = id_at(controller, word, Registries::find_named).await?;
    let row = controller.delete(id).await?;
    let removed = format!(
        "registry {id} ({}) of the Controller at {}",
        row.address.written(),
        controller.place()
    );
    Ok(Removed { removed, left: None })
}

/// The id that a word means: a number as it is, before anything is asked, else of the row that `find`
/// finds.
pub(super) async fn id_at(
    controller: &Controller,
    word: &str,
    find: for<'r> fn(&'r Registries, &str) -> Result<&'r Row, NotFound>,
) -> Result<u32, Error> {
    if let Some(id) = id_of(word) {
        return Ok(id);
    }
    let known = controller.list().await?.registries;
    let no_id = || Error::Arguments {
        text: format!("`{word}` has no id at the Controller"),
        hint: "`outhaul registry list --controller URL` shows the ids",
    };
    find(&known, word)?.id.ok_or_else(no_id)
}

async fn of_cluster(args: &RegistryDeleteArgs, global: &Global) -> Result<Removed, Error> {
    place::only_cluster("registry delete", &args.controller, global)?;
    let live = Live::connect(&connect::client_options(global)).await?;
    let (namespace, known) = place::secrets(&live, args.namespace.as_deref(), global).await?;
    let row = known.registries.find_named(&args.registry)?;
    let name = row.name.as_deref().unwrap_or_default();
    let gone = || cluster::Error::Conflict { what: format!("Secret {namespace}/{name}") };
    let kinds = live.kinds().await?;
    let kind = kinds.exactly("v1", "Secret").ok_or_else(gone)?;
    let found = live.find_object(kind, &namespace, name).await?;
    // It may be another one by now, or none of ours any more.
    let (secret, _) = found.filter(|(_, object)| epinio::is_labelled(object)).ok_or_else(gone)?;
    live.remove_object(&secret).await?;
    Ok(Removed { removed: secret.title(), left: left(row, &namespace) })
}

/// Certificates may be those of several destinations, and carry no label.
fn left(row: &Row, namespace: &str) -> Option<String> {
    let name = row.ca_secret.as_deref()?;
    Some(format!("Secret {namespace}/{name} with its certificates, which is no destination"))
}
