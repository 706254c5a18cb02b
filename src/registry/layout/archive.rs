//! A layout as one tar file.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Layout, at, blobs};
use crate::registry::{Digest, Error};

/// Bytes written at once.
const WRITE_BYTES: usize = 256 << 10;

/// Stops the packing thread when the future that waits for it is dropped.
struct StopOnDrop(Arc<AtomicBool>);

/// A file that can be read no further once the packing was stopped.
struct Stoppable<R> {
    inner: R,
    stop: Arc<AtomicBool>,
}

impl Layout {
    /// Writes the layout to `file`, which appears when it is whole. The same content gives the
    /// same bytes: `oci-layout`, `index.json`, then blobs in order, owned by nobody, of no date.
    ///
    /// # Errors
    /// [`Error::File`] with the file that could not be read or written.
    pub async fn pack(&self, file: &Path) -> Result<(), Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(Arc::clone(&stop));
        let (layout, file) = (self.clone(), file.to_owned());
        let packed = self.blocking(move || layout.pack_now(&file, &stop)).await;
        drop(guard);
        packed
    }

    fn pack_now(&self, file: &Path, stop: &Arc<AtomicBool>) -> Result<(), Error> {
        let parent = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut temporary = blobs::temporary(parent)?;
        let buffered = io::BufWriter::with_capacity(WRITE_BYTES, temporary.as_file_mut());
        let mut archive = tar::Builder::new(buffered);
        // What the index names was written before it: read first, it leads to nothing missing.
        for name in ["oci-layout", "index.json"] {
            let path = self.dir().join(name);
            let bytes = fs::read(&path).map_err(at(&path))?;
            append(&mut archive, name, bytes.len() as u64, &*bytes).map_err(at(file))?;
        }
        for name in self.blob_names()? {
            let path = self.dir().join(&name);
            let blob = fs::File::open(&path).map_err(at(&path))?;
            let size = blob.metadata().map_err(at(&path))?.len();
            let blob = Stoppable { inner: blob, stop: Arc::clone(stop) };
            append(&mut archive, &name, size, blob).map_err(at(file))?;
        }
        archive.into_inner().and_then(|mut buffered| buffered.flush()).map_err(at(file))?;
        temporary.as_file().sync_data().map_err(at(file))?;
        temporary.persist(file).map(drop).map_err(|failed| at(file)(failed.error))
    }

    /// Every file that is a blob by its name, sorted.
    fn blob_names(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for algorithm in ["sha256", "sha512"] {
            let path = self.dir().join("blobs").join(algorithm);
            let entries = match fs::read_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(at(&path))?,
            };
            for entry in entries {
                let name = entry.map_err(at(&path))?.file_name();
                let digest = format!("{algorithm}:{}", name.to_string_lossy()).parse::<Digest>();
                names.extend(digest.map(|digest| format!("blobs/{algorithm}/{}", digest.hex())));
            }
        }
        names.sort();
        Ok(names)
    }
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    archive.append_data(&mut header, name, content.take(size))
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        self.inner.read(buffer)
    }
}
