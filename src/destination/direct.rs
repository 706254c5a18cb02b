//! A destination given by its address and options, without any Secret.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::address::{self, begins_with_host, invalid};
use super::model::Described;
use super::{Destination, Error, model, secret};
use crate::registry::credentials::DockerConfig;
use crate::registry::{Credential, Endpoint, Host, Keychain, RepositoryName, Tls};

/// What is said beside the address.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// User name and password; with them the Docker configuration is not asked.
    pub credentials: Option<(String, SecretString)>,
    /// File with further roots in PEM, added to the system's.
    pub ca_file: Option<PathBuf>,
    /// Speak HTTP without TLS. A loopback host may do so unasked.
    pub plain_http: bool,
    /// Where credentials are found that are not given.
    pub docker: DockerConfig,
}

/// Largest file of roots: the bundle of a Linux distribution is about 220 KiB.
const MAX_ROOTS: usize = 4 << 20;

/// The destination at `[oci://|https://|http://]host[:port][/path]`. `http://` means plain HTTP.
/// Reads the file of roots, if one is named.
///
/// # Errors
/// When the address is none, or the file of roots cannot be read or holds none.
pub fn destination(address: &str, access: &Access) -> Result<Destination, Error> {
    if let Some((_, rest)) = address.rsplit_once('@') {
        // Only what follows: what stands before may be a password, with an `@` of its own.
        return Err(Error::Credentials { rest: rest.to_owned() });
    }
    let bad = |source| Error::Address { address: address.to_owned(), source };
    if !begins_with_host(address) {
        return Err(bad(invalid(address, "it begins with a host such as registry.example.com")));
    }
    let (http, written_host, path) = address::split(address).map_err(bad)?;
    let host: Host = written_host.parse().map_err(bad)?;
    let path: Option<RepositoryName> = path.map(|p| p.parse()).transpose().map_err(bad)?;
    let extra_roots = match &access.ca_file {
        Some(path) => roots(path)?,
        None => Vec::new(),
    };
    let tls = Tls { extra_roots, ..Tls::default() };
    Ok(Destination {
        name: model::join(host.as_str(), path.as_ref().map(RepositoryName::as_str)),
        written_host,
        path,
        pull_address: None,
        allowed_namespaces: Vec::new(),
        age_recipients: Vec::new(),
        description: None,
        ca_secret: None,
        delete_secret: None,
        deleting: None,
        described: Described::default(),
        problems: Vec::new(),
        endpoint: Endpoint {
            plain_http: access.plain_http || http,
            tls,
            ..Endpoint::new(host.clone())
        },
        keychain: keychain(&host, access),
        host,
    })
}

fn keychain(host: &Host, access: &Access) -> Keychain {
    match &access.credentials {
        Some((username, password)) => {
            let (username, password) = (username.clone(), password.clone());
            Keychain::new().with(host.as_str(), Credential::Basic { username, password })
        }
        None => Keychain::new().with_docker_config(access.docker.clone()),
    }
}

fn roots(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::File { path: path.to_owned(), source };
    let bad = |reason: &str| Error::Roots { path: path.to_owned(), reason: reason.to_owned() };
    let mut pem = Vec::new();
    let mut file = File::open(path).map_err(failed)?.take(MAX_ROOTS as u64 + 1);
    file.read_to_end(&mut pem).map_err(failed)?;
    match pem {
        pem if pem.len() > MAX_ROOTS => Err(bad("it is larger than 4 MiB")),
        pem if !secret::is_pem(&pem) => Err(bad("it holds no certificates in PEM")),
        pem => Ok(pem),
    }
}
