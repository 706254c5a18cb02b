//! `outhaul registry …`: registries as other systems describe them, and in the words of `edgectl`.

mod apply;
mod convert;
mod create;
mod delete;
mod list;
mod number;
mod place;
mod policy;
mod resolve;
mod show;
mod update;

use crate::app::Finding;
use crate::cli::args::{DocumentsArgs, Global, RegistryCommand};
use crate::cli::output::Printer;
use crate::cli::tables;
use crate::cluster;
use crate::destination::systems::{Read, read};
use crate::error::Error;

pub(crate) async fn run(
    command: &RegistryCommand,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    match command {
        RegistryCommand::List(args) => list::run(args, global, printer).await,
        RegistryCommand::Show(args) => show::run(args, global, printer).await,
        RegistryCommand::Create(args) => create::run(args, global, printer).await,
        RegistryCommand::Update(args) => update::run(args, global, printer).await,
        RegistryCommand::Delete(args) => delete::run(args, global, printer).await,
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
