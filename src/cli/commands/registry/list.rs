//! `outhaul registry list`: rows as `edgectl` shows them, without any password.

use super::{place, tell};
use crate::cli::args::{Global, RegistryListArgs};
use crate::cli::output::Printer;
use crate::destination::iofog::{table, write_json};
use crate::error::Error;

pub(super) async fn run(
    args: &RegistryListArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let found = place::rows(&args.place, args.namespace.as_deref(), global, printer).await?;
    tell(&found.findings, printer);
    if found.registries.rows.is_empty() {
        printer.say("no registries: `outhaul registry create --apply …` makes one");
    }
    let rows = write_json(&found.registries);
    printer.data(&rows, |rows| match args.table {
        true => table(&found.registries),
        false => format!("{rows:#}"),
    })
}
