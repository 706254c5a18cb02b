//! The source's side of one blob: opened as often as needed, verified, watched.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;

use super::{CopyError, Located, Side};
use crate::registry::blob::verified;
use crate::registry::{BlobSource, BlobStream, Descriptor, Error, Event, Progress};

/// How often bytes are reported: a bar looks smooth at ten a second, and the stream itself need
/// not know of progress.
const TICK: Duration = Duration::from_millis(100);

/// A blob of the source. What it hands out may outlive it, inside a connection.
pub(super) struct Opening<'a> {
    source: &'a Located,
    blob: &'a Descriptor,
    /// Every beginning; the last one is the current.
    attempts: Mutex<Vec<Arc<Attempt>>>,
}

/// One beginning.
#[derive(Debug, Default)]
struct Attempt {
    /// Whether the source gave a stream.
    open: AtomicBool,
    /// What passed.
    bytes: AtomicU64,
    /// Why the source failed. A store may report only that its request died.
    fault: Mutex<Option<Error>>,
}

/// What was reported of a blob.
pub(super) struct Reporter<'a> {
    progress: &'a dyn Progress,
    opening: &'a Opening<'a>,
    /// Which beginning was reported last, counted from one.
    begun: usize,
    /// Bytes of it that were reported.
    bytes: u64,
}

impl<'a> Opening<'a> {
    pub(super) fn new(source: &'a Located, blob: &'a Descriptor) -> Self {
        Self { source, blob, attempts: Mutex::default() }
    }

    /// How many streams the source gave so far.
    pub(super) fn streams(&self) -> usize {
        let attempts = self.attempts();
        attempts.iter().filter(|attempt| attempt.open.load(Ordering::Relaxed)).count()
    }

    /// Which side's failure it really was.
    pub(super) fn blame(&self, error: Error, what: String) -> CopyError {
        let fault = self.attempts().last().and_then(|attempt| attempt.take_fault());
        match fault {
            Some(fault) => Side::Source.at(what)(fault),
            None => Side::Destination.at(what)(error),
        }
    }

    fn attempts(&self) -> MutexGuard<'_, Vec<Arc<Attempt>>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl BlobSource for Opening<'_> {
    async fn open(&self) -> Result<BlobStream, Error> {
        let attempt = Arc::new(Attempt::default());
        self.attempts().push(Arc::clone(&attempt));
        let host = self.source.store.name();
        let opened = self.source.store.read_blob(&self.source.repository, self.blob).await;
        let stream = opened.map_err(|error| attempt.fail(error, self.blob, &host))?;
        attempt.open.store(true, Ordering::Relaxed);
        let blob = self.blob.clone();
        let watched = verified(stream, &blob, &host).map(move |item| match item {
            Ok(chunk) => {
                attempt.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                Ok(chunk)
            }
            Err(error) => Err(attempt.fail(error, &blob, &host)),
        });
        Ok(Box::pin(watched))
    }
}

impl Attempt {
    /// Keeps the failure and gives the store one to pass on in its place.
    fn fail(&self, error: Error, blob: &Descriptor, host: &str) -> Error {
        let stand_in = if error.is_transient() {
            Error::Cut {
                host: host.to_owned(),
                digest: blob.digest.clone(),
                received: self.bytes.load(Ordering::Relaxed),
                expected: blob.size,
            }
        } else {
            Error::Protocol { host: host.to_owned(), reason: error.to_string() }
        };
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        stand_in
    }

    fn take_fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<'a> Reporter<'a> {
    pub(super) fn new(progress: &'a dyn Progress, opening: &'a Opening<'a>) -> Self {
        Self { progress, opening, begun: 0, bytes: 0 }
    }

    /// Waits for `push` and reports what flows meanwhile.
    pub(super) async fn follow<T>(&mut self, push: impl Future<Output = T>) -> T {
        let mut push = std::pin::pin!(push);
        let mut ticks = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                biased;
                done = &mut push => {
                    self.report();
                    return done;
                }
                _ = ticks.tick() => self.report(),
            }
        }
    }

    fn report(&mut self) {
        let (begun, bytes) = match &self.opening.attempts()[..] {
            [] => return,
            attempts @ [.., last] => (attempts.len(), last.bytes.load(Ordering::Relaxed)),
        };
        let blob = self.opening.blob;
        if self.begun == 0 {
            self.progress.event(Event::BlobStarted(blob));
        } else if begun > self.begun {
            self.progress.event(Event::BlobRestarted(&blob.digest));
            self.bytes = 0;
        }
        self.begun = begun;
        if bytes > self.bytes {
            self.progress.event(Event::BlobBytes(&blob.digest, bytes - self.bytes));
            self.bytes = bytes;
        }
    }
}
