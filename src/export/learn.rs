//! What Secrets of a cluster say of registries that images are read from: Epinio's own registry,
//! and the pull secrets of the application, where the user lets them be used.

use std::fmt;

use secrecy::ExposeSecret as _;

use crate::app::{App, Code, Finding, FoundBy, ImageUse};
use crate::cluster::{self, SecretObject, SecretReader};
use crate::destination::select::SYSTEM_NAMESPACES;
use crate::registry::credentials::{AuthEntry, DockerConfig};
use crate::registry::{Credential, Host, Reference};

use super::mapping::Mapping;
use super::{Error, Sources};

/// Epinio's Secret for its own registry, with an entry for each address of it: the one that clients
/// use, and the one by which nodes pull.
const EPINIO_REGISTRY: &str = "registry-creds";

/// Key of a pull secret.
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// Key of a pull secret of the old form: the entries alone.
const DOCKER_CFG: &str = ".dockercfg";

/// Where Secrets are read, and which.
pub struct ClusterSecrets {
    /// Reads them.
    pub reader: Box<dyn SecretReader>,
    /// Namespace of Epinio; `None`: where it usually is.
    pub system_namespace: Option<String>,
    /// What Epinio's credentials are used for.
    pub epinio: EpinioImages,
    /// Whether the application's pull secrets are used.
    pub pull_secrets: bool,
}

/// Which images of Epinio's registry are read with its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpinioImages {
    /// Every one, as whoever may read the credentials can.
    All,
    /// That of the exported Epinio application, `…/<namespace>-<application>`: anybody can write the
    /// address of another one into a pod.
    Own,
}

/// Images that are read, and whose they are.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// Namespace of the application.
    pub namespace: &'a str,
    /// The application, if it is Epinio's.
    pub epinio_app: Option<&'a str>,
    /// The images.
    pub images: &'a [ImageUse],
    /// Names of its pull secrets.
    pub pull_secrets: &'a [String],
}

impl<'a> From<&'a App> for Images<'a> {
    fn from(app: &'a App) -> Self {
        Self {
            namespace: &app.namespace,
            epinio_app: (app.found_by == FoundBy::EpinioApp).then_some(&app.name),
            images: &app.images,
            pull_secrets: &app.pull_secrets,
        }
    }
}

impl fmt::Debug for ClusterSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterSecrets").field("pull_secrets", &self.pull_secrets).finish()
    }
}

/// Reads what `sources` may ask for the images of an application. Values of Secrets go into credentials, and
/// nowhere else.
///
/// # Errors
/// When a pull secret may not be read.
pub(super) async fn learn(sources: &Sources, images: Images<'_>) -> Result<Vec<Finding>, Error> {
    let Some(secrets) = &sources.secrets else { return Ok(Vec::new()) };
    let asked = |image: &ImageUse| is_unknown(sources, image.read_as()) || is_staged(images, image);
    if images.images.iter().any(asked) {
        epinio(sources, secrets, images).await;
    }
    match secrets.pull_secrets {
        true => pull_secrets(sources, secrets, images).await,
        false => Ok(Vec::new()),
    }
}

/// Whether Epinio may have built it, for whatever registry it keeps images in.
fn is_staged(of: Images<'_>, image: &ImageUse) -> bool {
    let name = of.epinio_app.map(|app| staged(of.namespace, app));
    let image = image.read_as().parse::<Reference>();
    name.is_some_and(|name| image.is_ok_and(|image| image.repository.last() == name))
}

/// What Epinio calls the repository of an application's own image.
fn staged(namespace: &str, app: &str) -> String {
    format!("{namespace}-{app}")
}

/// Whether nobody said where an in-cluster address is read.
fn is_unknown(sources: &Sources, image: &str) -> bool {
    image.parse::<Reference>().is_ok_and(|image| {
        image.host.is_in_cluster()
            && !sources.is_described(&image.host)
            && sources.mapped(&image).is_none()
    })
}

/// Epinio's registry is read by the address that reaches farthest. Those who may not read the Secret
/// do without.
async fn epinio(sources: &Sources, secrets: &ClusterSecrets, images: Images<'_>) {
    let usual: Vec<&str> = match &secrets.system_namespace {
        Some(namespace) => vec![namespace],
        None => SYSTEM_NAMESPACES.to_vec(),
    };
    for namespace in usual {
        match secrets.reader.secret(namespace, EPINIO_REGISTRY).await {
            Ok(Some(secret)) => {
                let entries = entries(&secret).unwrap_or_default();
                let (aliases, all) = (aliases(&entries), credentials(&entries));
                let usable = match secrets.epinio {
                    EpinioImages::All => all,
                    EpinioImages::Own => own(images, &aliases, &entries),
                };
                sources.learn(aliases, usable);
                return;
            }
            Ok(None) => {}
            Err(error) => tracing::debug!("Secret {namespace}/{EPINIO_REGISTRY}: {error}"),
        }
    }
}

/// Every address that does not reach as far as another one of the same registry.
fn aliases(entries: &[AuthEntry]) -> Vec<Mapping> {
    let reach = |host: &&Host| (host.is_in_cluster(), host.is_loopback());
    let hosts = || entries.iter().filter_map(|entry| entry.host.as_ref());
    let Some(best) = hosts().min_by_key(reach) else { return Vec::new() };
    let worse = hosts().filter(|host| reach(host) > reach(&best));
    worse.map(|host| Mapping::alias(host.clone(), best.clone())).collect()
}

