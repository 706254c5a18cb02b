//! Secret values: apart from the objects, in a type that cannot be printed or serialised.

use std::collections::BTreeMap;

use secrecy::SecretSlice;
use serde::{Deserialize, Serialize};

/// What an export does with the values of Secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretsPolicy {
    /// Read none: the chart refers to Secrets that must exist where it is installed.
    #[default]
    Reference,
    /// Read the names of the keys: the chart asks for each value at install.
    Require,
    /// Put the values into the chart, encrypted.
    Encrypt,
    /// Put the values into the chart.
    Include,
}

/// Plaintext of Secrets by name (of the application's namespace) and key. Filled only under
/// [`SecretsPolicy::Encrypt`] and [`SecretsPolicy::Include`]; never serialised or printed.
#[derive(Clone, Debug, Default)]
pub struct SecretValues(pub BTreeMap<String, BTreeMap<String, SecretSlice<u8>>>);

/// What stands in a [`super::Snapshot`] in place of a Secret's value.
pub const REDACTED: &str = "redacted";
