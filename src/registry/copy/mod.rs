//! The copy engine: one manifest graph from one store to another, bottom up.
//!
//! ```text
//!  root ───► walk ──► referrers ──► transfer ──► deliver
//!  platform  graph                  opening      manifests, children first,
//!  which     what is   what refers  blobs, each  then what refers to them,
//!  manifest  there     to it        digest once  tags last: they name something whole
//! ```
//!
//! It knows stores only through [`Store`]: a registry and a layout are the same to it. Nothing is
//! spawned: dropping the future of a copy ends all of its work.

mod deliver;
mod flights;
mod graph;
mod opening;
mod platform;
mod referrers;
mod root;
mod transfer;
mod walk;

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::progress::Quiet;
use super::{Descriptor, Error, Manifest, Progress, RepositoryName, Revision, Store, Tag};
use deliver::Call;
use flights::Flights;

pub use graph::MAX_MANIFESTS;

/// Blobs in flight at once unless told otherwise. Four streams fill a gigabit line and keep two
/// cores busy with digests, and their buffers stay far below 32 MiB; crane uses four too.
pub const DEFAULT_JOBS: usize = 4;

/// One repository of one store.
#[derive(Clone, Debug)]
pub struct Located {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The repository in it.
    pub repository: RepositoryName,
}

/// `os/architecture[/variant]`, as `--platform` takes it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Platform {
    /// `GOOS`.
    pub os: String,
    /// `GOARCH`.
    pub architecture: String,
    /// Such as `v8`; unset matches any.
    pub variant: Option<String>,
}

/// How to copy.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// Only these platforms of an index; empty: the index as it is.
    pub platforms: Vec<Platform>,
    /// Whether signatures, attestations and other referrers go along.
    pub signatures: bool,
    /// Blobs in flight at once, over all copies of one [`Copier`].
    pub jobs: usize,
    /// Whether to ask for every blob even below a manifest that the destination has. Otherwise
    /// such a manifest is taken for whole, as registries refuse manifests without their content;
    /// only a registry's clean-up that went wrong breaks that.
    pub verify_present: bool,
}

/// What a copy did.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Copied {
    /// What the destination now has: the source's own root unless platforms were selected.
    pub root: Descriptor,
    /// Whether `root` was made here from a part of the source's index.
    pub subset: bool,
    /// Bytes sent.
    pub bytes_copied: u64,
    /// Bytes that the destination took from another of its repositories.
    pub bytes_mounted: u64,
    /// Bytes that were there already.
    pub bytes_present: u64,
    /// Blobs sent, mounted and present.
    pub blobs: u64,
    /// Signatures, attestations and other referrers that went along.
    pub referrers: u64,
}

/// Which side of a copy failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where content is read.
    Source,
    /// Where content is written.
    Destination,
}

/// A copy that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot copy {what}: the {side} failed")]
pub struct CopyError {
    /// Which side.
    pub side: Side,
    /// Which manifest or blob.
    pub what: String,
    /// What happened there.
    pub source: Error,
}

/// Copies images to one destination and remembers what it did there: no digest is sent twice,
/// neither by copies one after another nor by copies at the same time, and what one repository of
/// the destination has is mounted into the next.
#[derive(Debug)]
pub struct Copier {
    destination: Arc<dyn Store>,
    options: CopyOptions,
    /// One for each blob or manifest in flight.
    permits: Semaphore,
    flights: Flights,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self { platforms: Vec::new(), signatures: true, jobs: DEFAULT_JOBS, verify_present: false }
    }
}

impl Copier {
    /// A copier that has done nothing yet.
    pub fn new(destination: Arc<dyn Store>, options: CopyOptions) -> Self {
        let permits = Semaphore::new(options.jobs.clamp(1, Semaphore::MAX_PERMITS));
        Self { destination, options, permits, flights: Flights::default() }
    }

    /// Copies the manifest that `revision` names, and all that it refers to, into `repository`
    /// of the destination, and points `tags` to it.
    ///
    /// The root and the tags are written even if they are there: a clean-up at the destination
    /// that runs at the same time sees them as new. It does not delete anything, and it never
    /// writes an index without its children.
    ///
    /// # Errors
    /// Which side failed, at which manifest or blob, and how. Tags are untouched then.
    pub async fn copy(
        &self,
        source: &Located,
        revision: &Revision,
        repository: &RepositoryName,
        tags: &[Tag],
        progress: &dyn Progress,
    ) -> Result<Copied, CopyError> {
        Call { copier: self, source, repository, progress }.run(revision, tags).await
    }
}

/// Copies one image with a [`Copier`] of its own.
///
/// # Errors
/// As [`Copier::copy`].
pub async fn copy(
    source: &Located,
    revision: &Revision,
    destination: &Located,
    tags: &[Tag],
    options: &CopyOptions,
    progress: &dyn Progress,
) -> Result<Copied, CopyError> {
    let copier = Copier::new(Arc::clone(&destination.store), options.clone());
    copier.copy(source, revision, &destination.repository, tags, progress).await
}

/// The root that a copy of `manifest`, read from `source`, has at its destination: the manifest
/// itself, or what `platforms` leave of it. The flag says whether it is an index made here.
///
/// # Errors
/// When a part of the index is not at the source, or has none of the platforms.
pub async fn root(
    source: &Located,
    manifest: Manifest,
    platforms: &[Platform],
) -> Result<(Manifest, bool), CopyError> {
    let copier = chooser(source, platforms.to_vec());
    let repository = &source.repository;
    let call = Call { copier: &copier, source, repository, progress: &Quiet };
    call.choose(&manifest.digest.clone().into(), manifest).await
}

/// The image of `platform` that `manifest`, read from `source`, holds if it is an index; itself if
/// it is an image, whatever its platform.
///
/// # Errors
/// When a part of the index is not at the source, or it has none of the platform.
pub async fn one(
    source: &Located,
    manifest: Manifest,
    platform: &Platform,
) -> Result<Manifest, CopyError> {
    let copier = chooser(source, vec![platform.clone()]);
    let repository = &source.repository;
    Call { copier: &copier, source, repository, progress: &Quiet }.one(manifest).await
}

/// Choosing reads from the source alone; the destination is never asked.
fn chooser(source: &Located, platforms: Vec<Platform>) -> Copier {
    let options = CopyOptions { platforms, ..CopyOptions::default() };
    Copier::new(Arc::clone(&source.store), options)
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

impl Side {
    /// Turns a failure on this side, met while busy with `what`, into the copy's.
    fn at(self, what: impl Into<String>) -> impl FnOnce(Error) -> CopyError {
        move |source| CopyError { side: self, what: what.into(), source }
    }
}
