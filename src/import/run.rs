//! Carries an import out: namespace, pull secret, encrypted Secrets, and then helm does the rest.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::helm::{Release, flag};
use super::{Error, Helm, Request, sealed};
use crate::chart;
use crate::cluster::Live;
use crate::export::PublishedChart;
use crate::registry::{Credential, Host, Keychain, Reference, RepositoryName};

/// Type and key of pull secrets (kubernetes, `pkg/apis/core/types.go`).
const DOCKER_CONFIG: (&str, &str) = ("kubernetes.io/dockerconfigjson", ".dockerconfigjson");

/// Whose credentials a pull secret is made of.
#[derive(Clone, Debug)]
pub struct Pull {
    /// Where they are found.
    pub keychain: Keychain,
    /// The images' repositories.
    pub repositories: Vec<(Host, RepositoryName)>,
}

impl Pull {
    /// The credentials for the images of a chart of ours; for none, if it is not.
    pub fn new(chart: &PublishedChart, keychain: Keychain) -> Self {
        let images = chart::images(&chart.chart).unwrap_or_default();
        let references = images.iter().filter_map(|image| {
            let text = format!("{}/{}@{}", image.registry, image.repository, image.digest);
            text.parse::<Reference>().ok()
        });
        let mut repositories: Vec<_> = references.map(|of| (of.host, of.repository)).collect();
        repositories.sort();
        repositories.dedup();
        Self { keychain, repositories }
    }
}

/// Installs the chart in `archive`. What the cluster lacks was looked at before, or is not asked.
/// Every line that helm says goes to `say`.
///
/// # Errors
/// When the cluster refuses the namespace or a Secret, there are no credentials for that, or
/// helm fails. What was made until then stays, as helm leaves it.
pub async fn run(
    request: &Request,
    archive: &Path,
    helm: &Helm,
    live: &Live,
    pull: &Pull,
    say: &(dyn Fn(&str) + Sync),
) -> Result<(), Error> {
    let mut values = Vec::new();
    // Found before anything is made.
    let config = match &request.pull_secret {
        Some(name) => {
            values.extend(flag("--set", format!("imagePullSecrets[0]={name}")));
            Some(docker_config(pull).await?)
        }
        None => None,
    };
    if request.create_namespace {
        live.create_namespace(&request.namespace).await?;
    }
    if let (Some(name), Some(config)) = (&request.pull_secret, &config) {
        let (secret_type, key) = DOCKER_CONFIG;
        live.apply_secret(&request.namespace, name, secret_type, (key, config)).await?;
    }
    sealed::bring(request, live, say).await?;
    values.extend(request.values.iter().cloned());
    let further: Vec<OsString> = request.further.clone();
    let (name, namespace) = (&*request.release, &*request.namespace);
    let release = Release { name, namespace, chart: archive, values: &values };
    helm.install(release, &further, say).await
}

/// Makes the pull secret alone, if one is asked for.
pub(super) async fn pull_secret(request: &Request, live: &Live, pull: &Pull) -> Result<(), Error> {
    let Some(name) = &request.pull_secret else { return Ok(()) };
    let (config, (secret_type, key)) = (docker_config(pull).await?, DOCKER_CONFIG);
    Ok(live.apply_secret(&request.namespace, name, secret_type, (key, &config)).await?)
}

/// A Docker configuration with the credentials for these repositories and no others.
async fn docker_config(pull: &Pull) -> Result<SecretString, Error> {
    let mut auths = BTreeMap::new();
    for (host, repository) in &pull.repositories {
        let credential = pull.keychain.resolve(host, repository).await?;
        let entry = entry(&credential).ok_or_else(|| Error::NoCredentials(host.to_string()))?;
        auths.insert(host.to_string(), entry);
    }
    if auths.is_empty() {
        return Err(Error::NoCredentials("any image of the chart".to_owned()));
    }
    let auths: Map<String, Value> = auths.into_iter().collect();
    Ok(SecretString::from(json!({"auths": auths}).to_string()))
}

/// An entry of `auths`; `None` where there is nothing to send.
fn entry(credential: &Credential) -> Option<Value> {
    Some(match credential {
        Credential::Anonymous => return None,
        Credential::Basic { username, password } => {
            let pair = format!("{username}:{}", password.expose_secret());
            json!({"auth": STANDARD.encode(pair)})
        }
        Credential::IdentityToken(token) => json!({"identitytoken": token.expose_secret()}),
        Credential::RegistryToken(token) => json!({"registrytoken": token.expose_secret()}),
    })
}
