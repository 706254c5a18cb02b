//! An OCI image layout on disk (image-spec, "OCI Image Layout", 1.0.0) as a store.
//!
//! ```text
//!  DIR/oci-layout              {"imageLayoutVersion":"1.0.0"}; its file lock guards index.json
//!  DIR/index.json              one entry for each tag, and for each untagged root or referrer
//!  DIR/blobs/<alg>/<hex>       blobs and manifests of all repositories together
//!  DIR/.outhaul-*              what is being written; renamed when whole, removed when not
//! ```
//!
//! The specification knows tags and no repositories. An entry's name
//! (`org.opencontainers.image.ref.name`) is therefore `<repository>:<tag>`, as skopeo
//! (`oci:DIR:<repository>:<tag>`) and oras (`--oci-layout-path DIR <repository>:<tag>`) read it,
//! and the same stands in `io.containerd.image.name`, from which containerd names images. An
//! entry of another tool that is named by a bare tag belongs to every repository. Content is not
//! divided by repository: what one has, all have.
//!
//! Several processes may write one layout at a time where the file system knows locks; where it
//! does not, the later `index.json` wins. Nothing is ever deleted from a layout.

mod archive;
mod blobs;
mod index;
mod referrers;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use super::{Error, RepositoryName};
use index::IndexFile;
use referrers::Known;

pub use blobs::BlobWriter;
pub(super) use store::media_type;

/// The only version of the layout there is.
const VERSION: &str = "1.0.0";

/// Marks files that are being written.
const TEMPORARY: &str = ".outhaul-";

/// Age at which a file that is being written belongs to a process that was killed: no transfer of
/// one blob takes a day.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// An OCI image layout directory. Clones share one state.
#[derive(Clone, Debug)]
pub struct Layout(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    /// Held while `index.json` is read, changed and replaced.
    writing: tokio::sync::Mutex<()>,
    /// Whether there is no layout at all; see [`Layout::scratch`].
    absent: bool,
    /// Subjects of manifests, which never change.
    known: Known,
}

impl Layout {
    /// Opens the layout in `dir`, or makes an empty one if there is nothing. Removes what a
    /// killed process left half-written a day ago.
    ///
    /// # Errors
    /// [`Error::NotALayout`] if something else is there, [`Error::File`] if it cannot be written.
    pub fn create(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let dir = dir.into();
        refuse_file(&dir)?;
        let blobs = dir.join("blobs").join("sha256");
        if !dir.join("oci-layout").exists() {
            refuse_other_content(&dir)?;
            fs::create_dir_all(&blobs).map_err(at(&blobs))?;
            let marker = serde_json::json!({ "imageLayoutVersion": VERSION });
            blobs::replace(&dir, "oci-layout", marker.to_string().as_bytes())?;
        }
        let lock = lock(&dir)?;
        if !dir.join("index.json").exists() {
            IndexFile::default().write(&dir)?;
        }
        drop(lock);
        sweep(&dir);
        Self::open(dir)
    }

