//! The body of an upload: passes the source's bytes on and remembers what became of them.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::Stream;

use super::super::{BlobStream, Descriptor, Error};

/// The source's bytes as a request body.
pub(super) struct Outgoing {
    source: BlobStream,
    blob: Descriptor,
    sent: u64,
    watch: Arc<Watch>,
}

/// What is known of a transfer outside it. The HTTP client only says that the body failed.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    /// When something last moved.
    moved: Instant,
    phase: Phase,
    failure: Option<Error>,
}

/// For whom the transfer waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// For the destination to take bytes.
    Destination,
    /// For the source, which has its own limits.
    Source,
    /// For the destination's answer.
    Answer,
}

impl Outgoing {
    pub(super) fn new(source: BlobStream, blob: &Descriptor, watch: Arc<Watch>) -> Self {
        Self { source, blob: blob.clone(), sent: 0, watch }
    }

    fn fail(&self, error: Error) -> Poll<Option<io::Result<Bytes>>> {
        let mut seen = self.watch.lock();
        (seen.moved, seen.phase, seen.failure) = (Instant::now(), Phase::Destination, Some(error));
        Poll::Ready(Some(Err(io::Error::other("the source failed"))))
    }

    /// The source ended early, or goes on beyond the blob's size.
    fn wrong_length(&self) -> Error {
        Error::Cut {
            host: "the source".to_owned(),
            digest: self.blob.digest.clone(),
            received: self.sent,
            expected: self.blob.size,
        }
    }
}

impl Stream for Outgoing {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = self.source.as_mut().poll_next(context);
        match item {
            Poll::Pending => {
                self.watch.moved(Phase::Source);
                Poll::Pending
            }
            Poll::Ready(Some(Ok(bytes))) => {
                self.sent += bytes.len() as u64;
                if self.sent > self.blob.size {
                    return self.fail(self.wrong_length());
                }
                self.watch.moved(Phase::Destination);
                Poll::Ready(Some(Ok(bytes)))
            }
            Poll::Ready(Some(Err(error))) => self.fail(error),
            Poll::Ready(None) if self.sent < self.blob.size => self.fail(self.wrong_length()),
            Poll::Ready(None) => {
                self.watch.moved(Phase::Answer);
                Poll::Ready(None)
            }
        }
    }
}

impl Watch {
    /// How the source failed, if it did.
    pub(super) fn failure(&self) -> Option<Error> {
        self.lock().failure.take()
    }

    /// Whether the destination has not moved for too long.
    pub(super) fn stands_still(&self, idle: Duration, commit: Duration) -> bool {
        let seen = self.lock();
        match seen.phase {
            Phase::Source => false,
            Phase::Destination => seen.moved.elapsed() > idle,
            Phase::Answer => seen.moved.elapsed() > commit,
        }
    }

    fn moved(&self, phase: Phase) {
        let mut seen = self.lock();
        (seen.moved, seen.phase) = (Instant::now(), phase);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self { moved: Instant::now(), phase: Phase::Destination, failure: None }
    }
}
