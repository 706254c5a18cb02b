//! `outhaul copy SRC DST`: one image, with all that belongs to it.

use crate::cli::args::{AccessArgs, CopyArgs};
use crate::cli::connect;
use crate::cli::output::Printer;
use crate::error::Error;
use crate::registry::copy::DEFAULT_JOBS;
use crate::registry::{self, Copied, CopyOptions, Located, Reference, Tag};

pub(crate) async fn run(args: &CopyArgs, printer: &Printer) -> Result<(), Error> {
    let source = reference(&args.source)?;
    let destination = reference(&args.destination)?;
    if destination.digest.is_some() {
        return Err(Error::DigestAsDestination(args.destination.clone()));
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
    let tags: Vec<Tag> = destination.tag.clone().or(source.tag.clone()).into_iter().collect();
    let options = CopyOptions {
        platforms: args.platform.clone(),
        signatures: !args.no_signatures,
        jobs: DEFAULT_JOBS,
        verify_present: false,
    };
    let progress = printer.progress();
    let copied = registry::copy(&from, &source.revision(), &to, &tags, &options, &progress).await?;
    progress.finish();
    printer.data(&copied, |copied| summary(copied, &destination))
}

fn reference(text: &str) -> Result<Reference, Error> {
    text.parse().map_err(|error| Error::from(crate::export::Error::Name(error)))
}

fn summary(copied: &Copied, destination: &Reference) -> String {
    format!(
        "{}/{}@{}\n  bytes  {} copied, {} mounted, {} present",
        destination.host,
        destination.repository,
        copied.root.digest,
        copied.bytes_copied,
        copied.bytes_mounted,
        copied.bytes_present
    )
}
