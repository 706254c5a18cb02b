//! An image with everything below it: manifests, configurations, layers.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::State;
use crate::registry::blob::verified;
use crate::registry::copy::MAX_MANIFESTS;
use crate::registry::{Descriptor, Digest, Error, RepositoryName, Revision, Store};

/// Blobs asked for at once.
const MAX_AT_ONCE: usize = 8;

/// What an image consists of.
#[derive(Default)]
pub(super) struct Content {
    manifests: usize,
    blobs: usize,
    bytes: u64,
    /// What is not there, and what has other bytes.
    missing: Vec<Digest>,
    wrong: Vec<Digest>,
    /// Whether it has more manifests than an export may: no more are looked at.
    is_cut: bool,
}

/// Follows the image from its root; `None` where there is no root.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn walk(
    store: &dyn Store,
    repository: &RepositoryName,
    root: &Digest,
    deep: bool,
) -> Result<Option<Content>, Error> {
    let mut content = Content::default();
    let (mut waiting, mut seen, mut blobs) = (vec![root.clone()], HashSet::new(), Vec::new());
    let mut asked = 0;
    while let Some(digest) = waiting.pop() {
        if !seen.insert(digest.clone()) {
            continue;
        }
        if asked == MAX_MANIFESTS {
            content.is_cut = true;
            break;
        }
        asked += 1;
        let manifest = match store.manifest(repository, &Revision::Digest(digest.clone())).await {
            Ok(Some(manifest)) => manifest,
            Ok(None) if digest == *root => return Ok(None),
            Ok(None) => {
                content.missing.push(digest);
                continue;
            }
            Err(Error::DigestMismatch { .. } | Error::MalformedManifest { .. }) => {
                content.wrong.push(digest);
                continue;
            }
            Err(error) => return Err(error),
        };
        content.manifests += 1;
        let links = manifest.links()?;
        waiting.extend(links.manifests.into_iter().map(|child| child.digest));
        let parts = links.config.into_iter().chain(links.layers);
        blobs.extend(parts.filter(|blob| !blob.is_foreign() && seen.insert(blob.digest.clone())));
    }
    let found = blobs.iter().map(|blob| async move {
        let found = if deep {
            read(store, repository, blob).await
        } else {
            let is_there = store.has_blob(repository, blob).await;
            is_there.map(|is_there| if is_there { State::Ok } else { State::Missing })
        };
        found.map(|state| (blob, state))
    });
    let found: Vec<(&Descriptor, State)> =
        stream::iter(found).buffered(MAX_AT_ONCE).try_collect().await?;
    for (blob, state) in found {
        content.blobs += 1;
        content.bytes += blob.size;
        match state {
            State::Missing => content.missing.push(blob.digest.clone()),
            State::Wrong => content.wrong.push(blob.digest.clone()),
            _ => {}
        }
    }
    Ok(Some(content))
}

/// Reads a blob to its end. One that ends early is read again: a connection is not cut at the same
/// byte twice, and a blob that lacks bytes is.
async fn read(
    store: &dyn Store,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<State, Error> {
    let first = match read_once(store, repository, blob).await {
        Err(Error::Cut { received, .. }) => received,
        read => return read,
    };
    match read_once(store, repository, blob).await {
        Err(Error::Cut { received, .. }) if received == first => Ok(State::Wrong),
        read => read,
    }
}

async fn read_once(
    store: &dyn Store,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<State, Error> {
    let bytes = match store.read_blob(repository, blob).await {
        Err(Error::NotFound { .. }) => return Ok(State::Missing),
        bytes => bytes?,
    };
    let mut bytes = verified(bytes, blob, &store.name());
    while let Some(part) = bytes.next().await {
        match part {
            Ok(_) => {}
            // A registry that sends more than it was asked for breaks the protocol.
            Err(Error::DigestMismatch { .. } | Error::TooLarge { .. } | Error::Protocol { .. }) => {
                return Ok(State::Wrong);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(State::Ok)
}

impl Content {
    pub(super) fn state(&self) -> State {
        match (self.wrong.is_empty(), self.missing.is_empty()) {
            (false, _) => State::Wrong,
            (true, false) => State::Missing,
            (true, true) if self.is_cut => State::Unknown,
            (true, true) => State::Ok,
        }
    }

    /// What is there, or the first thing that is not.
    pub(super) fn summary(&self) -> String {
        let Self { manifests, blobs, bytes, missing, wrong, is_cut } = self;
        match (wrong.as_slice(), missing.as_slice()) {
            ([first, ..], _) => format!("{first} has other bytes"),
            ([], [first]) => format!("{first} is missing"),
            ([], [first, more @ ..]) => format!("{first} and {} more are missing", more.len()),
            ([], []) if *is_cut => {
                format!(
                    "it has more than {MAX_MANIFESTS} manifests, and the rest was not looked at"
                )
            }
            ([], []) => format!("{manifests} manifests, {blobs} blobs, {bytes} bytes"),
        }
    }
}
