//! One model for every way in which a registry is described.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::Recipient;
use crate::registry::{Endpoint, Host, Keychain, RepositoryName};

/// Host of a destination whose own is not known (RFC 2606, never resolves).
pub(super) const NO_HOST: &str = "unknown.invalid";

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

    /// `host[:port][/path]`, as it is pushed to; empty where the host is not known.
    pub fn address(&self) -> String {
        if self.host.as_str() == NO_HOST {
            return String::new();
        }
        join(self.host.as_str(), self.path.as_ref().map(RepositoryName::as_str))
    }

    /// `host[:port][/path]` as charts refer to it.
    pub fn pull_address(&self) -> String {
        self.pull_address.clone().unwrap_or_else(|| self.address())
    }
}

fn known_host<S: Serializer>(host: &Host, serializer: S) -> Result<S::Ok, S::Error> {
    Some(host).filter(|host| host.as_str() != NO_HOST).serialize(serializer)
}

pub(super) fn join(host: &str, path: Option<&str>) -> String {
    path.map_or_else(|| host.to_owned(), |path| format!("{host}/{path}"))
}
