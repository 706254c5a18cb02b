//! What a copy says while it works. A door draws it; nothing here does.

use super::{Descriptor, Digest};

/// One thing that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A blob's bytes begin to flow.
    BlobStarted(&'a Descriptor),
    /// So many more bytes of the blob went past.
    BlobBytes(&'a Digest, u64),
    /// A cut transfer begins again; the bytes counted so far of this blob are void.
    BlobRestarted(&'a Digest),
    /// The blob is whole at the destination.
    BlobDone(&'a Descriptor, How),
    /// A manifest is stored at the destination.
    ManifestDone(&'a Descriptor),
}

/// How a blob came to be at the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its bytes were moved.
    Copied,
    /// The destination took it from another of its repositories.
    Mounted,
    /// It was there already.
    Present,
}

/// Takes events, from several tasks at once.
pub trait Progress: Send + Sync {
    /// Must not block.
    fn event(&self, event: Event<'_>);
}

/// Says nothing.
#[derive(Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn event(&self, _: Event<'_>) {}
}
