//! Where a system would read an image, and as whom.

use serde::Serialize;

use super::{Image, Registries, Row, Rule, Scope, System};
use crate::app::Finding;
use crate::destination::{avassa, eda, epinio, iofog};

/// Where an image is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolved {
    /// `host[:port]` that is asked.
    pub address: String,
    /// Without TLS.
    pub plain_http: bool,
    /// The repository there.
    pub repository: String,
    /// The tag or digest.
    pub version: String,
    /// As whom.
    pub credential: CredentialUse,
    /// What is odd about it.
    pub findings: Vec<Finding>,
}

/// A credential by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialUse {
    /// None.
    Anonymous,
    /// The one with this name; its value is never shown.
    Named(String),
}

/// Why the system would not read an image at all.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} does not read `{image}` from any registry: {reason}", .system.title())]
pub struct Unresolved {
    /// Which system.
    pub system: System,
    /// The image.
    pub image: String,
    /// Why not.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

/// Finds the address, the repository and the credential by the rules of the system. `registry` is
/// the row that an application names, which only ioFog has.
///
/// # Errors
/// When the system would not know where to read it.
pub fn resolve(
    system: System,
    registries: &Registries,
    image: &str,
    registry: Option<&str>,
) -> Result<Resolved, Unresolved> {
    match system {
        System::Epinio => epinio::resolve(registries, image),
        System::Eda => eda::resolve(registries, image),
        System::Avassa => avassa::resolve(registries, image),
        System::Iofog | System::Edgelet => iofog::resolve(system, registries, image, registry),
    }
}

impl Resolved {
    /// The image at an address without credential.
    pub(crate) fn at(address: &str, repository: &str, image: &Image<'_>) -> Self {
        Self {
            address: address.to_owned(),
            plain_http: false,
            repository: repository.to_owned(),
            version: image.version().to_owned(),
            credential: CredentialUse::Anonymous,
            findings: Vec::new(),
        }
    }

    /// The same with the credential of a row.
    #[must_use]
    pub(crate) fn with_rule(mut self, row: &Row, rule: Option<&Rule>) -> Self {
        if let Some(rule) = rule {
            let name = rule.secret.as_ref().map(ToString::to_string);
            self.credential = CredentialUse::Named(name.unwrap_or_else(|| row.object().name));
        }
        self
    }
}

/// The rule for a repository: the longest prefix of whole segments, else `*`
/// (Avassa, "Registry and Images", remote registry credentials).
pub(crate) fn rule_for<'r>(row: &'r Row, repository: &str) -> Option<&'r Rule> {
    let length = |rule: &Rule| match &rule.scope {
        Scope::All => Some(0),
        Scope::Below(prefix) => {
            let rest = repository.strip_prefix(prefix.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some(prefix.len())
        }
    };
    let matching = row.used().iter().filter_map(|rule| Some((length(rule)?, rule)));
    matching.max_by_key(|(length, _)| *length).map(|(_, rule)| rule)
}
