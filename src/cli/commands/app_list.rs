//! `outhaul app list`: the applications of a namespace.

use crate::app;
use crate::cli::args::{AppListArgs, Global};
use crate::cli::output::Printer;
use crate::cli::{connect, tables};
use crate::cluster::Scope;
use crate::error::Error;

pub(crate) async fn run(
    args: &AppListArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let snapshot =
        connect::snapshot(&args.source, global, Scope::new(args.source.namespace.clone())).await?;
    let candidates = app::list(&snapshot);
    if candidates.is_empty() {
        printer.say(format!("no applications in namespace `{}`", snapshot.namespace));
    }
    printer.data(&candidates, |candidates| tables::candidates(candidates))
}
