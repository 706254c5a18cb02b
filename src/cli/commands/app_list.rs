//! `outhaul app list`: the applications of a namespace.

use crate::app;
use crate::cli::args::{AppListArgs, Global};
use crate::cli::output::Printer;
use crate::cli::{connect, tables};
use crate::cluster::{Records, Scope};
use crate::error::Error;

pub(crate) async fn run(
    args: &AppListArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let scope = Scope { releases: Records::All, ..Scope::new(args.source.namespace.clone()) };
    let snapshot = connect::snapshot(&args.source, global, scope).await?;
    let candidates = app::list(&snapshot);
    if candidates.is_empty() {
        printer.say(format!("no applications in namespace `{}`", snapshot.namespace));
    }
    printer.data(&candidates, |candidates| tables::candidates(candidates))
}
