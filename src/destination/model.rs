//! One model for every way in which a registry is described.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::Recipient;
use super::systems::{Reported, System};
use crate::registry::credentials::DockerConfig;
use crate::registry::reference::InvalidReference;
use crate::registry::{Endpoint, Host, Keychain, RepositoryName};

/// A registry namespace that exports may go to.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Destination {
    /// Its name: the Secret's, or the address where it was given directly.
    pub name: String,
    /// Host as its owner spelled it (for documents), without scheme.
    pub written_host: String,
    /// Host and port in one spelling; a placeholder where it is not known, written as none.
    #[serde(serialize_with = "known_host")]
    #[schemars(with = "Option<Host>")]
    pub host: Host,
    /// Path prefix of all repositories, which may be nested; `None` where there is none.
    pub path: Option<RepositoryName>,
    /// What charts refer to, when that is not the push address: `host[:port][/path]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_address: Option<String>,
    /// Namespaces of applications that may use it; empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_namespaces: Vec<String>,
    /// For whom Secrets are encrypted that go there, if an export does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub age_recipients: Vec<Recipient>,
    /// What its owner says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Name of the Secret that holds further roots, if one is named: for error messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_secret: Option<String>,
    /// Name of the Secret with the credentials for deleting, if one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_secret: Option<String>,
    /// What another system says besides, where one describes it: never to a server, so that its API knows
    /// nothing of it.
    #[serde(flatten)]
    #[schemars(skip)]
    pub described: Described,
    /// Why it cannot be used, or what is odd about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// How to speak to it.
    #[serde(skip)]
    pub endpoint: Endpoint,
    /// Its credentials.
    #[serde(skip)]
    pub keychain: Keychain,
    /// Its credentials for deleting; `None`: the same.
    #[serde(skip)]
    pub deleting: Option<Keychain>,
}

/// What a system that is not ours says of a destination, and has no place of its own in it. Nothing for
/// labelled Secrets and addresses.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Described {
    /// Which system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<System>,
    /// What the system calls it besides: `remote` and `local` of ioFog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Host that the system's own store reads from in place of the destination's. We neither read there
    /// nor push, and charts keep the destination's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<String>,
    /// What the system itself last said of the registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
}

/// Something wrong with the description of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DestinationProblem")]
pub struct Problem {
    /// Whether it prevents use.
    pub fatal: bool,
    /// What is wrong, in a sentence that names Secret and key, never a value.
    pub text: String,
}

impl Destination {
    /// The first problem that prevents use.
    pub fn fatal(&self) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.fatal)
    }

    /// Asks this configuration where it has no credentials itself. Who describes a destination does not
    /// decide that credentials of somebody else go to it without TLS, or to whoever answers: there it is
    /// not asked, but on this machine.
    pub fn ask_docker(&mut self, docker: &DockerConfig) {
        let Endpoint { host, plain_http, tls, .. } = &self.endpoint;
        if host.is_loopback() || !(*plain_http || tls.skip_verify) {
            let keychain = std::mem::take(&mut self.keychain);
            self.keychain = keychain.with_docker_config(docker.clone());
        }
    }

    /// Whether it has this name, or its system calls it so.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.described.alias.as_deref() == Some(name)
    }

    /// The same with everything below `path`, which is below its own.
    ///
    /// # Errors
    /// When the path is none.
    pub fn below(mut self, path: &str) -> Result<Self, InvalidReference> {
        let path: RepositoryName = path.trim_matches('/').parse()?;
        self.pull_address = self.pull_address.map(|address| join(&address, Some(path.as_str())));
        self.name = join(&self.name, Some(path.as_str()));
        self.path = Some(path.under(self.path.as_ref())?);
        Ok(self)
    }

    /// `host[:port][/path]`, as it is pushed to; empty where the host is not known.
    pub fn address(&self) -> String {
        if self.host == Host::unknown() {
            return String::new();
        }
        join(self.host.as_str(), self.path.as_ref().map(RepositoryName::as_str))
    }

    /// `host[:port][/path]` as documents of other systems refer to it: they compare hosts letter for
    /// letter, so the host is as its owner spells it.
    pub fn written_address(&self) -> String {
        let own = || join(&self.written_host, self.path.as_ref().map(RepositoryName::as_str));
        self.pull_address.clone().unwrap_or_else(own)
    }

    /// `host[:port][/path]` as charts refer to it.
    pub fn pull_address(&self) -> String {
        self.pull_address.clone().unwrap_or_else(|| self.address())
    }
}

fn known_host<S: Serializer>(host: &Host, serializer: S) -> Result<S::Ok, S::Error> {
    Some(host).filter(|host| **host != Host::unknown()).serialize(serializer)
}

pub(super) fn join(host: &str, path: Option<&str>) -> String {
    path.map_or_else(|| host.to_owned(), |path| format!("{host}/{path}"))
}
