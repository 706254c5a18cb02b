//! Files of a layout: written beside their place, checked, then renamed.

use std::fs;
use std::io::{self, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use tempfile::{NamedTempFile, TempPath};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

use super::{Layout, TEMPORARY, at};
use crate::registry::digest::Hasher;
use crate::registry::{BlobStream, Digest, Error};

/// Bytes read from a file at once: large enough that the hand-over between threads is cheap,
/// small enough for many streams.
const READ_BYTES: usize = 128 << 10;

/// A blob on its way into a layout. Dropped before [`BlobWriter::commit`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    layout: Layout,
    temporary: TempPath,
    file: tokio::fs::File,
    hasher: Hasher,
    written: u64,
}

impl Layout {
    /// Begins a blob whose digest will be of the same algorithm as `like`.
    ///
    /// # Errors
    /// When no file can be made in the layout.
    pub async fn writer(&self, hasher: Hasher) -> Result<BlobWriter, Error> {
        let dir = self.dir().to_owned();
        let (file, temporary) = self.blocking(move || temporary(&dir)).await?.into_parts();
        let file = tokio::fs::File::from_std(file);
        Ok(BlobWriter { layout: self.clone(), temporary, file, hasher, written: 0 })
    }

    /// Length of the blob; `None` if it is not here.
    ///
    /// # Errors
    /// When the file system refuses to say.
    pub async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        let path = self.blob_path(digest);
        match tokio::fs::metadata(&path).await {
            Ok(data) => Ok(data.is_file().then_some(data.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// Streams `length` bytes of the blob from `offset`; `None` if it is not here.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn read_part(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> Result<Option<BlobStream>, Error> {
        let path = self.blob_path(digest);
        let mut file = match tokio::fs::File::open(&path).await {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        file.seek(SeekFrom::Start(offset)).await.map_err(at(&path))?;
        let stream = ReaderStream::with_capacity(file.take(length), READ_BYTES);
        Ok(Some(Box::pin(stream.map(move |item| item.map_err(at(&path))))))
    }

    /// Where the blob is. A digest is hexadecimal digits after one of two algorithms: nothing in
    /// it can lead out of the directory.
    pub(super) fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.dir().join("blobs").join(digest.algorithm()).join(digest.hex())
    }
}

impl BlobWriter {
    /// How many bytes it has.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds bytes. If the future is dropped, [`BlobWriter::resume`] makes the writer usable again.
    ///
    /// # Errors
    /// When the disk does not take them. The writer is of no further use then.
    pub async fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).await.map_err(at(&self.temporary))?;
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Goes back to the last byte that was counted.
    ///
    /// # Errors
    /// When the file cannot be changed.
    pub async fn resume(&mut self) -> Result<(), Error> {
        let to = self.written;
        let back = async {
            self.file.seek(SeekFrom::Start(to)).await?;
            self.file.set_len(to).await
        };
        back.await.map_err(at(&self.temporary))
    }

    /// Puts the blob in its place, safe from a crash, if its bytes are those of `digest`.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], or [`Error::File`] when the disk does not take it.
    pub async fn commit(mut self, digest: &Digest) -> Result<u64, Error> {
        self.file.flush().await.map_err(at(&self.temporary))?;
        let actual = self.digest(digest).await?;
        if actual != *digest {
            let host = self.layout.dir().display().to_string();
            return Err(Error::DigestMismatch { host, expected: digest.clone(), actual });
        }
        self.file.sync_data().await.map_err(at(&self.temporary))?;
        let (path, temporary) = (self.layout.blob_path(digest), self.temporary);
        self.layout.blocking(move || settle(temporary, &path)).await?;
        Ok(self.written)
    }

    /// Reads the file again if another algorithm is asked for than was guessed.
    async fn digest(&mut self, like: &Digest) -> Result<Digest, Error> {
        let guessed = self.hasher.clone().finish();
        if guessed.algorithm() == like.algorithm() {
            return Ok(guessed);
        }
        let mut hasher = like.hasher();
        let file = tokio::fs::File::open(&self.temporary).await.map_err(at(&self.temporary))?;
        let mut chunks = ReaderStream::with_capacity(file, READ_BYTES);
        while let Some(chunk) = chunks.next().await {
            hasher.update(&chunk.map_err(at(&self.temporary))?);
        }
        Ok(hasher.finish())
    }
}

/// Renames a written blob; one that is there already was the same, or was damaged.
fn settle(temporary: TempPath, path: &Path) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(at(parent))?;
    }
    temporary.persist(path).map_err(|failed| at(path)(failed.error))
}

/// Replaces a file of the layout at once.
pub(super) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let path = dir.join(name);
    let mut file = temporary(dir)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_data()).map_err(at(&path))?;
    file.persist(&path).map_err(|failed| at(&path)(failed.error))?;
    Ok(())
}

/// A file in the layout that removes itself, readable by whom the umask allows: another user may
/// serve the layout.
pub(super) fn temporary(dir: &Path) -> Result<NamedTempFile, Error> {
    // Opened here and not by the builder, whose errors name a file that never was.
    let open = |path: &Path| fs::File::options().read(true).write(true).create_new(true).open(path);
    tempfile::Builder::new().prefix(TEMPORARY).make_in(dir, open).map_err(at(dir))
}
