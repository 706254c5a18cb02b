//! `--templates DIR`: the user's templates for the texts of a chart.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use crate::chart::Templates;
use crate::chart::text::{LONGEST_TEMPLATE, NOTES, README};
use crate::error::Error;

/// Reads the templates of a directory.
///
/// # Errors
/// When it cannot be read, holds none, or holds a template of another name or one that is too large.
pub(super) fn read(directory: &Path) -> Result<Templates, Error> {
    let entries = fs::read_dir(directory).map_err(|source| failed(directory, source))?;
    let mut templates = Templates::default();
    for entry in entries {
        let path = entry.map_err(|source| failed(directory, source))?.path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some(README) => templates.readme = Some(template(&path)?),
            Some(NOTES) => templates.notes = Some(template(&path)?),
            Some(name) if name.ends_with(".hbs") => {
                return Err(unusable(format!("{} is no template of a chart", path.display())));
            }
            _ => {}
        }
    }
    if templates == Templates::default() {
        return Err(unusable(format!("{} holds no template", directory.display())));
    }
    Ok(templates)
}

fn template(path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let file = File::open(path).map_err(|source| failed(path, source))?;
    file.take(LONGEST_TEMPLATE as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|source| failed(path, source))?;
    if text.len() > LONGEST_TEMPLATE {
        let limit = LONGEST_TEMPLATE >> 10;
        return Err(unusable(format!("{} has more than {limit} KiB", path.display())));
    }
    Ok(text)
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}

fn unusable(text: String) -> Error {
    Error::Arguments { text, hint: "the directory holds README.md.hbs, NOTES.txt.hbs or both" }
}
