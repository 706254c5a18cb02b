//! For whom Secrets are encrypted, and who opens them: from flags and files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use secrecy::SecretString;

use super::args::RecipientArgs;
use crate::chart::Chart;
use crate::chart::sealed::{self, OpenedSecret};
use crate::destination::{InvalidRecipient, Recipient, recipients};
use crate::error::Error;
use crate::import;

/// Largest file of recipients or identities: a line for each of a thousand people, with a comment.
const MAX_FILE: u64 = 256 << 10;

/// Everybody who is named.
///
/// # Errors
/// When a file cannot be read, or names something that is no recipient. It is not quoted.
pub(super) fn recipients(args: &RecipientArgs) -> Result<Vec<Recipient>, Error> {
    let flags = args
        .age_recipient
        .iter()
        .map(|text| text.parse().map_err(|error| invalid("--age-recipient", error)));
    let mut all: Vec<Recipient> = flags.collect::<Result<_, _>>()?;
    for path in &args.age_recipients_file {
        let place = |line: usize| format!("{}, line {line}", path.display());
        let of_file = recipients::file(&read(path)?);
        all.extend(of_file.map_err(|(line, error)| invalid(&place(line), error))?);
    }
    Ok(all)
}

/// The Secrets of a chart, opened with the identities in a file; none if it has no encrypted ones.
///
/// # Errors
/// When the file cannot be read or is none of identities, or they do not open the Secrets.
pub(super) fn opened(path: &Path, chart: &Chart) -> Result<Vec<OpenedSecret>, Error> {
    let identities = sealed::identities(&SecretString::from(read(path)?));
    let identities = identities.map_err(|error| Error::Arguments {
        text: format!("{}: {error}", path.display()),
        hint: "`age-keygen -o key.txt` writes such a file; with another key, open secrets.age by \
               age's own program",
    })?;
    Ok(sealed::open(chart, &identities).map_err(import::Error::from)?)
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut text = String::new();
    let mut file = File::open(path).map_err(failed)?.take(MAX_FILE + 1);
    file.read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(Error::Arguments {
            text: format!("{} has more than {} KiB", path.display(), MAX_FILE >> 10),
            hint: "such a file has one key a line",
        });
    }
    Ok(text)
}

fn invalid(place: &str, error: InvalidRecipient) -> Error {
    Error::Arguments {
        text: format!("{place}: {error}"),
        hint: "`age-keygen -o key.txt` makes a key and prints its recipient",
    }
}
