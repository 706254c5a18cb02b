//! The layout behind `--to`: a directory or an archive that appears when it is whole.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;
use crate::registry::Layout;

/// A layout that is being written.
#[derive(Debug)]
pub(super) struct Bundle {
    /// What to write to.
    pub(super) layout: Layout,
    /// Where that is until the end, unless the layout was there before.
    scratch: Option<TempDir>,
}

impl Bundle {
    /// An existing layout as it is, or one beside `path` on the same file system. A dry run reads
    /// what exists and writes to the system's temporary directory.
    ///
    /// # Errors
    /// When nothing can be written there, or what is there would be lost.
    pub(super) fn new(path: &Path, dry_run: bool) -> Result<Self, Error> {
        refuse(path)?;
        if path.is_dir() && !is_archive(path) && !(dry_run && is_empty(path)) {
            let layout = if dry_run { Layout::open(path) } else { Layout::create(path) };
            return Ok(Self { layout: layout?, scratch: None });
        }
        let place = if dry_run { std::env::temp_dir() } else { parent(path) };
        let failed = |source| Error::File { path: place.clone(), source };
        fs::create_dir_all(&place).map_err(failed)?;
        let scratch =
            tempfile::Builder::new().prefix(".outhaul-").tempdir_in(&place).map_err(failed)?;
        Ok(Self { layout: Layout::create(scratch.path().join("layout"))?, scratch: Some(scratch) })
    }

    /// Puts the layout where the user wants it.
    ///
    /// # Errors
    /// When it cannot be packed or moved there. Nothing is left behind then.
    pub(super) async fn finish(self, path: &Path) -> Result<(), Error> {
        let Some(_scratch) = self.scratch else { return Ok(()) };
        if is_archive(path) {
            return Ok(self.layout.pack(path).await?);
        }
        fs::rename(self.layout.dir(), path)
            .map_err(|source| Error::File { path: path.to_owned(), source })
    }
}

/// Refuses what could only be replaced, and archives of a kind that is not written.
fn refuse(path: &Path) -> Result<(), Error> {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    let is_compressed = extension.is_some_and(|extension| extension == "gz" || extension == "tgz");
    let exists = if is_archive(path) { path.exists() } else { path.is_file() };
    let (text, hint) = match (exists, is_compressed) {
        (true, _) => ("exists and is never overwritten", "remove it, or choose another name"),
        (_, true) => {
            ("would be a directory of that name", "write a `.tar`: layers are compressed already")
        }
        _ => return Ok(()),
    };
    Err(Error::Arguments { text: format!("{} {text}", path.display()), hint })
}

fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "tar")
}

pub(super) fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

pub(super) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
