//! Streams of bytes: verified as they pass, or out of memory.

use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};

use super::digest::Hasher;
use super::{BlobSource, BlobStream, Descriptor, Error, RepositoryName, Store};

/// A small blob that is made here: a configuration, a chart.
#[derive(Clone, Debug)]
pub struct InMemory(pub Bytes);

/// Hashes and counts what passes; see [`verified`].
struct Verified {
    inner: BlobStream,
    blob: Descriptor,
    host: String,
    /// Gone once the digest was compared.
    hasher: Option<Hasher>,
    received: u64,
    ended: bool,
}

/// Hands the bytes of `stream` on, unchanged and uncopied, while it checks that they are `blob`.
///
/// The digest is compared as soon as the last byte that `blob` promises has arrived and before it
/// is handed on: a consumer that counts (an HTTP body with a `Content-Length`) never sees all
/// bytes of a wrong blob. The stream ends after its first error. `host` is whom the error names.
///
/// The items are errors of `stream` as they came, [`Error::Cut`] if it ended early,
/// [`Error::TooLarge`] if it went on too long, [`Error::DigestMismatch`] if the content differs.
pub fn verified(stream: BlobStream, blob: &Descriptor, host: &str) -> BlobStream {
    Box::pin(Verified {
        inner: stream,
        hasher: Some(blob.digest.hasher()),
        blob: blob.clone(),
        host: host.to_owned(),
        received: 0,
        ended: false,
    })
}

/// Reads a small blob into memory and verifies it. The size that its descriptor states is the caller's
/// to bound.
///
/// # Errors
/// As of [`verified`], or when the store does not have it.
pub async fn read(
    store: &dyn Store,
    repository: &RepositoryName,
    blob: &Descriptor,
) -> Result<Bytes, Error> {
    let mut stream = verified(store.read_blob(repository, blob).await?, blob, &store.name());
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

#[async_trait]
impl BlobSource for InMemory {
    async fn open(&self) -> Result<BlobStream, Error> {
        let bytes = self.0.clone();
        Ok(Box::pin(futures_util::stream::once(async move { Ok(bytes) })))
    }
}

impl Verified {
    fn take(&mut self, chunk: Bytes) -> Result<Bytes, Error> {
        self.received += chunk.len() as u64;
        if self.received > self.blob.size {
            return Err(Error::TooLarge {
                host: self.host.clone(),
                what: format!("blob {}", self.blob.digest),
                limit: usize::try_from(self.blob.size).unwrap_or(usize::MAX),
            });
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&chunk);
        }
        if self.received == self.blob.size {
            self.compare()?;
        }
        Ok(chunk)
    }

    fn end(&mut self) -> Result<(), Error> {
        if self.received < self.blob.size {
            return Err(Error::Cut {
                host: self.host.clone(),
                digest: self.blob.digest.clone(),
                received: self.received,
                expected: self.blob.size,
            });
        }
        self.compare()
    }

    /// Compares once; further calls find nothing to compare.
    fn compare(&mut self) -> Result<(), Error> {
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let actual = hasher.finish();
        if actual == self.blob.digest {
            return Ok(());
        }
        Err(Error::DigestMismatch {
            host: self.host.clone(),
            expected: self.blob.digest.clone(),
            actual,
        })
    }
}

impl Stream for Verified {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = match self.inner.as_mut().poll_next(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(chunk))) => Some(self.take(chunk)),
            Poll::Ready(Some(Err(error))) => Some(Err(error)),
            Poll::Ready(None) => self.end().err().map(Err),
        };
        self.ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use proptest::prelude::*;

    use super::*;
    use crate::registry::Digest;

    fn pieces(pieces: &[&[u8]]) -> BlobStream {
        let owned: Vec<_> = pieces.iter().map(|p| Ok(Bytes::copy_from_slice(p))).collect();
        Box::pin(stream::iter(owned))
    }

    fn blob(bytes: &[u8]) -> Descriptor {
        Descriptor::new("application/octet-stream", Digest::of(bytes), bytes.len() as u64)
    }

    async fn read(stream: BlobStream) -> Vec<Result<Bytes, Error>> {
        stream.collect().await
    }

    #[tokio::test]
    async fn right_bytes_pass_unchanged() {
        let read = read(verified(pieces(&[b"ab", b"", b"c"]), &blob(b"abc"), "h")).await;
        let bytes: Vec<u8> = read.into_iter().flat_map(|chunk| chunk.unwrap()).collect();
        assert_eq!(bytes, b"abc");
        let empty: Vec<_> = verified(pieces(&[]), &blob(b""), "h").collect().await;
        assert!(empty.is_empty());
    }

    #[tokio::test]
    async fn a_wrong_blob_never_shows_its_last_byte() {
        let read = read(verified(pieces(&[b"ab", b"X"]), &blob(b"abc"), "h")).await;
        assert_eq!(read.len(), 2);
        assert!(matches!(&read[1], Err(Error::DigestMismatch { host, .. }) if host == "h"));
    }

    #[tokio::test]
    async fn too_few_and_too_many_bytes_are_told_apart() {
        let short = read(verified(pieces(&[b"ab"]), &blob(b"abc"), "h")).await;
        assert!(matches!(short[1], Err(Error::Cut { received: 2, expected: 3, .. })));
        let long = read(verified(pieces(&[b"abc", b"d"]), &blob(b"abc"), "h")).await;
        assert!(matches!(long[1], Err(Error::TooLarge { limit: 3, .. })));
    }

    proptest! {
        #[test]
        fn any_one_changed_byte_is_noticed(
            bytes in proptest::collection::vec(any::<u8>(), 1..200),
            at in any::<prop::sample::Index>(),
            cut in any::<prop::sample::Index>(),
        ) {
            let expected = blob(&bytes);
            let mut changed = bytes.clone();
            changed[at.index(bytes.len())] ^= 1;
            let (left, right) = changed.split_at(cut.index(bytes.len()));
            let stream = verified(pieces(&[left, right]), &expected, "h");
            let read = futures_util::FutureExt::now_or_never(read(stream)).unwrap();
            let noticed = matches!(read.last(), Some(Err(Error::DigestMismatch { .. })));
            prop_assert!(noticed);
            let passed: usize = read.iter().flatten().map(Bytes::len).sum();
            prop_assert!(passed < bytes.len());
        }
    }
}
