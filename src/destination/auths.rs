//! `.dockerconfigjson` of a destination's Secret: one entry, or the one that an annotation names.
//!
//! Only `auths` is looked at: a `credsStore` or `credHelpers` in a Secret would make us run a
//! program that someone else chose.

use super::Problem;
use crate::registry::credentials::{AuthEntry, DockerConfig};
use crate::registry::{Credential, Host, RepositoryName};

/// The registry that a destination means, and what proves who we are there.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key of `auths` as it is written.
    pub(super) key: String,
    /// Its host in one spelling.
    pub(super) host: Host,
    /// Its path, if it has one that is not an API's (`/v1/`).
    pub(super) path: Option<RepositoryName>,
    pub(super) credential: Credential,
}

/// What messages call the document.
const DOCUMENT: &str = "key `.dockerconfigjson`";

/// Largest document that is looked at; a Secret is limited to 1 MiB anyway.
const MAX_BYTES: usize = 1 << 20;

/// Chooses among the entries of `auths`: the one named by `chosen`, else the only one. Oddities
/// are added to `problems`.
///
/// # Errors
/// Why no entry can be used, in a sentence without any value.
pub(super) fn choose(
    json: &[u8],
    chosen: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Result<Entry, String> {
    if json.len() > MAX_BYTES {
        return Err(format!("{DOCUMENT} is larger than {} KiB", MAX_BYTES >> 10));
    }
    let config = DockerConfig::parse(json, DOCUMENT).map_err(|error| error.to_string())?;
    let entries = config.entries();
    if entries.is_empty() {
        return Err(format!("{DOCUMENT} has no entry in `auths`"));
    }
    let found: Vec<_> = entries.iter().filter(|e| chosen.is_none_or(|c| is(e, c))).collect();
    let Some(first) = found.first() else {
        let chosen = chosen.unwrap_or_default();
        let keys = keys(entries);
        return Err(format!(
            "{DOCUMENT} has no entry for `{chosen}`, which annotation outhaul.dev/registry names, but {keys}"
        ));
    };
    // Docker writes its own host under several spellings.
    if found.iter().any(|e| (&e.host, &e.prefix) != (&first.host, &first.prefix)) {
        let keys = keys(entries);
        return Err(format!(
            "{DOCUMENT} has several entries ({keys}); annotation outhaul.dev/registry must say which"
        ));
    }
    let usable = |entry: &&&AuthEntry| entry.problem.is_none() && !entry.credential.is_anonymous();
    entry(found.iter().find(usable).unwrap_or(first), problems)
}

fn entry(found: &AuthEntry, problems: &mut Vec<Problem>) -> Result<Entry, String> {
    let key = &found.key;
    let place = format!("{DOCUMENT}, entry `{key}`");
    if let Some(problem) = &found.problem {
        return Err(format!("{place}: {problem}"));
    }
    let Some(host) = found.host.clone() else {
        return Err(format!("{place}: the key is not the name of a host"));
    };
    let path = match found.prefix.as_str() {
        "" => None,
        path => Some(path.parse().map_err(|error| format!("{place}: {error}"))?),
    };
    let mut odd = |text: String| problems.push(Problem { fatal: false, text });
    if found.disagreement {
        odd(format!(
            "{place}: `auth` says something else than `username` and `password`, which are used"
        ));
    }
    if found.credential.is_anonymous() {
        odd(format!("{place}: there are no credentials, the registry is used without"));
    }
    Ok(Entry { key: key.clone(), host, path, credential: found.credential.clone() })
}

/// Whether the annotation means this entry: the same text, or the same host and path.
fn is(entry: &AuthEntry, chosen: &str) -> bool {
    let same_place = || {
        let host: Host = chosen.parse().ok()?;
        let (_, _, path) = super::address::split(chosen).ok()?;
        Some(entry.host.as_ref() == Some(&host) && entry.prefix == path.unwrap_or_default())
    };
    entry.key == chosen || same_place().unwrap_or(false)
}

fn keys(entries: &[AuthEntry]) -> String {
    entries.iter().map(|entry| format!("`{}`", entry.key)).collect::<Vec<_>>().join(", ")
}
