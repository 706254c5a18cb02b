//! `outhaul copy SRC DST`: one image, with all that belongs to it.

use super::copy_list;
use crate::cli::args::{AccessArgs, CopyArgs};
use crate::cli::connect;
use crate::cli::output::Printer;
use crate::error::Error;
use crate::registry::copy::DEFAULT_JOBS;
use crate::registry::{self, Copied, CopyOptions, Located, Reference, Tag};

pub(crate) async fn run(args: &CopyArgs, printer: &Printer) -> Result<(), Error> {
    let CopyArgs { source, destination, from_file, to_host, .. } = args;
    let (source, destination) = match (source, destination, from_file, to_host) {
        (None, None, Some(list), Some(host)) => {
            return copy_list::run(list, host, args, printer).await;
        }
        (Some(source), Some(destination), None, None) => (source, destination),
        _ => {
            return Err(Error::Arguments {
                text: "an image and where it goes are to be named, or a list and a host".to_owned(),
                hint: "`outhaul copy SOURCE DESTINATION`, or `--from-file LIST --to-host HOST`",
            });
        }
    };
    let (written, source, destination) = (destination, reference(source)?, reference(destination)?);
    if destination.digest.is_some() {
        return Err(Error::DigestAsDestination(written.clone()));
    }
    // The flags are about the destination; the source's credentials come from the Docker
    // configuration. Certificates and plain HTTP are facts about a network and serve both.
    let reading = AccessArgs { username: None, password_stdin: false, ..args.access.clone() };
    let from = Located {
        store: connect::registry(source.host.as_str(), &reading)?,
        repository: source.repository.clone(),
    };
    let to = Located {
        store: connect::registry(destination.host.as_str(), &args.access)?,
        repository: destination.repository.clone(),
    };
    let copied = copy_one((&source, &from), (&destination, &to), args, printer).await?;
    let place = format!("{}/{}", destination.host, destination.repository);
    printer.data(&copied, |copied| summary(copied, &place))
}

/// Copies an image to the tag that the destination has, else to that of the source.
pub(super) async fn copy_one(
    (source, from): (&Reference, &Located),
    (destination, to): (&Reference, &Located),
    args: &CopyArgs,
    printer: &Printer,
) -> Result<Copied, Error> {
    let tags: Vec<Tag> = destination.tag.clone().or(source.tag.clone()).into_iter().collect();
    let options = CopyOptions {
        platforms: args.platform.clone(),
        signatures: !args.no_signatures,
        jobs: DEFAULT_JOBS,
        verify_present: false,
    };
    let progress = printer.progress();
    let copied = registry::copy(from, &source.revision(), to, &tags, &options, &progress).await?;
    progress.finish();
    Ok(copied)
}

pub(super) fn reference(text: &str) -> Result<Reference, Error> {
    text.parse().map_err(|error| Error::from(crate::export::Error::Name(error)))
}

/// What was copied, at the place of that name.
pub(super) fn summary(copied: &Copied, place: &str) -> String {
    format!(
        "{place}@{}\n  bytes  {} copied, {} mounted, {} present",
        copied.root.digest, copied.bytes_copied, copied.bytes_mounted, copied.bytes_present
    )
}
