//! Registries that images are read from: one connection a host, with the credentials for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::destination::Destination;
use crate::registry::{Endpoint, Error, Host, Keychain, Registry, Store};

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
    open: Mutex<HashMap<Host, Arc<dyn Store>>>,
}

impl Sources {
    /// Sources with these credentials and further roots (PEM) for hosts that nothing else
    /// describes.
    pub fn new(keychain: Keychain, roots: Vec<u8>) -> Self {
        Self { keychain, roots, ..Self::default() }
    }

    /// Speaks to the destination's host as the destination says. The first description of a host
    /// stays.
    pub fn describe(&mut self, destination: &Destination) {
        self.described
            .entry(destination.host.clone())
            .or_insert_with(|| (destination.endpoint.clone(), destination.keychain.clone()));
    }

    /// Reads images of `host` from `store` instead of from that host.
    pub fn replace(&mut self, host: Host, store: Arc<dyn Store>) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        open.insert(host, store);
    }

    fn undescribed(&self, host: &Host) -> Endpoint {
        let mut endpoint = Endpoint::new(host.clone());
        endpoint.tls.extra_roots.clone_from(&self.roots);
        endpoint
    }

    /// The store of a host.
    ///
    /// # Errors
    /// When its certificates cannot be used. No connection is made.
    pub fn store(&self, host: &Host) -> Result<Arc<dyn Store>, Error> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = open.get(host) {
            return Ok(Arc::clone(store));
        }
        let (endpoint, keychain) = self
            .described
            .get(host)
            .cloned()
            .unwrap_or_else(|| (self.undescribed(host), self.keychain.clone()));
        let store: Arc<dyn Store> = Registry::connect(&endpoint, keychain)?;
        open.insert(host.clone(), Arc::clone(&store));
        Ok(store)
    }
}