    /// Opens the layout in `dir`.
    ///
    /// # Errors
    /// [`Error::NotALayout`] if there is none of a version that we know.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let dir = dir.into();
        refuse_file(&dir)?;
        let not_a_layout = |reason| Error::NotALayout { path: dir.clone(), reason };
        let marker = fs::read(dir.join("oci-layout"))
            .map_err(|error| not_a_layout(format!("oci-layout: {error}")))?;
        let marker: serde_json::Value = serde_json::from_slice(&marker)
            .map_err(|error| not_a_layout(format!("oci-layout: {error}")))?;
        match marker["imageLayoutVersion"].as_str() {
            Some(VERSION) => {}
            Some(other) => return Err(not_a_layout(format!("its version is {other}"))),
            None => return Err(not_a_layout("oci-layout states no version".to_owned())),
        }
        IndexFile::read(&dir)?;
        Ok(Self::at(dir, false))
    }

    /// The layout that [`Layout::create`] would give, to look at: where there is nothing, it is
    /// empty, and nothing is made. Writing to it then fails.
    ///
    /// # Errors
    /// As [`Layout::create`].
    pub fn scratch(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let dir = dir.into();
        if dir.join("oci-layout").exists() {
            return Self::open(dir);
        }
        refuse_file(&dir)?;
        refuse_other_content(&dir)?;
        Ok(Self::at(dir, true))
    }

    fn at(dir: PathBuf, absent: bool) -> Self {
        let (writing, known) = Default::default();
        Self(Arc::new(Inner { dir, writing, absent, known }))
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.0.dir
    }

    /// The repositories that have a tag, sorted.
    ///
    /// # Errors
    /// When `index.json` cannot be read.
    pub async fn repositories(&self) -> Result<Vec<RepositoryName>, Error> {
        Ok(self.index().await?.repositories())
    }

    async fn index(&self) -> Result<IndexFile, Error> {
        if self.0.absent {
            return Ok(IndexFile::default());
        }
        let dir = self.0.dir.clone();
        self.blocking(move || IndexFile::read(&dir)).await
    }

    /// Changes `index.json` while nobody else does.
    async fn update<F>(&self, change: F) -> Result<(), Error>
    where
        F: FnOnce(&mut IndexFile) + Send + 'static,
    {
        let _writing = self.0.writing.lock().await;
        let dir = self.0.dir.clone();
        self.blocking(move || {
            let _lock = lock(&dir)?;
            let mut index = IndexFile::read(&dir)?;
            change(&mut index);
            index.write(&dir)
        })
        .await
    }

    async fn blocking<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(stopped) => Err(at(&self.0.dir)(io::Error::other(stopped))),
        }
    }
}

/// A layout in one file is an archive ([`Layout::pack`]), and is not read as it is.
fn refuse_file(path: &Path) -> Result<(), Error> {
    if !path.is_file() {
        return Ok(());
    }
    let dir = path.file_stem().filter(|stem| Some(*stem) != path.file_name());
    let dir = dir.map_or_else(|| "unpacked".into(), |stem| stem.to_string_lossy());
    let file = path.display();
    let reason = format!("it is a file; unpack it first: mkdir {dir} && tar -xf {file} -C {dir}");
    Err(Error::NotALayout { path: path.to_owned(), reason })
}

/// A layout is made in an empty directory, or in one where that was begun.
fn refuse_other_content(dir: &Path) -> Result<(), Error> {
    let ours = |name: std::ffi::OsString| {
        let name = name.to_string_lossy();
        name == "blobs" || name.starts_with(TEMPORARY)
    };
    let mut entries = fs::read_dir(dir).into_iter().flatten().flatten();
    if entries.all(|entry| ours(entry.file_name())) {
        return Ok(());
    }
    let reason = "it is not empty and has no file oci-layout".to_owned();
    Err(Error::NotALayout { path: dir.to_owned(), reason })
}

/// Locks the layout against other processes until the file is dropped.
fn lock(dir: &Path) -> Result<fs::File, Error> {
    let path = dir.join("oci-layout");
    let file = fs::File::open(&path).map_err(at(&path))?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(at(&path)(error)),
        _ => Ok(file),
    }
}

/// Best effort: what cannot be removed harms nobody.
fn sweep(dir: &Path) {
    let abandoned = |entry: &fs::DirEntry| {
        let age =
            entry.metadata().and_then(|data| data.modified()).ok().and_then(|t| t.elapsed().ok());
        entry.file_name().to_string_lossy().starts_with(TEMPORARY)
            && age.is_some_and(|age| age > ABANDONED)
    };
    for entry in fs::read_dir(dir).into_iter().flatten().flatten().filter(abandoned) {
        let _ = fs::remove_file(entry.path());
    }
}

/// Says which file it was.
fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path, source }
}
