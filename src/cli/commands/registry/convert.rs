//! `outhaul registry convert`: documents of one system as those of another.

use serde::Serialize;
use serde_json::Value;

use super::tell;
use crate::app::Finding;
use crate::cli::args::RegistryConvertArgs;
use crate::cli::documents;
use crate::cli::output::Printer;
use crate::cluster;
use crate::destination::systems::convert;
use crate::error::Error;

/// What is printed as JSON.
#[derive(Serialize)]
struct Converted<'c> {
    documents: Vec<&'c Value>,
    findings: &'c [Finding],
}

pub(super) fn run(args: &RegistryConvertArgs, printer: &Printer) -> Result<(), Error> {
    let read = cluster::documents(&args.documents.file)?;
    let converted = convert(args.documents.from, args.to, read, &args.written.options())?;
    tell(&converted.findings, printer);
    let values = converted.documents.iter().map(|document| &document.value);
    let data = Converted { documents: values.collect(), findings: &converted.findings };
    printer.data(&data, |_| documents::text(&converted.documents))
}
