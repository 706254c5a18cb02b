//! The directories of `--emit`: each appears when the export is done, whole.

mod at;

use std::fs;
use std::io::Write as _;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use super::args::{AppExportArgs, Global};
use super::bundle::{is_empty, parent};
use super::documents;
use super::output::Printer;
use crate::cluster;
use crate::destination::systems::{Emitted, Registries, System, read};
use crate::error::Error;
use crate::export::Emit;

pub(super) use at::At;

/// The directories that are to be written, with what goes into each.
pub(super) struct Folders(Vec<Folder>);

struct Folder {
    path: PathBuf,
    emit: Emit,
    /// Beside `path`, on the same file system; `None` under `--dry-run`.
    scratch: Option<TempDir>,
}

impl Folders {
    /// Makes room for the directories, before anything is pushed.
    ///
    /// # Errors
    /// When one is there already and not empty, or could not be written, or is in another one or in the
    /// layout, or the images have no address that others could read them at.
    pub(super) fn new(args: &AppExportArgs, global: &Global) -> Result<Self, Error> {
        let wanted = args.emit.wanted()?;
        if !wanted.is_empty() && args.registry.is_none() && args.pull_address.is_none() {
            return Err(Error::Arguments {
                text: "`--emit` has no address to write for the images of a layout".to_owned(),
                hint: "name the registry with `-r`, or with `--pull-address` where they will be served",
            });
        }
        apart(wanted.iter().map(|(_, path)| path), args.to.as_ref().or(args.directory.as_ref()))?;
        let folders = wanted.into_iter().map(|(system, path)| {
            refuse(&path)?;
            let registries = match system {
                System::Avassa => registries(global)?,
                _ => None,
            };
            let scratch = (!args.dry_run).then(|| scratch(&path)).transpose()?;
            let (placing, store) = (args.emit.placing(), args.emit.store());
            let with_secrets = args.emit.with_secrets;
            let emit = Emit { system, registries, placing, store, with_secrets };
            Ok(Folder { path, emit, scratch })
        });
        Ok(Self(folders.collect::<Result<_, Error>>()?))
    }

    /// What the request asks for, with what is known of the destination.
    pub(super) fn wanted(&self, at: &At) -> Vec<Emit> {
        self.0.iter().map(|folder| at.complete(folder.emit.clone())).collect()
    }

    /// Says what would be written.
    pub(super) fn tell(&self, emitted: &[Emitted], printer: &Printer) {
        for (folder, emitted) in self.0.iter().zip(emitted) {
            let files: Vec<&str> = emitted.files.iter().map(|file| &*file.path).collect();
            let title = folder.emit.system.title();
            printer.say(format!(
                "would write for {title} to {}: {}",
                folder.path.display(),
                files.join(", ")
            ));
        }
    }

    /// Writes the files and puts the directories where the user wants them.
    ///
    /// # Errors
    /// When something cannot be written. The directory is not there then.
    pub(super) fn finish(self, emitted: &[Emitted], printer: &Printer) -> Result<(), Error> {
        for (folder, emitted) in self.0.into_iter().zip(emitted) {
            let Some(scratch) = &folder.scratch else { continue };
            let made = scratch.path().join("made");
            write(&made, emitted, folder.emit.with_secrets)?;
            let failed = |source| Error::File { path: folder.path.clone(), source };
            fs::rename(&made, &folder.path).map_err(failed)?;
            let title = folder.emit.system.title();
            printer.say(format!("wrote {} for {title}", folder.path.display()));
            for (at, step) in (1..).zip(&emitted.steps) {
                printer.say(format!("  {at}. {step}"));
            }
        }
        Ok(())
    }
}

/// Writes the files; what may have values of secrets in it is its owner's alone.
fn write(dir: &Path, emitted: &Emitted, with_secrets: bool) -> Result<(), Error> {
    let (mut directory, mut options) = (fs::DirBuilder::new(), fs::OpenOptions::new());
    directory.recursive(true);
    options.write(true).create_new(true);
    #[cfg(unix)]
    if with_secrets {
        directory.mode(0o700);
        options.mode(0o600);
    }
    for file in &emitted.files {
        let path = dir.join(&file.path);
        let failed = |source| Error::File { path: path.clone(), source };
        directory.create(parent(&path)).map_err(failed)?;
        let mut to = options.open(&path).map_err(failed)?;
        to.write_all(documents::text(&file.documents).as_bytes()).map_err(failed)?;
    }
    Ok(())
}

/// Refuses directories of which one is in another, or in the layout: they are moved to their places as
/// wholes, after the push.
fn apart<'p>(
    directories: impl Iterator<Item = &'p PathBuf>,
    layout: Option<&'p PathBuf>,
) -> Result<(), Error> {
    let mut taken: Vec<PathBuf> = Vec::new();
    for path in layout.into_iter().chain(directories) {
        let place = place(path).map_err(|source| Error::File { path: path.clone(), source })?;
        if let Some(other) = taken.iter().find(|of| of.starts_with(&place) || place.starts_with(of))
        {
            return Err(Error::Arguments {
                text: format!("{} and {} are not apart", other.display(), place.display()),
                hint: "give each `--emit`, and the layout, a directory that is in none of the others",
            });
        }
        taken.push(place);
    }
    Ok(())
}

/// The one spelling of a path: absolute, and without links as far as it is there.
fn place(path: &Path) -> std::io::Result<PathBuf> {
    let mut found = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::ParentDir => _ = found.pop(),
            part => found.push(part),
        }
        if let Ok(real) = found.canonicalize() {
            found = real;
        }
    }
    Ok(found)
}

/// Refuses what is there: what an earlier export left would stand beside what belongs to this one.
fn refuse(path: &Path) -> Result<(), Error> {
    if !path.exists() || (path.is_dir() && is_empty(path)) {
        return Ok(());
    }
    Err(Error::Arguments {
        text: format!("{} exists and is never overwritten", path.display()),
        hint: "remove it, or choose another name for `--emit`",
    })
}

fn scratch(path: &Path) -> Result<TempDir, Error> {
    let place = parent(path);
    let failed = |source| Error::File { path: place.clone(), source };
    fs::create_dir_all(&place).map_err(failed)?;
    tempfile::Builder::new().prefix(".outhaul-").tempdir_in(&place).map_err(failed)
}

/// What the file of `--destinations` says of Control Tower's registries, if it is about them.
fn registries(global: &Global) -> Result<Option<Registries>, Error> {
    let Some(path) = &global.destinations else { return Ok(None) };
    let found = read(System::Avassa, cluster::documents(path)?);
    Ok(found.ok().map(|found| found.registries))
}
