//! `config.json` of Docker, `auth.json` of Podman and `.dockerconfigjson` of Kubernetes.
//!
//! Read by hand from the JSON tree: a typed parser's messages repeat the values they stumble
//! over, and those are passwords here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::super::{Error, Host, RepositoryName};
use super::{Credential, candidates, canonical, helper, join};

/// `config.json` of Docker and its kin.
#[derive(Clone, Debug, Default)]
pub struct DockerConfig {
    auths: Vec<AuthEntry>,
    /// Host as written → name of the helper.
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

/// One entry of `auths`.
#[derive(Clone, Debug)]
pub struct AuthEntry {
    /// The key as written.
    pub key: String,
    /// The host that it names; unset if it names none.
    pub host: Option<Host>,
    /// The repository prefix that it is limited to; may be empty.
    pub prefix: String,
    /// What it holds; anonymous where it is empty or unusable.
    pub credential: Credential,
    /// `username`/`password` say something else than `auth`. They win.
    pub disagreement: bool,
    /// Why the entry cannot be used.
    pub problem: Option<String>,
}

/// Largest configuration that is read: the most that a Kubernetes Secret may hold, and far more
/// than the configuration of any workstation.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

impl DockerConfig {
    /// What Docker and Podman would use here: `$DOCKER_CONFIG/config.json` or
    /// `~/.docker/config.json`, then `$REGISTRY_AUTH_FILE`, then
    /// `$XDG_RUNTIME_DIR/containers/auth.json`. The first entry for a host wins; a file that does
    /// not exist is empty.
    ///
    /// # Errors
    /// When a file exists and cannot be read or is not JSON.
    pub fn load_default() -> Result<Self, Error> {
        Self::load(&default_paths(|name| env::var_os(name).map(PathBuf::from)))
    }

    /// As [`Self::load_default`], from these files.
    ///
    /// # Errors
    /// As [`Self::load_default`].
    pub fn load(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut all = Self::default();
        for path in paths {
            if let Some(bytes) = read(path)? {
                all.append(Self::parse(&bytes, &path.display().to_string())?);
            }
        }
        Ok(all)
    }

    /// Parses the document; `origin_name` is what messages call it. An entry that cannot be used
    /// is kept with its problem and fails only when it is needed.
    ///
    /// # Errors
    /// When it is not a JSON object, or `auths` is none.
    pub fn parse(bytes: &[u8], origin_name: &str) -> Result<Self, Error> {
        let bad = |reason: String| Error::Configuration { what: origin_name.to_owned(), reason };
        let root: Value = serde_json::from_slice(bytes).map_err(|error| {
            bad(format!("no valid JSON at line {} column {}", error.line(), error.column()))
        })?;
        let Value::Object(root) = root else { return Err(bad("no JSON object".to_owned())) };
        let auths = match root.get("auths") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(map)) => map.iter().map(|(k, v)| AuthEntry::parse(k, v)).collect(),
            Some(_) => return Err(bad("`auths` is not an object".to_owned())),
        };
        let helpers = root.get("credHelpers").and_then(Value::as_object);
        let helpers = helpers.into_iter().flatten().filter_map(|(host, name)| {
            Some((host.clone(), name.as_str().filter(|name| !name.is_empty())?.to_owned()))
        });
        let store = root.get("credsStore").and_then(Value::as_str).filter(|name| !name.is_empty());
        Ok(Self { auths, helpers: helpers.collect(), store: store.map(str::to_owned) })
    }

    /// All entries of `auths` in their order, the unusable ones included.
    pub fn entries(&self) -> &[AuthEntry] {
        &self.auths
    }

    fn append(&mut self, later: Self) {
        self.auths.extend(later.auths);
        for (host, name) in later.helpers {
            self.helpers.entry(host).or_insert(name);
        }
        self.store = self.store.take().or(later.store);
    }

    /// A helper for the host, else the entry with the longest prefix, else the store of all
    /// hosts. (Docker asks its store before `auths`, which it then leaves empty; an entry that
    /// does hold something was put there by someone.)
    pub(super) async fn resolve(
        &self,
        host: &Host,
        repository: Option<&RepositoryName>,
    ) -> Result<Credential, Error> {
        let named =
            self.helpers.iter().find(|(key, _)| key.parse().is_ok_and(|k: Host| k == *host));
        if let Some((key, name)) = named {
            return helper::get(name, key).await;
        }
        for key in candidates(host, repository) {
            let matching = self.auths.iter().filter(|entry| entry.matches(&key));
            for entry in matching {
                match &entry.problem {
                    Some(problem) => return Err(entry.unusable(problem)),
                    None if entry.credential.is_anonymous() => {}
                    None => return Ok(entry.credential.clone()),
                }
            }
        }
        match &self.store {
            Some(name) => helper::get(name, helper::server_url(host)).await,
            None => Ok(Credential::Anonymous),
        }
    }
}

