//! Destinations as Epinio sees them: what its API shows of a Secret, and its words for what is wrong.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::cluster::SecretObject;
use crate::destination::secret::{DOCKER_CONFIG, EPINIO_LABEL, EPINIO_NAMESPACE};

/// Why Epinio takes a Secret for no destination, in its own words, which its users look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It has no label.
    #[error("marker label is missing")]
    LabelMissing,
    /// It has the label with another value.
    #[error("bad value for marker label")]
    LabelWrong,
    /// It has no annotation, which may be empty.
    #[error("bad url: missing annotation '{EPINIO_NAMESPACE}'")]
    NoAnnotation,
    /// It has no credentials.
    #[error("bad url: missing key `{DOCKER_CONFIG}`")]
    NoKey,
    /// They are not JSON.
    #[error("bad url: invalid JSON")]
    NoJson,
    /// They have no field `auths`.
    #[error("bad url: missing key `auths` in `{DOCKER_CONFIG}`")]
    NoAuths,
    /// They are for several registries.
    #[error("bad url: more than one url found in `auths` in `{DOCKER_CONFIG}`")]
    TooMany,
    /// They are for none.
    #[error("bad url: no url found in `auths` in `{DOCKER_CONFIG}`")]
    None,
}

/// Label that a Secret has which Epinio lists.
pub const LABEL: &str = EPINIO_LABEL;

/// The address that Epinio shows: the key of `auths` and the annotation as they are written.
///
/// # Errors
/// When Epinio would not list the Secret.
pub fn url(secret: &SecretObject) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Config {
        auths: Option<BTreeMap<String, IgnoredAny>>,
    }
    match secret.labels.get(EPINIO_LABEL).map(String::as_str) {
        Some("true") => {}
        Some(_) => return Err(Fault::LabelWrong),
        None => return Err(Fault::LabelMissing),
    }
    let path = secret.annotations.get(EPINIO_NAMESPACE).ok_or(Fault::NoAnnotation)?;
    let json = secret.data.get(DOCKER_CONFIG).ok_or(Fault::NoKey)?;
    let config: Config = serde_json::from_slice(json.expose_secret()).map_err(|_| Fault::NoJson)?;
    let mut keys = config.auths.ok_or(Fault::NoAuths)?.into_keys();
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(format!("{key}/{path}")),
        (Some(_), Some(_)) => Err(Fault::TooMany),
        (None, _) => Err(Fault::None),
    }
}
