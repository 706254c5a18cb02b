//! `outhaul registry list`: rows as `edgectl` shows them, without any password.

use super::{registries, tell};
use crate::cli::args::RegistryListArgs;
use crate::cli::output::Printer;
use crate::destination::iofog::{table, write_json};
use crate::error::Error;

pub(super) fn run(args: &RegistryListArgs, printer: &Printer) -> Result<(), Error> {
    let found = registries(&args.documents)?;
    tell(&found.findings, printer);
    let rows = write_json(&found.registries);
    printer.data(&rows, |rows| match args.table {
        true => table(&found.registries),
        false => format!("{rows:#}"),
    })
}
