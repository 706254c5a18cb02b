//! Which destinations there are, and which one a name means.

use std::collections::BTreeMap;

pub use super::address::begins_with_host;
use super::systems::System;
use super::{Destination, Error, secret};
use crate::cluster::{self, SecretReader};
use crate::registry::{Host, RepositoryName};

/// Where destinations are kept if nobody says: our own namespace, then Epinio's.
pub const SYSTEM_NAMESPACES: [&str; 2] = ["outhaul-system", "epinio"];

/// The namespace that holds destinations: `explicit` if given, else the first of
/// [`SYSTEM_NAMESPACES`] that exists. Where one may not be seen, its destinations may be.
///
/// # Errors
/// When none exists or may be seen, or the cluster does not answer.
pub async fn system_namespace(
    reader: &dyn SecretReader,
    explicit: Option<&str>,
) -> Result<String, Error> {
    if let Some(namespace) = explicit.filter(|namespace| !namespace.is_empty()) {
        return Ok(namespace.to_owned());
    }
    let mut hidden = None;
    for namespace in SYSTEM_NAMESPACES {
        match reader.has_namespace(namespace).await {
            Ok(true) => return Ok(namespace.to_owned()),
            Ok(false) => {}
            Err(error @ cluster::Error::Forbidden { .. }) => {
                if holds_destinations(reader, namespace).await? {
                    return Ok(namespace.to_owned());
                }
                hidden.get_or_insert(unreadable(namespace, error));
            }
            Err(error) => return Err(unreadable(namespace, error)),
        }
    }
    Err(hidden.unwrap_or(Error::NoSystemNamespace { tried: SYSTEM_NAMESPACES }))
}

/// Whether labelled Secrets of a namespace that may not be seen may be read all the same.
async fn holds_destinations(reader: &dyn SecretReader, namespace: &str) -> Result<bool, Error> {
    for label in secret::LABELS {
        match reader.labelled_secrets(namespace, label).await {
            Ok(found) if found.is_empty() => {}
            Ok(_) => return Ok(true),
            Err(cluster::Error::Forbidden { .. }) => return Ok(false),
            Err(error) => return Err(unreadable(namespace, error)),
        }
    }
    Ok(false)
}

/// All destinations in `namespace` by name, those that cannot be used with their reason.
///
/// # Errors
/// When the Secrets cannot be read at all.
pub async fn list(reader: &dyn SecretReader, namespace: &str) -> Result<Vec<Destination>, Error> {
    let mut secrets = BTreeMap::new();
    for label in secret::LABELS {
        let labelled = reader.labelled_secrets(namespace, label).await;
        let labelled = labelled.map_err(|error| unreadable(namespace, error))?;
        secrets.extend(labelled.into_iter().map(|secret| (secret.name.clone(), secret)));
    }
    let mut destinations = Vec::with_capacity(secrets.len());
    for found in secrets.values() {
        destinations.push(read(reader, namespace, found).await?);
    }
    Ok(destinations)
}

/// Whether the text is an address ([`super::direct`]) and not a name: names of Secrets have neither
/// `/` nor `:`.
pub fn is_address(text: &str) -> bool {
    text.contains(['/', ':'])
}

/// The destination that `NAME[/PATH]` means among those that are known: everything is below the path,
/// which is below the destination's own.
///
/// # Errors
/// As [`named`], and when the path is none.
pub fn chosen(known: &[Destination], text: &str) -> Result<Destination, Error> {
    let Some((name, path)) = text.split_once('/') else { return named(known, text) };
    let below = named(known, name)?.below(path);
    below.map_err(|source| Error::Address { address: text.to_owned(), source })
}

/// The registry of Control Tower that an address means, whose key the address is: as its documents
/// describe it, with the path of the address; `None` where they know none of exactly this spelling.
///
/// # Errors
/// When the path is none.
pub fn configured(
    known: &[Destination],
    address: &Destination,
) -> Result<Option<Destination>, Error> {
    let is_it = |known: &&Destination| {
        known.described.system == Some(System::Avassa) && known.written_host == address.written_host
    };
    let Some(found) = known.iter().find(is_it).cloned() else { return Ok(None) };
    let below = match &address.path {
        Some(path) => found.below(path.as_str()),
        None => Ok(found),
    };
    let bad = |source| Error::Address { address: address.name.clone(), source };
    below.map(Some).map_err(bad)
}

