//! `outhaul verify REF`: whether a published export is whole.

use std::sync::Arc;

use crate::cli::args::VerifyArgs;
use crate::cli::output::Printer;
use crate::cli::{connect, tables};
use crate::error::Error;
use crate::export::{self, ChartReference, Target};
use crate::registry::Layout;

pub(crate) async fn run(args: &VerifyArgs, printer: &Printer) -> Result<(), Error> {
    let (target, chart) = match &args.from {
        Some(path) => {
            let layout = Arc::new(Layout::open(path)?);
            let target = Target::layout(path.display().to_string(), layout, None);
            (target, ChartReference::in_layout(&args.reference)?)
        }
        None => connect::chart(&args.reference, &args.access)?,
    };
    let sources = connect::sources(&[], None, &args.access)?;
    let found = export::verify::verify(&target, &chart, &sources, args.deep).await?;
    printer.data(&found, tables::verification)?;
    Ok(found.require()?)
}
