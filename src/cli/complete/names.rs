//! The names themselves, from where the words on the line say.

use std::path::PathBuf;

use serde_json::Value;

use super::place::{Kind, Place};
use crate::app;
use crate::cli::args::{Format, Global, MakesNone, RemoteArgs, ServerArgs};
use crate::cli::output::Printer;
use crate::cli::remote::{self, Records, Schedules, Server, Wanted};
use crate::cli::{connect, destinations};
use crate::cluster::Live;
use crate::error::Error;

/// All names of this kind there.
///
/// # Errors
/// When they cannot be read.
pub(super) async fn of(place: &Place) -> Result<Vec<String>, Error> {
    let (global, remote) = (global(place), remote_args(place));
    let silent = Printer::new(Format::default(), true);
    if place.kind == Kind::Namespace {
        return Ok(live(&global).await?.namespaces().await?); // a server tells of none
    }
    if place.kind == Kind::Destination {
        return destinations(&global, &remote, &silent).await;
    }
    let namespace = place.values.get("namespace").map(String::as_str);
    let namespace = remote::namespace(namespace, &global).await?;
    if place.kind == Kind::Schedule {
        let found = Schedules::at(&remote, &global, &silent).await?.list(Some(&namespace)).await?;
        return Ok(found.into_iter().map(|view| view.name).collect());
    }
    if place.kind == Kind::Export {
        let records = Records::at(&remote, &global, &silent).await?;
        let wanted = Wanted { namespace: Some(namespace), ..Wanted::default() };
        let found = records.list(&wanted).await?;
        return Ok(found.into_iter().map(|view| view.name).collect());
    }
    if place.values.contains_key("from") {
        return Ok(Vec::new()); // those of files are not looked for
    }
    let found = match Server::of(&remote, &global, &silent).await? {
        Some(server) => server.apps(&namespace, true).await?,
        None => app::list(&live(&global).await?.workloads(&namespace).await?),
    };
    Ok(found.into_iter().map(|app| app.name).collect())
}

async fn destinations(
    global: &Global,
    remote: &RemoteArgs,
    silent: &Printer,
) -> Result<Vec<String>, Error> {
    match Server::of(remote, global, silent).await? {
        Some(server) => {
            let found = server.destinations(None).await?;
            let name = |of: &Value| of.get("name").and_then(Value::as_str).map(str::to_owned);
            Ok(found.iter().filter_map(name).collect())
        }
        None => {
            let found = destinations::known(global).await?.all;
            Ok(found.into_iter().map(|destination| destination.name).collect())
        }
    }
}

async fn live(global: &Global) -> Result<Live, Error> {
    Ok(Live::connect(&connect::client_options(global)).await?)
}

/// A value on the line, else in the environment.
fn value(place: &Place, arg: &str, variable: &str) -> Option<String> {
    let typed = place.values.get(arg).cloned();
    typed.or_else(|| std::env::var(variable).ok()).filter(|value| !value.is_empty())
}

fn global(place: &Place) -> Global {
    let path = |arg: &str| place.values.get(arg).map(PathBuf::from);
    Global {
        kubeconfig: path("kubeconfig"),
        context: place.values.get("context").cloned(),
        system_namespace: value(place, "system_namespace", "OUTHAUL_SYSTEM_NAMESPACE"),
        eda_namespace: value(place, "eda_namespace", "OUTHAUL_EDA_NAMESPACE"),
        destinations: path("destinations"),
        quiet: true,
        ..Global::default()
    }
}

fn remote_args(place: &Place) -> RemoteArgs {
    let path = |arg: &str| place.values.get(arg).map(PathBuf::from);
    let server = value(place, "server", "OUTHAUL_SERVER");
    RemoteArgs {
        at: ServerArgs { server, token_file: path("token_file") },
        ca_file: path("ca_file"),
        making: MakesNone::default(),
    }
}