/// The destination of this name among those that are known.
///
/// # Errors
/// `bad export destination …` when there is none (with the names that exist), or it cannot be
/// used (with the reason).
pub fn named(known: &[Destination], name: &str) -> Result<Destination, Error> {
    let Some(found) = known.iter().find(|destination| destination.is_called(name)) else {
        let known = known.iter().map(|destination| destination.name.clone()).collect();
        return Err(Error::Unknown { name: name.to_owned(), known });
    };
    usable(found, name)?;
    Ok(found.clone())
}

/// Refuses a destination that cannot be used, by the name that it was chosen by.
///
/// # Errors
/// `bad export destination …`, with the reason.
pub fn usable(destination: &Destination, name: &str) -> Result<(), Error> {
    match destination.fatal() {
        Some(problem) => {
            Err(Error::Unusable { name: name.to_owned(), reason: problem.text.clone() })
        }
        None => Ok(()),
    }
}

/// The destination that a reference begins with, as `team` in `team/web:1.0`, and the rest of it;
/// `None` where it begins with a host, or with something else.
///
/// # Errors
/// `bad export destination …` when that destination cannot be used.
pub fn leading<'t>(
    known: &[Destination],
    text: &'t str,
) -> Result<Option<(Destination, &'t str)>, Error> {
    let first = text.split_once('/').filter(|_| !begins_with_host(text));
    let found = first.filter(|(first, _)| known.iter().any(|known| known.is_called(first)));
    found.map(|(first, rest)| Ok((named(known, first)?, rest))).transpose()
}

/// The destination that a repository is below, the one with the longest path of several, and of those
/// the first.
pub fn holding<'d>(
    known: &'d [Destination],
    host: &Host,
    repository: &RepositoryName,
) -> Option<&'d Destination> {
    let path = |known: &Destination| known.path.as_ref().map_or("", RepositoryName::as_str).len();
    let is_below = |known: &&Destination| {
        let rest = match &known.path {
            Some(path) => repository.as_str().strip_prefix(path.as_str()),
            None => Some("/"),
        };
        known.host == *host && rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let usable = known.iter().filter(|known| known.fatal().is_none());
    // Of equals it is the last that `max_by_key` takes.
    usable.rev().filter(is_below).max_by_key(|known| path(known))
}

/// Refuses a destination to applications of a namespace that it does not allow.
///
/// # Errors
/// `bad export destination …`, which says so.
pub fn allow(destination: &Destination, namespace: &str) -> Result<(), Error> {
    let allowed = &destination.allowed_namespaces;
    if allowed.is_empty() || allowed.iter().any(|allowed| allowed == namespace) {
        return Ok(());
    }
    let (name, namespace) = (destination.name.clone(), namespace.to_owned());
    Err(Error::NotAllowed { name, namespace })
}

async fn read(
    reader: &dyn SecretReader,
    namespace: &str,
    found: &cluster::SecretObject,
) -> Result<Destination, Error> {
    let mut destination = secret::parse(found);
    if let Some(name) = destination.ca_secret.clone() {
        match reader.secret(namespace, &name).await {
            Ok(certs) => secret::add_roots(&mut destination, certs.as_ref()),
            Err(error @ cluster::Error::Forbidden { .. }) => {
                secret::roots_unreadable(&mut destination, &name, &error);
            }
            Err(error) => return Err(unreadable(namespace, error)),
        }
    }
    if let Some(name) = destination.delete_secret.clone() {
        match reader.secret(namespace, &name).await {
            Ok(found) => secret::add_deleting(&mut destination, found.as_ref()),
            Err(cluster::Error::Forbidden { .. }) => secret::add_deleting(&mut destination, None),
            Err(error) => return Err(unreadable(namespace, error)),
        }
    }
    Ok(destination)
}

fn unreadable(namespace: &str, source: cluster::Error) -> Error {
    Error::Unreadable { namespace: namespace.to_owned(), source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::direct::{Access, destination};

    #[test]
    fn a_repository_is_below_the_longest_path_and_of_equal_ones_the_first() {
        let known = |name: &str, address: &str| Destination {
            name: name.to_owned(),
            ..destination(address, &Access::default()).unwrap()
        };
        let all = [
            known("host", "r.example"),
            known("labelled", "r.example/team"),
            known("described", "r.example/team"),
        ];
        let found = |repository: &str| {
            let host = "r.example".parse().unwrap();
            holding(&all, &host, &repository.parse().unwrap()).map(|found| found.name.as_str())
        };
        assert_eq!(found("team/shop"), Some("labelled"));
        assert_eq!(found("teams/shop"), Some("host"));
    }
}
