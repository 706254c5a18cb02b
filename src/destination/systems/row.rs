//! The model between the systems: a registry as a row with every field that one of them has.

use std::fmt;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Address, Unknown};
use crate::app::{Finding, ObjectId};

/// All registries of one description.
#[derive(Clone, Debug, Default)]
pub struct Registries {
    /// In the order of the documents.
    pub rows: Vec<Row>,
    /// Where images without a host are read: Avassa's `default-remote-registry`.
    pub default_address: Option<String>,
}

/// One registry. A field that its system does not have is unset.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Name of the Secret (Epinio) or the Registry (EDA).
    pub name: Option<String>,
    /// Namespace of that object.
    pub namespace: Option<String>,
    /// Number of the row (ioFog).
    pub id: Option<u32>,
    /// Where it is.
    pub address: Address,
    /// Path before all repositories (Epinio's annotation `registry-namespace`).
    pub path: Option<String>,
    /// Host that the system reads from in place of the address (EDA's `mirror`, Avassa's
    /// `override-address`).
    pub mirror: Option<String>,
    /// Certificates are not verified.
    pub skip_tls_verify: bool,
    /// Certificates in PEM, as written.
    pub ca: Option<String>,
    /// Name of the Secret with them (Epinio's key `certs`).
    pub ca_secret: Option<String>,
    /// ioFog's `isPublic`: credentials are not used.
    pub is_public: Option<bool>,
    /// ioFog's `isSecure`, which nothing reads.
    pub is_secure: Option<bool>,
    /// ioFog's `requiresCert`, which nothing reads.
    pub requires_cert: Option<bool>,
    /// E-mail address of the account (ioFog).
    pub email: Option<String>,
    /// EDA's `title`, our `description`.
    pub title: Option<String>,
    /// What the system itself last said of it.
    pub reported: Option<Reported>,
    /// Who we are there, by repository.
    pub credentials: Vec<Rule>,
    /// Fields that we do not know.
    pub unknown: Unknown,
    /// What its reader found odd about it, which is among the findings of all as well.
    pub findings: Vec<Finding>,
}

/// What a system's `status` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reported {
    /// It could reach the registry.
    pub reachable: bool,
    /// Its error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A credential and the repositories that it is for.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which repositories.
    pub scope: Scope,
    /// Where it is kept, if it has a name.
    pub secret: Option<SecretName>,
    /// What it says, as far as it was read.
    pub login: Option<Login>,
}

/// Repositories of a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All that no other rule is for: `*`.
    All,
    /// This one and those below it.
    Below(String),
}

/// The name of a credential, which may be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretName {
    /// The vault (Avassa).
    pub vault: Option<String>,
    /// The Secret in it, or in the namespace.
    pub name: String,
}

/// User name and password, each if it is known.
#[derive(Clone, Debug, Default)]
pub struct Login {
    /// The user name.
    pub username: Username,
    /// Password or token.
    pub password: Option<SecretString>,
}

/// A user name.
#[derive(Clone, Debug, Default)]
pub enum Username {
    /// It was not read, or a placeholder stands there.
    #[default]
    Unknown,
    /// It stands in the open, as ioFog shows it.
    Shown(String),
    /// It is kept in a Secret.
    Hidden(SecretString),
    /// There is none: the password is a token.
    Token,
}

impl Registries {
    /// One row, and nothing else.
    pub fn one(row: Row) -> Self {
        Self { rows: vec![row], default_address: None }
    }
}

impl Row {
    /// Reads a row, and keeps what is found on the way in it as well.
    pub(crate) fn noting(
        findings: &mut Vec<Finding>,
        read: impl FnOnce(&mut Vec<Finding>) -> Self,
    ) -> Self {
        let before = findings.len();
        let row = read(findings);
        Self { findings: findings[before..].to_vec(), ..row }
    }

    /// Whether the address can be used.
    pub fn is_usable(&self) -> bool {
        !self.address.host.is_empty()
    }

    /// Whether the row is ioFog's cache, and no registry.
    pub fn is_cache(&self) -> bool {
        self.address.host == crate::destination::iofog::FROM_CACHE
    }

    /// The rules that its system uses: none of a row that says it is public.
    pub fn used(&self) -> &[Rule] {
        if self.is_public == Some(true) { &[] } else { &self.credentials }
    }

    /// The rule for all repositories.
    pub fn general(&self) -> Option<&Rule> {
        self.used().iter().find(|rule| rule.scope == Scope::All)
    }

    /// What findings about it call it.
    pub fn object(&self) -> ObjectId {
        let named = self.name.clone().or_else(|| self.id.map(|id| id.to_string()));
        let name = named.unwrap_or_else(|| self.address.host.clone());
        ObjectId {
            group: String::new(),
            kind: "Registry".to_owned(),
            namespace: self.namespace.clone(),
            name,
        }
    }
}

impl Login {
    /// Whether there is nothing to fill in where secrets are written.
    pub fn is_known(login: Option<&Self>) -> bool {
        let named = |login: &Self| !matches!(login.username, Username::Unknown);
        login.is_some_and(|login| login.password.is_some() && named(login))
    }
}

impl Scope {
    /// As Avassa writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::All => "*",
            Self::Below(prefix) => prefix,
        }
    }
}

impl fmt::Display for SecretName {
    /// `vault/<vault>/secrets/<secret>`, the path that Avassa's page has, or the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.vault {
            Some(vault) => write!(f, "vault/{vault}/secrets/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
