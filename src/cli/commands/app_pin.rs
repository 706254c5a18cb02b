//! `outhaul app pin|unpin REF:VERSION`: versions that no rule lets go.

use semver::Version;

use crate::cli::args::{AppPinArgs, Global};
use crate::cli::output::Printer;
use crate::cli::published::{Published, published};
use crate::error::Error;
use crate::export::{Target, history};

pub(crate) async fn pin(
    args: &AppPinArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (found, version) = version(args, global).await?;
    let target = Target::registry(&found.destination)?;
    history::pin(&target, &found.chart.repository, &version).await?;
    printer.say(format!("pinned {}:{version}", target.address(&found.chart.repository)));
    Ok(())
}

pub(crate) async fn unpin(
    args: &AppPinArgs,
    global: &Global,
    printer: &Printer,
) -> Result<(), Error> {
    let (found, version) = version(args, global).await?;
    let target = Target::registry(&found.destination)?;
    let deleting = Target::deleting(&found.destination)?;
    history::unpin(&target, deleting.as_ref(), &found.chart.repository, &version).await?;
    printer.say(format!("unpinned {}:{version}", target.address(&found.chart.repository)));
    Ok(())
}

/// The version that is named, and where it is.
async fn version(args: &AppPinArgs, global: &Global) -> Result<(Published, Version), Error> {
    let found = published(&args.reference, &args.access, global).await?;
    let tag = found.chart.tag.as_ref().filter(|_| found.chart.digest.is_none());
    let version = tag.and_then(history::version).ok_or_else(|| Error::Arguments {
        text: format!("`{}` names no version", args.reference),
        hint: "write it after a colon; `outhaul app history` lists the versions",
    })?;
    Ok((found, version))
}
