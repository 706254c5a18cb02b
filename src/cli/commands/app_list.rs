//! `outhaul app list`: the applications of a namespace.

use crate::app::{self, Candidate};
use crate::cli::args::{AppListArgs, Global};
use crate::cli::output::Printer;
use crate::cli::remote::{self, Server};
use crate::cli::{connect, tables};
use crate::cluster::{Records, Scope};
use crate::error::Error;

pub(crate) async fn run(
    args: &AppListArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    args.remote.at.refuse(&[(args.source.from.is_some(), "--from")])?;
    if let Some(server) = Server::of(&args.remote, global, printer).await? {
        let namespace = remote::namespace(args.source.namespace.as_deref(), global).await?;
        let candidates = server.apps(&namespace, args.source.skip_unreadable).await?;
        return print(&candidates, &namespace, printer);
    }
    let scope = Scope { releases: Records::All, ..Scope::new(args.source.namespace.clone()) };
    let snapshot = connect::snapshot(&args.source, global, scope).await?;
    print(&app::list(&snapshot), &snapshot.namespace, printer)
}

fn print(candidates: &[Candidate], namespace: &str, printer: &Printer) -> Result<(), Error> {
    if candidates.is_empty() {
        printer.say(format!("no applications in namespace `{namespace}`"));
    }
    printer.data(&candidates, |candidates| tables::candidates(candidates))
}
