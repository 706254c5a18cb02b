//! One row with all its fields, and without any secret.

use serde::Serialize;

use super::{Reported, Row};
use crate::app::Finding;
use crate::destination::iofog::username;

/// A row as `outhaul registry show` prints it. A field that its system does not have is left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownRow<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mirror: Option<&'r str>,
    #[serde(rename = "skipTLSVerify")]
    skip_tls_verify: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_public: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_secure: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_cert: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'r str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    username: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<ShownReport<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credentials: Vec<ShownRule<'r>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    findings: &'r [Finding],
}

#[derive(Debug, Serialize)]
struct ShownReport<'r> {
    reachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'r str>,
}

/// For which repositories a credential is, and what it is called.
#[derive(Debug, Serialize)]
struct ShownRule<'r> {
    repository: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Reported {
    fn shown(&self) -> ShownReport<'_> {
        ShownReport { reachable: self.reachable, error: self.error.as_deref() }
    }
}

impl Row {
    /// Everything but passwords, and but user names that are kept in a Secret.
    pub fn shown(&self) -> ShownRow<'_> {
        let rules = self.credentials.iter().map(|rule| ShownRule {
            repository: rule.scope.as_str(),
            secret: rule.secret.as_ref().map(ToString::to_string),
        });
        ShownRow {
            name: self.name.as_deref(),
            namespace: self.namespace.as_deref(),
            id: self.id,
            url: self.address.written(),
            path: self.path.as_deref(),
            mirror: self.mirror.as_deref(),
            skip_tls_verify: self.skip_tls_verify,
            is_public: self.is_public,
            is_secure: self.is_secure,
            requires_cert: self.requires_cert,
            certificate: self.ca.as_deref(),
            username: username(self),
            email: self.email.as_deref(),
            title: self.title.as_deref(),
            reported: self.reported.as_ref().map(Reported::shown),
            credentials: rules.collect(),
            findings: &self.findings,
        }
    }
}
