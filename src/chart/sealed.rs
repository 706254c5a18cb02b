//! `secrets.age`: the Secrets of an application, encrypted for those who hold a key
//! ([age v1](https://age-encryption.org/v1), armored). What is in it is a stream of manifests for
//! `kubectl apply`.
//!
//! Encrypting needs chance and is not here: see `export::seal`.

use std::collections::BTreeMap;
use std::io::Read as _;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, x25519};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde_json::Value;

use super::Chart;
use super::manifest::{secret_metadata, secret_type};
use super::size::LARGEST_FILE;
use super::yaml::{Node, Row, document};
use crate::app::{App, Object, SecretUse, SecretValues};

/// Path in the chart.
pub const FILE: &str = "secrets.age";

/// A Secret that was encrypted.
#[derive(Clone, Debug)]
pub struct OpenedSecret {
    /// Its name.
    pub name: String,
    /// Names of its values.
    pub keys: Vec<String>,
    /// The whole object as JSON, without a namespace.
    pub manifest: SecretString,
}

/// Encrypted Secrets that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Encrypted for others, or no identity was given.
    #[error("{FILE} is encrypted for other recipients")]
    NotARecipient,
    /// No age file, or a damaged one.
    #[error("{FILE} cannot be decrypted: {0}")]
    Damaged(String),
    /// Anybody can encrypt for a recipient, so what comes out may be anything.
    #[error("{FILE} holds something that is no Secret: {0}")]
    Foreign(String),
    /// More than a file of a chart may hold.
    #[error("{FILE} decrypts to more than {} MiB", LARGEST_FILE >> 20)]
    TooLarge,
}

/// A file of identities that cannot be used. What stands in it is never quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// A line that is no identity, counted from 1.
    #[error(
        "line {0} is no identity of age (`AGE-SECRET-KEY-1…`): keys of SSH and of plugins, and \
         files with a passphrase, are not read"
    )]
    Line(usize),
    /// Nothing but comments.
    #[error("it has no identity of age (`AGE-SECRET-KEY-1…`)")]
    Empty,
}

/// The identities of a file as `age-keygen` writes it: one a line, with comments (`#`) between.
///
/// # Errors
/// When a line is something else, or there is none.
pub fn identities(file: &SecretString) -> Result<Vec<x25519::Identity>, InvalidIdentity> {
    let lines = (1..).zip(file.expose_secret().lines().map(str::trim));
    let identities: Vec<x25519::Identity> = lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| line.parse().map_err(|_| InvalidIdentity::Line(number)))
        .collect::<Result<_, _>>()?;
    if identities.is_empty() { Err(InvalidIdentity::Empty) } else { Ok(identities) }
}

/// The manifests of the Secrets whose values are known, in order of name; `None` if there are none.
pub fn plaintext(app: &App, values: &SecretValues) -> Option<SecretString> {
    let secrets = app.secrets.iter().filter(|secret| !secret.is_filled());
    let known = secrets.filter_map(|of| Some((of, values.0.get(&of.name)?)));
    let manifests: Vec<String> =
        known.map(|(secret, values)| manifest(app, secret, values)).collect();
    (!manifests.is_empty()).then(|| manifests.concat().into())
}

fn manifest(app: &App, secret: &SecretUse, values: &BTreeMap<String, SecretSlice<u8>>) -> String {
    let data = values
        .iter()
        .map(|(key, value)| (key.clone(), Node::str(STANDARD.encode(value.expose_secret()))));
    let mut rows = vec![
        Row::field("apiVersion", Node::str("v1")),
        Row::field("kind", Node::str("Secret")),
        Row::field("metadata", secret_metadata(secret)),
        Row::field("type", Node::str(secret_type(app, secret))),
        Row::field("data", Node::map(data)),
    ];
    if secret.immutable {
        rows.push(Row::field("immutable", Node::Bool(true)));
    }
    format!("---\n{}", document(&Node::Map(rows)))
}

/// Decrypts the Secrets of a chart; none where it has no [`FILE`].
///
/// # Errors
/// When none of the identities is a recipient's, or what is there is not what an export makes:
/// nothing but Secrets, and those without a namespace.
pub fn open(
    chart: &Chart,
    identities: &[x25519::Identity],
) -> Result<Vec<OpenedSecret>, OpenError> {
    let Some(file) = chart.files.get(FILE) else { return Ok(Vec::new()) };
    let text = decrypt(file, identities)?;
    let documents: Vec<Value> = serde_saphyr::from_multiple(text.expose_secret())
        .map_err(|_| OpenError::Foreign("it is not YAML".to_owned()))?;
    documents.into_iter().filter(|document| !document.is_null()).map(opened).collect()
}

fn decrypt(file: &[u8], identities: &[x25519::Identity]) -> Result<SecretString, OpenError> {
    let damaged = |error: &dyn std::fmt::Display| OpenError::Damaged(error.to_string());
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(file)).map_err(|e| damaged(&e))?;
    let identities = identities.iter().map(|identity| identity as &dyn age::Identity);
    let reader = decryptor.decrypt(identities).map_err(|error| match error {
        DecryptError::NoMatchingKeys => OpenError::NotARecipient,
        error => damaged(&error),
    })?;
    let mut text = String::new();
    reader.take(LARGEST_FILE as u64 + 1).read_to_string(&mut text).map_err(|e| damaged(&e))?;
    let text = SecretString::from(text);
    if text.expose_secret().len() > LARGEST_FILE {
        return Err(OpenError::TooLarge);
    }
    Ok(text)
}

fn opened(document: Value) -> Result<OpenedSecret, OpenError> {
    let foreign = |what: String| Err(OpenError::Foreign(what));
    let Ok(object) = Object::new(document) else { return foreign("it is no object".to_owned()) };
    if object.api_version() != "v1" || object.kind() != "Secret" {
        return foreign(object.id().to_string());
    }
    if object.namespace().is_some() {
        return foreign(format!("{} names a namespace", object.id()));
    }
    let name = object.name().to_owned();
    let maps = ["/data", "/stringData"].map(|map| object.at(map).and_then(Value::as_object));
    let keys = maps.into_iter().flatten().flat_map(|map| map.keys().cloned()).collect();
    Ok(OpenedSecret { name, keys, manifest: Value::from(object).to_string().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_identities_is_read_and_never_quoted() {
        let key = x25519::Identity::generate();
        let key = key.to_string();
        let read = |text: String| identities(&text.into()).map(|all| all.len());
        let file = format!("# created: now\n# public key: age1…\n{}\r\n\n", key.expose_secret());
        assert_eq!(read(file.clone()), Ok(1));
        assert_eq!(read(file.clone() + &file), Ok(2));
        assert_eq!(read("# nothing\n".to_owned()), Err(InvalidIdentity::Empty));
        let refused = read(file + "AGE-SECRET-KEY-1CANARY").unwrap_err();
        assert_eq!(refused, InvalidIdentity::Line(5));
        assert!(!refused.to_string().contains("CANARY"));
    }
}
