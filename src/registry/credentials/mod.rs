//! Credentials: what may be sent to a registry, and where it is found.

mod docker;
mod helper;

use std::collections::BTreeMap;

use secrecy::SecretString;

pub use docker::{AuthEntry, DockerConfig};

use super::{Error, Host, RepositoryName};

/// What proves who we are to a registry. Cannot be printed.
#[derive(Clone, Debug, Default)]
pub enum Credential {
    /// Nothing.
    #[default]
    Anonymous,
    /// User name and password.
    Basic {
        /// User name; may have any form (`robot$x`, `_json_key`, `AWS`).
        username: String,
        /// Password or token.
        password: SecretString,
    },
    /// An OAuth2 refresh token (`identitytoken` of a Docker config).
    IdentityToken(SecretString),
    /// A bearer token to send as it is (`registrytoken`).
    RegistryToken(SecretString),
}

/// Credentials by host and repository prefix, with Docker's configuration and credential helpers
/// behind the explicit ones.
#[derive(Clone, Debug, Default)]
pub struct Keychain {
    /// `host` or `host/path/prefix` (canonical host) → credential; the longest prefix on path
    /// segments wins.
    explicit: BTreeMap<String, Credential>,
    /// What the Docker configuration says, if it is to be asked.
    docker: Option<DockerConfig>,
}

impl Credential {
    /// User name and password.
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic { username: username.into(), password: password.into().into() }
    }

    /// The user name, which for a token is what Docker writes in its place; `None` where nothing
    /// is sent.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Basic { username, .. } => Some(username),
            Self::IdentityToken(_) | Self::RegistryToken(_) => Some(helper::TOKEN_USER),
        }
    }

    /// Whether nothing is sent.
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

impl Keychain {
    /// No credentials at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a credential for a host or a `host/path/prefix` in any spelling that [`Host`] takes.
    #[must_use]
    pub fn with(mut self, host_or_prefix: &str, credential: Credential) -> Self {
        let key = canonical(host_or_prefix).map_or_else(
            || host_or_prefix.to_owned(), // no host, so it will never match
            |(host, prefix)| join(&host, &prefix),
        );
        self.explicit.insert(key, credential);
        self
    }

    /// Adds a credential for the repositories of a host that are below `prefix`, itself included.
    #[must_use]
    pub fn with_prefix(
        mut self,
        host: &Host,
        prefix: &RepositoryName,
        credential: Credential,
    ) -> Self {
        self.explicit.insert(join(host, prefix.as_str()), credential);
        self
    }

    /// Whether there is nothing in it at all.
    pub fn is_empty(&self) -> bool {
        self.explicit.is_empty() && self.docker.is_none()
    }

    /// Asks this configuration where no explicit credential matches.
    #[must_use]
    pub fn with_docker_config(mut self, config: DockerConfig) -> Self {
        self.docker = Some(config);
        self
    }

    /// The credential for a repository: the explicit one with the longest matching prefix, else
    /// what the Docker configuration and its helpers say, else anonymous.
    ///
    /// # Errors
    /// When a credential helper fails, or the entry that matches cannot be used.
    pub async fn resolve(
        &self,
        host: &Host,
        repository: &RepositoryName,
    ) -> Result<Credential, Error> {
        self.find(host, Some(repository)).await
    }

    /// The credential for the host as a whole.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub async fn resolve_host(&self, host: &Host) -> Result<Credential, Error> {
        self.find(host, None).await
    }

    async fn find(
        &self,
        host: &Host,
        repository: Option<&RepositoryName>,
    ) -> Result<Credential, Error> {
        for key in candidates(host, repository) {
            if let Some(credential) = self.explicit.get(&key) {
                return Ok(credential.clone());
            }
        }
        match &self.docker {
            Some(config) => config.resolve(host, repository).await,
            None => Ok(Credential::Anonymous),
        }
    }
}

/// Canonical host and path prefix (without slashes at its ends) of a key as people write it:
/// with a scheme, with `/v1/` or `/v2/` behind the host, with a path of a repository.
fn canonical(key: &str) -> Option<(Host, String)> {
    let host: Host = key.parse().ok()?;
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path).trim_matches('/');
    let prefix = if matches!(path, "v1" | "v2") { "" } else { path };
    Some((host, prefix.to_owned()))
}

fn join(host: &Host, prefix: &str) -> String {
    if prefix.is_empty() { host.as_str().to_owned() } else { format!("{host}/{prefix}") }
}

/// The keys that match a repository, the most specific one first.
fn candidates(host: &Host, repository: Option<&RepositoryName>) -> Vec<String> {
    let path = repository.map_or("", RepositoryName::as_str);
    let mut keys = vec![join(host, path)];
    let mut rest = path;
    while let Some((parent, _)) = rest.rsplit_once('/') {
        keys.push(join(host, parent));
        rest = parent;
    }
    if !path.is_empty() {
        keys.push(host.as_str().to_owned());
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn user(keychain: &Keychain, host: &str, repository: &str) -> Option<String> {
        let (host, repository) = (host.parse().unwrap(), repository.parse().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let credential = runtime.block_on(keychain.resolve(&host, &repository)).unwrap();
        credential.user().map(str::to_owned)
    }

    #[test]
    fn the_longest_prefix_of_whole_segments_wins() {
        let keychain = Keychain::new()
            .with("reg.example", Credential::basic("host", "1"))
            .with("https://REG.example/team/", Credential::basic("team", "2"))
            .with("reg.example/team/a/b", Credential::basic("deep", "3"));
        for (repository, expected) in [
            ("x", "host"),
            ("team", "team"),
            ("team/a", "team"),
            ("teams/a", "host"),
            ("team/a/b/c", "deep"),
        ] {
            assert_eq!(user(&keychain, "reg.example", repository).as_deref(), Some(expected));
        }
        assert_eq!(user(&keychain, "other.example", "x"), None);
    }

    #[test]
    fn docker_hub_is_one_host_here_too() {
        let keychain =
            Keychain::new().with("https://index.docker.io/v1/", Credential::basic("u", "p"));
        assert_eq!(
            user(&keychain, "registry.hub.docker.com", "library/nginx").as_deref(),
            Some("u")
        );
    }

    #[test]
    fn nothing_prints_a_password() {
        let keychain = Keychain::new().with("a.b", Credential::basic("u", "hunter2"));
        assert!(!format!("{keychain:?}").contains("hunter2"));
        let Credential::Basic { password, .. } = Credential::basic("u", "hunter2") else {
            panic!()
        };
        assert_eq!(password.expose_secret(), "hunter2");
    }
}
