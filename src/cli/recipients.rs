//! For whom Secrets are encrypted: from flags and files.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::args::RecipientArgs;
use crate::destination::{InvalidRecipient, Recipient, recipients};
use crate::error::Error;

/// Largest file of recipients: a line for each of a thousand people, with a comment.
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

fn read(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let mut text = String::new();
    let mut file = File::open(path).map_err(failed)?.take(MAX_FILE + 1);
    file.read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_FILE {
        return Err(Error::Arguments {
            text: format!("{} has more than {} KiB", path.display(), MAX_FILE >> 10),
            hint: "a file of recipients has one `age1…` a line",
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
