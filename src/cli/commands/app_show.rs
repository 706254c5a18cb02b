//! `outhaul app show NAME`: what an export would hold, without asking any registry.

use crate::app::{self, Options};
use crate::cli::args::{AppShowArgs, Global, PickArgs};
use crate::cli::output::Printer;
use crate::cli::remote::{self, Server};
use crate::cli::{connect, tables};
use crate::cluster::{Records, Scope};
use crate::error::Error;
use crate::export;

pub(crate) async fn run(
    args: &AppShowArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    if let Some(server) = server(args, global, printer).await? {
        let namespace = remote::namespace(args.source.namespace.as_deref(), global).await?;
        return printer.data(&server.app(&namespace, &args.select.name).await?, tables::app);
    }
    let selection = selection(&args.select.name, &args.select.pick);
    let options = options(&args.select.pick);
    // No Secret is read but helm's record of a release, and the cluster's identity only if the
    // snapshot is kept: an export of it must know whose it is.
    let scope = Scope {
        identity: args.save_snapshot.is_some(),
        releases: Records::from(&selection),
        definitions: options.include_crds,
        ..Scope::new(args.source.namespace.clone())
    };
    let snapshot = connect::snapshot(&args.source, global, scope).await?;
    if let Some(path) = &args.save_snapshot {
        save(path, &snapshot)?;
        printer.say(format!("wrote {}", path.display()));
    }
    let app = app::assemble(&snapshot, &selection, &options).map_err(export::Error::from)?;
    printer.data(&app, tables::app)
}

/// The server that is asked, if one is named. It shows an application by its name, whole.
async fn server(
    args: &AppShowArgs,
    global: &Global,
    printer: &Printer,
) -> Result<Option<Server>, Error> {
    args.remote.at.refuse(&args.select.pick.given())?;
    args.remote.at.refuse(&[
        (args.source.from.is_some(), "--from"),
        (args.source.skip_unreadable, "--skip-unreadable"),
        (args.save_snapshot.is_some(), "--save-snapshot"),
    ])?;
    Server::of(&args.remote, global, printer).await
}

fn save(path: &std::path::Path, snapshot: &app::Snapshot) -> Result<(), Error> {
    let json = snapshot.to_json().map_err(|error| Error::Output { reason: error.to_string() })?;
    std::fs::write(path, json).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// What the arguments select.
pub(crate) fn selection(name: &str, args: &PickArgs) -> app::Selection {
    let name = name.to_owned();
    match &args.selector {
        Some(selector) => app::Selection::Labels { name, selector: selector.clone() },
        None if args.all => app::Selection::All { name },
        None => app::Selection::Name(name),
    }
}

/// What the arguments leave out.
pub(crate) fn options(args: &PickArgs) -> Options {
    let include_crds = args.include_crds;
    Options { exclude: args.exclude.clone(), include_crds, ..Options::default() }
}
