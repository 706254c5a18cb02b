//! Registries that images are read from: one connection a host, with the credentials for it.
//!
//! A reference may name an address that only a cluster knows. Where that is read instead is said by
//! the user, by a destination's pull address, or by a Secret of the cluster ([`super::learn`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::destination::Destination;
use crate::registry::{
    Credential, Endpoint, Error, Host, Keychain, Located, Reference, Registry, Store,
};

use super::learn::ClusterSecrets;
use super::mapping::Mapping;

/// Opens the registry of an image, once for each host.
///
/// A host that a known destination describes is spoken to as that destination says (roots,
/// credentials); any other with the system's roots and the Docker configuration.
#[derive(Debug, Default)]
pub struct Sources {
    keychain: Keychain,
    /// Further roots for every host, PEM.
    roots: Vec<u8>,
    described: HashMap<Host, (Endpoint, Keychain)>,
    replaced: HashMap<Host, Arc<dyn Store>>,
    /// Where hosts are read instead. The first that fits wins.
    mappings: Vec<Mapping>,
    /// Secrets that may say more, and where they are read.
    pub(super) secrets: Option<ClusterSecrets>,
    learned: Mutex<Learned>,
}

/// What Secrets of the cluster said, and the connections that were opened.
#[derive(Debug, Default)]
struct Learned {
    mappings: Vec<Mapping>,
    /// By host or prefix of a repository.
    credentials: Vec<(String, Credential)>,
    open: HashMap<Host, Arc<dyn Store>>,
}

impl Sources {
    /// Sources with these credentials and further roots (PEM) for hosts that nothing else
    /// describes.
    pub fn new(keychain: Keychain, roots: Vec<u8>) -> Self {
        Self { keychain, roots, ..Self::default() }
    }

    /// Speaks to the destination's host as the destination says. Where its pull address is one that
    /// only a cluster knows, images at that address are read there. The first description of a host
    /// stays.
    pub fn describe(&mut self, destination: &Destination) {
        self.described
            .entry(destination.host.clone())
            .or_insert_with(|| (destination.endpoint.clone(), destination.keychain.clone()));
        let pull = destination.pull_address.as_ref();
        let mapping = pull.and_then(|from| Mapping::new(from, &destination.address()).ok());
        self.mappings.extend(mapping.filter(Mapping::is_from_cluster));
    }

    /// Reads images elsewhere, whatever destinations and Secrets say.
    pub fn map(&mut self, mapping: Mapping) {
        if mapping.plain_http {
            let endpoint = Endpoint { plain_http: true, ..self.undescribed(&mapping.to.0) };
            let described = (endpoint, self.keychain.clone());
            self.described.entry(mapping.to.0.clone()).or_insert(described);
        }
        self.mappings.insert(0, mapping);
    }

    /// Lets these Secrets say where in-cluster addresses are read, and with which credentials.
    pub fn ask(&mut self, secrets: ClusterSecrets) {
        self.secrets = Some(secrets);
    }

    /// Reads images of `host` from `store` instead of from that host.
    pub fn replace(&mut self, host: Host, store: Arc<dyn Store>) {
        self.replaced.insert(host, store);
    }

    /// Takes over what a Secret said. Connections are opened anew.
    pub(super) fn learn(&self, mappings: Vec<Mapping>, credentials: Vec<(String, Credential)>) {
        let mut learned = self.learned();
        learned.open.clear();
        learned.mappings.extend(mappings);
        learned.credentials.extend(credentials);
    }

    /// Where an image is read instead of where it says; `None`: there.
    pub fn mapped(&self, reference: &Reference) -> Option<Reference> {
        let learned = self.learned();
        let mut all = self.mappings.iter().chain(&learned.mappings);
        all.find_map(|mapping| mapping.apply(reference))
    }

    /// Whether a destination says how to speak to the host.
    pub(super) fn is_described(&self, host: &Host) -> bool {
        self.described.contains_key(host) || self.replaced.contains_key(host)
    }

    fn undescribed(&self, host: &Host) -> Endpoint {
        let mut endpoint = Endpoint::new(host.clone());
        endpoint.tls.extra_roots.clone_from(&self.roots);
        endpoint
    }

    /// Where an image is read.
    ///
    /// # Errors
    /// When the registry's certificates cannot be used. No connection is made.
    pub fn locate(&self, reference: &Reference) -> Result<Located, Error> {
        let Reference { host, repository, .. } =
            self.mapped(reference).unwrap_or_else(|| reference.clone());
        Ok(Located { store: self.store(&host)?, repository })
    }

    /// The store of a host.
    ///
    /// # Errors
    /// When its certificates cannot be used. No connection is made.
    pub fn store(&self, host: &Host) -> Result<Arc<dyn Store>, Error> {
        let mut learned = self.learned();
        if let Some(store) = self.replaced.get(host).or_else(|| learned.open.get(host)) {
            return Ok(Arc::clone(store));
        }
        let (endpoint, mut keychain) = self
            .described
            .get(host)
            .cloned()
            .unwrap_or_else(|| (self.undescribed(host), self.keychain.clone()));
        for (place, credential) in &learned.credentials {
            keychain = keychain.with(place, credential.clone());
        }
        let store: Arc<dyn Store> = Registry::connect(&endpoint, keychain)?;
        learned.open.insert(host.clone(), Arc::clone(&store));
        Ok(store)
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