/// The credentials for the repositories of an Epinio application's own image, and no others.
fn own(of: Images<'_>, aliases: &[Mapping], entries: &[AuthEntry]) -> Vec<(String, Credential)> {
    let Some(app) = of.epinio_app else { return Vec::new() };
    let name = staged(of.namespace, app);
    let written = of.images.iter().filter_map(|image| image.read_as().parse::<Reference>().ok());
    let read = written.map(|image| aliases.iter().find_map(|it| it.apply(&image)).unwrap_or(image));
    let ours = read.filter(|image| image.repository.last() == name);
    let credential = |image: Reference| {
        let entry = entries.iter().find(|entry| entry.host.as_ref() == Some(&image.host))?;
        let usable = entry.problem.is_none() && !entry.credential.is_anonymous();
        let place = format!("{}/{}", image.host, image.repository);
        usable.then(|| (place, entry.credential.clone()))
    };
    ours.filter_map(credential).collect()
}

/// The pull secrets that pods and service accounts of the application name. Of several entries for
/// one place the first counts. One that is not there is passed over, as kubelets do.
async fn pull_secrets(
    sources: &Sources,
    secrets: &ClusterSecrets,
    of: Images<'_>,
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let mut found: Vec<(String, Credential)> = Vec::new();
    for name in of.pull_secrets {
        let Some(secret) = read(secrets, of.namespace, name).await? else { continue };
        match entries(&secret) {
            Ok(entries) => {
                for (place, credential) in credentials(&entries) {
                    if found.iter().all(|(known, _)| *known != place) {
                        found.push((place, credential));
                    }
                }
            }
            Err(reason) => {
                let text = format!("pull secret {name} cannot be used: {reason}");
                findings.push(Finding::new(Code::CannotRead, text));
            }
        }
    }
    sources.learn(Vec::new(), found);
    Ok(findings)
}

async fn read(
    secrets: &ClusterSecrets,
    namespace: &str,
    name: &str,
) -> Result<Option<SecretObject>, cluster::Error> {
    let secret = secrets.reader.secret(namespace, name).await?;
    if secret.is_none() {
        tracing::info!("pull secret {name} is not in namespace {namespace}");
    }
    Ok(secret)
}

/// The entries of a pull secret, or why there are none, without any value.
fn entries(secret: &SecretObject) -> Result<Vec<AuthEntry>, String> {
    let json = match (secret.data.get(DOCKER_CONFIG), secret.data.get(DOCKER_CFG)) {
        (Some(config), _) => config.expose_secret().to_vec(),
        (None, Some(auths)) => [br#"{"auths":"#, auths.expose_secret(), b"}"].concat(),
        (None, None) => return Err(format!("it has no key `{DOCKER_CONFIG}`")),
    };
    let config = DockerConfig::parse(&json, "its document").map_err(|error| error.to_string())?;
    Ok(config.entries().to_vec())
}

/// What can be used of the entries, by host or prefix of a repository.
fn credentials(entries: &[AuthEntry]) -> Vec<(String, Credential)> {
    let usable = entries.iter().filter(|e| e.problem.is_none() && !e.credential.is_anonymous());
    usable.map(|entry| (entry.key.clone(), entry.credential.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_reaches_farthest_stands_for_the_others() {
        let json = br#"{"auths": {"127.0.0.1:30500": {"auth": "dTpw"}, "r.epinio.svc:5000": {},
            "https://registry.example.com": {"username": "u", "password": "p"}}}"#;
        let config = DockerConfig::parse(json, "it").unwrap();
        let aliases = aliases(config.entries());
        for image in ["127.0.0.1:30500/apps/web:1", "r.epinio.svc:5000/apps/web:1"] {
            let image = image.parse().unwrap();
            let read = aliases.iter().find_map(|mapping| mapping.apply(&image)).unwrap();
            assert_eq!(read.to_string(), "registry.example.com/apps/web:1");
        }
        assert_eq!(aliases.len(), 2);
        let usable: Vec<_> = credentials(config.entries()).into_iter().map(|(at, _)| at).collect();
        assert_eq!(usable, ["127.0.0.1:30500", "https://registry.example.com"]);
    }

    #[test]
    fn only_an_epinio_applications_own_image_is_read_with_epinios_credentials() {
        let json = br#"{"auths": {"127.0.0.1:30500": {"auth": "dTpw"},
            "https://registry.example.com": {"username": "u", "password": "p"}}}"#;
        let config = DockerConfig::parse(json, "it").unwrap();
        let images: Vec<_> = ["apps/workspace-shop:1", "apps/workspace-other:1", "secret/data:1"]
            .iter()
            .map(|at| serde_json::json!({"key": "k", "image": format!("127.0.0.1:30500/{at}"), "uses": []}))
            .collect();
        let mut app = serde_json::from_value::<App>(serde_json::json!({
            "name": "shop", "namespace": "workspace", "foundBy": "epinioApp", "objects": [],
            "images": images, "secrets": [], "pullSecrets": [], "requirements": [], "findings": [],
        }))
        .unwrap();
        let aliases = aliases(config.entries());
        let own_places = |app: &App| {
            let own = own(app.into(), &aliases, config.entries());
            own.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
        };
        assert_eq!(own_places(&app), ["registry.example.com/apps/workspace-shop"]);
        let staged = |app: &App| app.images.iter().filter(|of| is_staged(app.into(), of)).count();
        assert_eq!(staged(&app), 1);
        app.found_by = FoundBy::HelmRelease;
        assert!(own_places(&app).is_empty() && staged(&app) == 0);
    }
}
