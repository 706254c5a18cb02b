//! `outhaul registry policy`: what a token needs that pushes to Avassa Control Tower's own registry.

use crate::cli::documents;
use crate::cli::output::Printer;
use crate::destination::avassa::push_policy;
use crate::error::Error;

pub(super) fn run(printer: &Printer) -> Result<(), Error> {
    let policy = push_policy();
    printer.data(&policy.value, |_| documents::text(std::slice::from_ref(&policy)))
}
