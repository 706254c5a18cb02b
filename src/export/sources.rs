//! Registries that images are read from: one connection a host, with the credentials for it.
//!
//! A reference may name an address that only a cluster knows. Where that is read instead is said by
//! the user, by a destination's pull address, or by a Secret of the cluster ([`super::learn`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::destination::Destination;
use crate::registry::{
    Credential, Endpoint, Error, Host, Keychain, Located, Reference, Registry, Store, Surroundings,
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
    closed: Option<Closed>,
    learned: Mutex<Learned>,
}

/// Which addresses are not read, although an image is said to be there.
#[derive(Debug)]
struct Closed {
    surroundings: Surroundings,
    /// Hosts, with or without a port, that are open all the same.
    open: Vec<String>,
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
        let mut endpoint = destination.endpoint.clone();
        endpoint.tls.extra_roots.push(b'\n');
        endpoint.tls.extra_roots.extend(&self.roots);
        let described = (endpoint, destination.keychain.clone());
        self.described.entry(destination.host.clone()).or_insert(described);
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

    /// Reads no image at an address of our own surroundings, whether an image or a name says that it
    /// is there. Anybody can write such an address into a pod. Open are those that a destination or a
    /// mapping names, and `open`.
    pub fn refuse_local(&mut self, surroundings: Surroundings, open: Vec<String>) {
        self.closed = Some(Closed { surroundings, open });
    }

    /// What the host must not be; `None` where anything is right.
    fn closed_for(&self, host: &Host, learned: &[Mapping]) -> Option<&Surroundings> {
        let Closed { surroundings, open } = self.closed.as_ref()?;
        let (whole, name) = (host.as_str(), host.name());
        let mut mappings = self.mappings.iter().chain(learned);
        let is_named = self.described.contains_key(host)
            || mappings.any(|mapping| mapping.to.0 == *host)
            || open.iter().any(|open| open == whole || open == name);
        (!is_named).then_some(surroundings)
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
        let surroundings = self.closed_for(host, &learned.mappings);
        if surroundings.is_some_and(|around| around.hold(host)) {
            return Err(Error::Surroundings { host: host.to_string() });
        }
        let (mut endpoint, mut keychain) = self
            .described
            .get(host)
            .cloned()
            .unwrap_or_else(|| (self.undescribed(host), self.keychain.clone()));
        endpoint.surroundings = surroundings.cloned();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_us_is_not_read_unless_somebody_names_it() {
        let mut sources = Sources::new(Keychain::new(), Vec::new());
        let opens = |sources: &Sources, image: &str| {
            let image: Reference = format!("{image}/shop/web:1").parse().unwrap();
            sources.locate(&image).is_ok()
        };
        let around = [
            "127.0.0.1:5000",
            "localhost:5000",
            "a.localhost:80",
            "169.254.169.254",
            "0.0.0.0:5000",
            "2130706433:5000",
            "127.1:5000",
            "0x7f.0.0.1:80",
            "10.96.0.1:6443",
            "10.96.0.1",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local:443",
        ];
        let free = Sources::default();
        assert!(around.iter().all(|host| opens(&free, host)), "the command line reads them");
        let here = Surroundings::new("https://10.96.0.1:443");
        sources.refuse_local(here, vec!["127.0.0.1:5001".into()]);
        for host in around {
            assert!(!opens(&sources, host), "{host}");
        }
        for host in ["registry.example.com", "10.0.0.7:5000", "registry.shop.svc:5000"] {
            assert!(opens(&sources, host), "{host}");
        }
        assert!(opens(&sources, "127.0.0.1:5001"));
        sources.map("localhost:5000=127.0.0.1:5002".parse().unwrap());
        assert!(opens(&sources, "localhost:5000") && opens(&sources, "127.0.0.1:5002"));
        assert!(!opens(&sources, "127.0.0.1:5003"));
    }
}
