//! Where an export goes: a registry, or an OCI layout; the chart perhaps to a registry of its own.

use std::sync::Arc;

use super::images::ImageName;
use crate::destination::{Destination, Recipient};
use crate::registry::quirks::Vendor;
use crate::registry::{CopyError, Error, Host, Registry, RepositoryName, Side, Store};

/// A place for images and, unless another is named for it, for their chart.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the user calls it: a destination's name, or a path.
    pub name: String,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The same store as a registry; `None` for a layout.
    pub registry: Option<Arc<Registry>>,
    /// Whose registry it is, as its host's name or the user says; `None`: not known.
    pub vendor: Option<Vendor>,
    /// Where the chart goes, if not where the images go; its own `charts` is not looked at.
    pub charts: Option<Box<Self>>,
    /// Path prefix of every repository.
    pub prefix: Option<RepositoryName>,
    /// Where the chart says that its images are, `host[:port][/path]`; `None`: where they came from.
    pub pull_address: Option<String>,
    /// The same as documents of other systems write it: the host as the destination's owner spells it.
    pub written: Option<String>,
    /// Name of the Secret with the destination's roots, for hints.
    pub ca_secret: Option<String>,
    /// For whom Secrets are encrypted, if an export does not say.
    pub recipients: Vec<Recipient>,
    /// Namespaces of applications that may go there; empty: all.
    pub allowed_namespaces: Vec<String>,
}

impl Target {
    /// A registry.
    ///
    /// # Errors
    /// When a certificate of its description cannot be used. No connection is made.
    pub fn registry(destination: &Destination) -> Result<Self, Error> {
        let registry = Registry::connect(&destination.endpoint, destination.keychain.clone())?;
        Ok(Self {
            name: destination.name.clone(),
            store: Arc::clone(&registry) as Arc<dyn Store>,
            registry: Some(registry),
            vendor: Vendor::of(&destination.host),
            charts: None,
            prefix: destination.path.clone(),
            pull_address: Some(destination.pull_address()),
            written: Some(destination.written_address()),
            ca_secret: destination.ca_secret.clone(),
            recipients: destination.age_recipients.clone(),
            allowed_namespaces: destination.allowed_namespaces.clone(),
        })
    }

    /// The registry of a destination with the credentials that may delete there.
    ///
    /// # Errors
    /// As [`Self::registry`].
    pub fn deleting(destination: &Destination) -> Result<Arc<dyn Store>, Error> {
        let keychain = destination.deleting.as_ref().unwrap_or(&destination.keychain);
        Ok(Registry::connect(&destination.endpoint, keychain.clone())?)
    }

    /// A layout, as a bundle for sites without a network.
    pub fn layout(name: String, store: Arc<dyn Store>, pull_address: Option<String>) -> Self {
        Self {
            name,
            store,
            registry: None,
            vendor: None,
            charts: None,
            prefix: None,
            written: pull_address.clone(),
            pull_address,
            ca_secret: None,
            recipients: Vec::new(),
            allowed_namespaces: Vec::new(),
        }
    }

    /// Where the chart goes.
    pub fn charts(&self) -> &Self {
        self.charts.as_deref().unwrap_or(self)
    }

    /// Whose registry it is: as its host's name or the user says, else as its answers give away, of
    /// which there are some when it has been read.
    pub fn vendor(&self) -> Option<Vendor> {
        self.vendor.or_else(|| self.registry.as_ref()?.vendor_by_answers())
    }

    /// The registry's host; `None` for a layout.
    pub fn host(&self) -> Option<&Host> {
        self.registry.as_deref().map(Registry::host)
    }

    /// The command that installs a chart from here, with the version left out; `None` for a
    /// layout, which has to be served first. helm wants the name under which Docker Hub's registry
    /// really answers, and to be told of plain HTTP.
    pub fn helm_install(
        &self,
        repository: &RepositoryName,
        name: &str,
        namespace: &str,
    ) -> Option<String> {
        let registry = self.registry.as_ref()?;
        let host = registry.host().api_host();
        let plain = if registry.is_plain_http() { " --plain-http" } else { "" };
        Some(format!(
            "helm install {name} oci://{host}/{repository} --namespace {namespace} \
             --create-namespace{plain}"
        ))
    }

    /// Refuses applications of namespaces that a destination is not for, and a chart where nobody
    /// knows whether it is taken, unless that place is named for it.
    pub(super) fn allow(&self, namespace: &str) -> Result<(), super::Error> {
        for place in [self, self.charts()] {
            let allowed = &place.allowed_namespaces;
            if !allowed.is_empty() && allowed.iter().all(|allowed| allowed != namespace) {
                let (name, namespace) = (place.name.clone(), namespace.to_owned());
                return Err(crate::destination::Error::NotAllowed { name, namespace }.into());
            }
        }
        match self.vendor {
            Some(vendor @ Vendor::ControlTower) if self.charts.is_none() => {
                Err(super::Error::ChartsUndocumented { target: self.name.clone(), vendor })
            }
            _ => Ok(()),
        }
    }

    /// A failure of this place.
    pub(super) fn failed(&self, source: Error) -> super::Error {
        let (target, ca_secret) = (self.name.clone(), self.ca_secret.clone());
        super::Error::Destination { target, ca_secret, vendor: self.vendor, source }
    }

    /// A copy to this place that failed, on either side.
    pub(super) fn not_copied(&self, image: ImageName, source: CopyError) -> super::Error {
        let vendor = self.vendor.filter(|_| source.side == Side::Destination);
        super::Error::Copy { image, vendor, source }
    }

    /// A repository's address as people write it: with the host for a registry.
    pub fn address(&self, repository: &RepositoryName) -> String {
        match self.host() {
            Some(host) => format!("{host}/{repository}"),
            None => repository.to_string(),
        }
    }
}
