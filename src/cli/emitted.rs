//! The directories of `--emit`: each appears when the export is done, whole.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::args::{AppExportArgs, Global};
use super::bundle::{is_empty, parent};
use super::documents;
use super::output::Printer;
use crate::cluster;
use crate::destination::systems::{Emitted, Login, Registries, System, read};
use crate::error::Error;
use crate::export::Emit;

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
    /// When one is there already and not empty, or could not be written, or the images have no
    /// address that others could read them at.
    pub(super) fn new(args: &AppExportArgs, global: &Global) -> Result<Self, Error> {
        let wanted = args.emit.wanted()?;
        if !wanted.is_empty() && args.registry.is_none() && args.pull_address.is_none() {
            return Err(Error::Arguments {
                text: "`--emit` has no address to write for the images of a layout".to_owned(),
                hint: "name the registry with `-r`, or with `--pull-address` where they will be served",
            });
        }
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

    /// What the request asks for; with the login of the registry, if documents are to have it.
    pub(super) fn wanted(&self, login: Option<&Login>) -> Vec<Emit> {
        let wanted = self.0.iter().map(|folder| folder.emit.clone());
        wanted
            .map(|mut emit| {
                emit.store.login = login.filter(|_| emit.with_secrets).cloned();
                emit
            })
            .collect()
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
            write(&made, emitted)?;
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

fn write(dir: &Path, emitted: &Emitted) -> Result<(), Error> {
    for file in &emitted.files {
        let path = dir.join(&file.path);
        let failed = |source| Error::File { path: path.clone(), source };
        fs::create_dir_all(parent(&path)).map_err(failed)?;
        fs::write(&path, documents::text(&file.documents)).map_err(failed)?;
    }
    Ok(())
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
