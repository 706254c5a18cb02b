//! Who asks the Controller: an access token, or a password to get one.

use std::io::Read as _;
use std::path::Path;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use crate::error::Error;

/// The access token, if no file is named. Not a flag: others see a program's flags.
const TOKEN: &str = "OUTHAUL_CONTROLLER_TOKEN";

/// Longest token or password that is read.
const MAX_SECRET: u64 = 64 << 10;

/// The Controller takes the token alone, without `Bearer`.
pub(super) fn bare(token: &SecretString) -> Result<HeaderValue, Error> {
    let header = HeaderValue::try_from(token.expose_secret().trim());
    let mut header =
        header.map_err(|_| missing("the token for the Controller has characters that none has"))?;
    header.set_sensitive(true);
    Ok(header)
}

pub(super) fn token(file: Option<&Path>) -> Result<SecretString, Error> {
    let found = match file {
        Some(path) => secret(path)?,
        None => std::env::var(TOKEN).unwrap_or_default().into(),
    };
    match found.expose_secret().trim() {
        "" => Err(missing("there is no access token for the Controller")),
        _ => Ok(found),
    }
}

/// What a file holds, without the end of its line.
pub(super) fn secret(path: &Path) -> Result<SecretString, Error> {
    let mut text = String::new();
    let file = std::fs::File::open(path);
    let read = file.and_then(|file| file.take(MAX_SECRET).read_to_string(&mut text));
    read.map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned().into())
}

fn missing(text: &str) -> Error {
    Error::Arguments {
        text: text.to_owned(),
        hint: "give it in OUTHAUL_CONTROLLER_TOKEN, its file with `--controller-token-file`, or log in \
               with `--controller-email` and `--controller-password-file`",
    }
}
