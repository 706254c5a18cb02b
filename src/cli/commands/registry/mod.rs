//! `outhaul registry …`: what other systems say of registries.

mod convert;
mod create;
mod list;
mod policy;
mod resolve;

use crate::app::Finding;
use crate::cli::args::{DocumentsArgs, RegistryCommand};
use crate::cli::output::Printer;
use crate::cli::tables;
use crate::cluster;
use crate::destination::systems::{Read, read};
use crate::error::Error;

pub(crate) fn run(command: &RegistryCommand, printer: &Printer) -> Result<(), Error> {
    match command {
        RegistryCommand::List(args) => list::run(args, printer),
        RegistryCommand::Create(args) => create::run(args, printer),
        RegistryCommand::Convert(args) => convert::run(args, printer),
        RegistryCommand::Policy => policy::run(printer),
        RegistryCommand::Resolve(args) => resolve::run(args, printer),
    }
}

/// What the documents say.
fn registries(args: &DocumentsArgs) -> Result<Read, Error> {
    Ok(read(args.from, cluster::documents(&args.file)?)?)
}

/// Says what was found, if anything was.
fn tell(findings: &[Finding], printer: &Printer) {
    let text = tables::findings(findings);
    if !text.is_empty() {
        printer.say(text.trim());
    }
}
