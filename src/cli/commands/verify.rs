//! `outhaul verify REF`: whether a published export is whole.

use crate::cli::args::{Global, VerifyArgs};
use crate::cli::output::Printer;
use crate::cli::published::{in_layout, published};
use crate::cli::{connect, tables};
use crate::error::Error;
use crate::export::{self, Target};

pub(crate) async fn run(
    args: &VerifyArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (target, chart, known) = match &args.from {
        Some(path) => {
            let (target, chart) = in_layout(path, &args.reference)?;
            (target, chart, Vec::new())
        }
        None => {
            let found = published(&args.reference, &args.access, global).await?;
            (Target::registry(&found.destination)?, found.chart, found.known)
        }
    };
    let sources = connect::sources(&known, None, &args.access)?;
    let found = export::verify::verify(&target, &chart, &sources, args.deep).await?;
    printer.data(&found, tables::verification)?;
    Ok(found.require()?)
}
