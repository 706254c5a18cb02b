//! Finds and reads manifest files: one, standard input, or a directory with all below it.

use std::fs::{self, File};
use std::io::{self, Read, StdinLock};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::document::Document;
use super::{Error, document};
use crate::app::snapshot::MAX_BYTES;

/// The text of one file.
pub struct Text {
    /// What messages call it.
    pub name: String,
    /// Its contents.
    pub text: String,
}

/// A document and where it stands. Not to be printed: it may be a Secret.
pub struct FileDocument {
    /// The file, or `standard input`.
    pub file: String,
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// What it says.
    pub value: Value,
}

/// Most files of a directory: one for each object of a large application, many times over.
const MAX_FILES: usize = 10_000;

/// Deepest folder below the given one. Symbolic links may make circles.
const MAX_FOLDERS: usize = 16;

/// Most bytes in all files together: a full snapshot, indented.
const MAX_TEXT: usize = 2 * MAX_BYTES;

/// What kubectl takes from a directory.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// What messages call standard input.
pub(super) const STDIN: &str = "standard input";

/// The documents of a file, of a directory's files, or of standard input (`-`), whatever they are of.
///
/// # Errors
/// As [`texts`]; [`Error::Malformed`] with file and line, and nothing of the text.
pub fn documents(path: &Path) -> Result<Vec<Value>, Error> {
    Ok(placed(path)?.into_iter().map(|placed| placed.value).collect())
}

/// As [`documents`], each with its place.
///
/// # Errors
/// As [`documents`].
pub fn placed(path: &Path) -> Result<Vec<FileDocument>, Error> {
    let mut all = Vec::new();
    for Text { name, text } in texts(path)? {
        let documents = document::parse(&name, &text)?.into_iter();
        all.extend(documents.map(|Document { value, line }| FileDocument {
            file: name.clone(),
            line,
            value,
        }));
    }
    Ok(all)
}

/// A file, a directory's files, or standard input (`-`).
///
/// # Errors
/// When something cannot be read, is not UTF-8 or too large.
pub fn texts(path: &Path) -> Result<Vec<Text>, Error> {
    match path == Path::new("-") {
        true => Ok(vec![read_stream(STDIN, standard_input()?)?]),
        false => read(path),
    }
}

/// Standard input, for the first who asks: who comes after would find it empty, and take that for what
/// was given.
///
/// # Errors
/// [`Error::InputTaken`] for all others.
pub fn standard_input() -> Result<StdinLock<'static>, Error> {
    static IS_TAKEN: AtomicBool = AtomicBool::new(false);
    match IS_TAKEN.swap(true, Ordering::Relaxed) {
        false => Ok(io::stdin().lock()),
        true => Err(Error::InputTaken),
    }
}

/// The documents of a text that messages call `name`.
///
/// # Errors
/// As [`documents`].
pub fn parsed(name: &str, text: &str) -> Result<Vec<Value>, Error> {
    Ok(document::parse(name, text)?.into_iter().map(|document| document.value).collect())
}

/// Reads the file, or the files of the directory in order of their paths.
///
/// # Errors
/// When something cannot be read, is not UTF-8 or too large.
pub(super) fn read(path: &Path) -> Result<Vec<Text>, Error> {
    let mut files = Vec::new();
    if metadata(path)?.is_dir() {
        walk(path, 0, &mut files)?;
    } else {
        files.push(path.to_owned());
    }
    let mut left = MAX_TEXT;
    let mut texts = Vec::with_capacity(files.len());
    for path in files {
        let file =
            File::open(&path).map_err(|source| Error::File { path: path.clone(), source })?;
        let text = text(path.display().to_string(), &path, file, left)?;
        left -= text.text.len();
        texts.push(text);
    }
    Ok(texts)
}

/// Reads a stream to its end.
///
/// # Errors
/// When it cannot be read, is not UTF-8 or too large.
pub(super) fn read_stream(name: &str, stream: impl Read) -> Result<Text, Error> {
    text(name.to_owned(), Path::new(name), stream, MAX_TEXT)
}

fn text(name: String, path: &Path, stream: impl Read, limit: usize) -> Result<Text, Error> {
    let mut bytes = Vec::new();
    // One byte more tells a file that fits from one that does not.
    let mut stream = stream.take(limit as u64 + 1);
    stream
        .read_to_end(&mut bytes)
        .map_err(|source| Error::File { path: path.to_owned(), source })?;
    if bytes.len() > limit {
        let limit = format!("{} MiB in all", MAX_TEXT >> 20);
        return Err(Error::TooLarge { what: name, limit });
    }
    String::from_utf8(bytes).map(|text| Text { name: name.clone(), text }).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|b| **b == b'\n').count() as u64 + 1;
        Error::Malformed { file: name, line, column: 0, reason: "this is not UTF-8".to_owned() }
    })
}

/// Collects the manifest files of a folder and of those below it, sorted. Names that begin with a
/// dot are passed over: editors and mounted ConfigMaps keep their own things there.
fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if depth > MAX_FOLDERS {
        let limit = format!("{MAX_FOLDERS} folders in each other");
        return Err(Error::TooLarge { what: folder.display().to_string(), limit });
    }
    let failed = |source| Error::File { path: folder.to_owned(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort();
    for path in entries {
        if metadata(&path)?.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|e| EXTENSIONS.iter().any(|known| e == *known)) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            let limit = format!("{MAX_FILES} files");
            return Err(Error::TooLarge { what: folder.display().to_string(), limit });
        }
    }
    Ok(())
}

fn metadata(path: &Path) -> Result<fs::Metadata, Error> {
    fs::metadata(path).map_err(|source| Error::File { path: path.to_owned(), source })
}