impl AuthEntry {
    fn parse(key: &str, value: &Value) -> Self {
        let place = canonical(key);
        let (credential, disagreement, problem) = match credential(value) {
            Ok((credential, disagreement)) => (credential, disagreement, None),
            Err(problem) => (Credential::Anonymous, false, Some(problem)),
        };
        let no_host = || place.is_none().then(|| "the key is not the name of a host".to_owned());
        let problem = problem.or_else(no_host);
        let (host, prefix) = place.map_or((None, String::new()), |(h, p)| (Some(h), p));
        Self { key: key.to_owned(), host, prefix, credential, disagreement, problem }
    }

    fn matches(&self, key: &str) -> bool {
        self.host.as_ref().is_some_and(|host| join(host, &self.prefix) == key)
    }

    fn unusable(&self, problem: &str) -> Error {
        let what = format!("the Docker configuration's entry for `{}`", self.key);
        Error::Configuration { what, reason: problem.to_owned() }
    }
}

/// The credential of one entry, and whether two of its fields disagree.
fn credential(value: &Value) -> Result<(Credential, bool), String> {
    let Value::Object(fields) = value else { return Err("it is not an object".to_owned()) };
    if let Some(token) = text(fields, "registrytoken")? {
        return Ok((Credential::RegistryToken(token.into()), false));
    }
    if let Some(token) = text(fields, "identitytoken")? {
        return Ok((Credential::IdentityToken(token.into()), false));
    }
    let packed = text(fields, "auth")?.map(unpack);
    match (text(fields, "username")?, text(fields, "password")?) {
        (Some(username), Some(password)) => {
            let same =
                |(u, p): (String, SecretString)| u == username && p.expose_secret() == password;
            let disagreement = packed.is_some_and(|packed| !packed.is_ok_and(same));
            Ok((Credential::basic(username, password), disagreement))
        }
        (username, password) => match packed.transpose()? {
            Some((user, packed)) => {
                let disagreement = username.is_some_and(|username| username != user)
                    || password.is_some_and(|password| password != packed.expose_secret());
                Ok((Credential::Basic { username: user, password: packed }, disagreement))
            }
            None if username.is_some() => Err("it has a user name without a password".to_owned()),
            None if password.is_some() => Err("it has a password without a user name".to_owned()),
            None => Ok((Credential::Anonymous, false)),
        },
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("`{name}` is not text")),
    }
}

/// `auth`: base64 of `user:password`. The password may hold colons and newlines (the JSON keys
/// of Google do), so the first colon divides (testcontainers/testcontainers-java#1492).
fn unpack(auth: &str) -> Result<(String, SecretString), String> {
    let bare: String = auth.chars().filter(|c| !c.is_ascii_whitespace() && *c != '=').collect();
    let bytes = STANDARD_NO_PAD.decode(bare).map_err(|_| "`auth` is not base64".to_owned())?;
    let plain = String::from_utf8(bytes).map_err(|_| "`auth` is not text".to_owned())?;
    let (user, password) =
        plain.split_once(':').ok_or("`auth` has no colon between user and password")?;
    // As Docker: old credential stores padded with NUL (`cli/config/configfile`, `decodeAuth`).
    Ok((user.to_owned(), password.trim_matches('\0').into()))
}

fn default_paths(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| !path.as_os_str().is_empty());
    let docker = set("DOCKER_CONFIG").or_else(|| set("HOME").map(|home| home.join(".docker")));
    let podman = set("XDG_RUNTIME_DIR").map(|dir| dir.join("containers/auth.json"));
    let docker = docker.map(|dir| dir.join("config.json"));
    [docker, set("REGISTRY_AUTH_FILE"), podman].into_iter().flatten().collect()
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = |source: io::Error| Error::File { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file(error)),
        Ok(about) if about.len() > MAX_CONFIG_BYTES => Err(Error::Configuration {
            what: path.display().to_string(),
            reason: format!("it is larger than {MAX_CONFIG_BYTES} bytes"),
        }),
        Ok(_) => std::fs::read(path).map(Some).map_err(file),
    }
}

#[cfg(test)]
#[path = "docker_tests.rs"]
mod tests;
