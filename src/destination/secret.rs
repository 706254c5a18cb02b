//! Epinio's form of a destination, which is our native one: a labelled Secret.
//!
//! ```yaml
//! metadata:
//!   labels: { epinio.io/api-export-registry: "true" } # or outhaul.dev/destination
//!   annotations: { epinio.io/registry-namespace: team } # or outhaul.dev/registry-namespace
//! data:
//!   .dockerconfigjson: … # one entry in `auths`, or annotation outhaul.dev/registry says which
//!   certs: …             # optional: name of a Secret with `tls.crt`, added to the system's roots
//! ```
//!
//! A key of `auths` with a path (`registry.example.com/apps`) puts everything below that path, as
//! Epinio does. `http://` in a key does not make us send passwords in clear: annotation
//! `outhaul.dev/plain-http` does.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;

use super::auths::{self, Entry};
use super::model::Described;
use super::{Destination, Problem, Recipient, address, model, recipients};
use crate::cluster::{self, SecretObject};
use crate::registry::{Endpoint, Host, Keychain, RepositoryName, Tls};

/// The labels that make a Secret a destination, if their value is `true`.
pub(super) const LABELS: [&str; 2] = [EPINIO_LABEL, "outhaul.dev/destination"];

/// Epinio's label.
pub(super) const EPINIO_LABEL: &str = "epinio.io/api-export-registry";

/// Key of the Secret that holds the credentials.
pub(super) const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// Key of the Secret that names the Secret with further roots.
pub(super) const CERTS: &str = "certs";

/// Key of that Secret.
pub(super) const ROOTS: &str = "tls.crt";

/// The path prefix at the registry: ours wins over Epinio's.
const NAMESPACE: &str = "outhaul.dev/registry-namespace";
pub(super) const EPINIO_NAMESPACE: &str = "epinio.io/registry-namespace";

const AGE_RECIPIENTS: &str = "outhaul.dev/age-recipients";
const ALLOWED: &str = "outhaul.dev/allowed-namespaces";
const DELETE_SECRET: &str = "outhaul.dev/delete-secret";
pub(super) const DESCRIPTION: &str = "outhaul.dev/description";
pub(super) const PLAIN_HTTP: &str = "outhaul.dev/plain-http";
const PULL_ADDRESS: &str = "outhaul.dev/pull-address";
pub(super) const REGISTRY: &str = "outhaul.dev/registry";
pub(super) const SKIP_VERIFY: &str = "outhaul.dev/skip-tls-verify";

/// Reads the Secret. Whatever is wrong with it is among the destination's problems; the roots are
/// still missing ([`add_roots`]) if [`Destination::ca_secret`] names a Secret.
pub(super) fn parse(secret: &SecretObject) -> Destination {
    let mut reading = Reading { secret, problems: Vec::new() };
    let entry = reading.entry();
    let written_host = entry.as_ref().map(written_host).unwrap_or_default();
    let host: Host = match &entry {
        Some(entry) => entry.host.clone(),
        None => Host::unknown(),
    };
    let path = reading.path(entry.as_ref().and_then(|entry| entry.path.as_ref()));
    let plain_http = reading.flag(PLAIN_HTTP);
    let skip_verify = reading.flag(SKIP_VERIFY);
    if let Some(entry) = entry.as_ref().filter(|e| e.key.starts_with("http://") && !plain_http) {
        reading.odd(format!(
            "the entry `{}` says http://, but HTTPS is spoken unless annotation {PLAIN_HTTP} is \"true\"",
            entry.key
        ));
    }
    let tls = Tls { skip_verify, ..Tls::default() };
    let keychain = match entry {
        Some(entry) => Keychain::new().with(host.as_str(), entry.credential),
        None => Keychain::new(),
    };
    Destination {
        name: secret.name.clone(),
        written_host,
        path,
        pull_address: reading.pull_address(),
        allowed_namespaces: reading.allowed_namespaces(),
        age_recipients: reading.age_recipients(),
        description: reading.annotation(DESCRIPTION).map(str::to_owned),
        ca_secret: reading.certs(),
        delete_secret: reading.annotation(DELETE_SECRET).map(str::to_owned),
        deleting: None,
        described: Described::default(),
        problems: reading.problems,
        endpoint: Endpoint { plain_http, tls, ..Endpoint::new(host.clone()) },
        keychain,
        host,
    }
}

/// Adds the roots in the Secret that [`Destination::ca_secret`] names; `None` if there is none.
pub(super) fn add_roots(destination: &mut Destination, certs: Option<&SecretObject>) {
    let Some(name) = destination.ca_secret.clone() else { return };
    let fault = match certs.map(|certs| (certs, certs.data.get(ROOTS))) {
        None => format!("Secret `{name}`, which key `{CERTS}` names, does not exist"),
        Some((_, None)) => {
            format!("Secret `{name}`, which key `{CERTS}` names, has no key `{ROOTS}`")
        }
        Some((_, Some(pem))) if !is_pem(pem.expose_secret()) => {
            format!("key `{ROOTS}` of Secret `{name}` holds no certificates in PEM")
        }
        Some((_, Some(pem))) => {
            destination.endpoint.tls.extra_roots = pem.expose_secret().to_vec();
            return;
        }
    };
    destination.problems.push(Problem { fatal: true, text: fault });
}

/// Adds the credentials in the Secret that [`Destination::delete_secret`] names; `None` if there is
/// none. Without them nothing is deleted with others: exports go on, and the problem is said.
pub(super) fn add_deleting(destination: &mut Destination, secret: Option<&SecretObject>) {
    let Some(name) = destination.delete_secret.clone() else { return };
    let json = secret.and_then(|secret| secret.data.get(DOCKER_CONFIG));
    let mut problems = Vec::new();
    let entry = match json {
        None => Err(format!("it does not exist, or has no key `{DOCKER_CONFIG}`")),
        Some(json) => auths::choose(json.expose_secret(), None, &mut problems),
    };
    let (keychain, reason) = match entry {
        Ok(entry) if entry.host == destination.host => {
            (Keychain::new().with(entry.host.as_str(), entry.credential), None)
        }
        Ok(entry) => (Keychain::new(), Some(format!("it is for {}", entry.host))),
        Err(reason) => (Keychain::new(), Some(reason)),
    };
    destination.deleting = Some(keychain);
    let text =
        |reason| format!("Secret `{name}`, which annotation {DELETE_SECRET} names: {reason}");
    destination.problems.extend(reason.map(|of| Problem { fatal: false, text: text(of) }));
}

/// Notes that this Secret may not be read.
pub(super) fn roots_unreadable(destination: &mut Destination, name: &str, error: &cluster::Error) {
    let text = format!("Secret `{name}`, which key `{CERTS}` names: {error}");
    destination.problems.push(Problem { fatal: true, text });
}

/// Whether these are certificates in PEM, one at least, and nothing broken among them.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    let mut certificates = CertificateDer::pem_slice_iter(bytes).peekable();
    certificates.peek().is_some() && certificates.all(|certificate| certificate.is_ok())
}

/// A Secret being read, and what was found wrong with it.
struct Reading<'a> {
    secret: &'a SecretObject,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn odd(&mut self, text: String) {
        self.problems.push(Problem { fatal: false, text });
    }

    fn fault(&mut self, text: String) {
        self.problems.push(Problem { fatal: true, text });
    }

    /// An annotation that says something.
    fn annotation(&self, key: &str) -> Option<&str> {
        let text = self.secret.annotations.get(key)?.trim();
        (!text.is_empty()).then_some(text)
    }

    fn entry(&mut self) -> Option<Entry> {
        let Some(json) = self.secret.data.get(DOCKER_CONFIG) else {
            let odd = self.secret.malformed.iter().any(|key| key == DOCKER_CONFIG);
            let state = if odd { "is not base64" } else { "is missing" };
            self.fault(format!("key `{DOCKER_CONFIG}` {state}"));
            return None;
        };
        let chosen = self.annotation(REGISTRY).map(str::to_owned);
        match auths::choose(json.expose_secret(), chosen.as_deref(), &mut self.problems) {
            Ok(entry) => Some(entry),
            Err(reason) => {
                self.fault(reason);
                None
            }
        }
    }

    /// The path prefix: that of the entry, then that of the annotation, said once.
    fn path(&mut self, of_entry: Option<&RepositoryName>) -> Option<RepositoryName> {
        let annotations = &self.secret.annotations;
        let (key, written) = match (annotations.get(NAMESPACE), annotations.get(EPINIO_NAMESPACE)) {
            (Some(ours), epinio) => {
                if epinio.is_some_and(|epinio| epinio != ours) {
                    self.odd(format!("annotation {NAMESPACE} wins over {EPINIO_NAMESPACE}"));
                }
                (NAMESPACE, ours)
            }
            (None, Some(epinio)) => (EPINIO_NAMESPACE, epinio),
            (None, None) => {
                if self.secret.labels.get(EPINIO_LABEL).is_some_and(|value| value == "true") {
                    self.fault(format!(
                        "annotation {EPINIO_NAMESPACE} is missing (it may be empty)"
                    ));
                }
                return of_entry.cloned();
            }
        };
        let written = written.trim().trim_matches('/');
        if written.is_empty() {
            return of_entry.cloned();
        }
        let below = |path: &RepositoryName| {
            written.strip_prefix(path.as_str()).is_some_and(|r| r.is_empty() || r.starts_with('/'))
        };
        let prefix = of_entry.filter(|path| !below(path));
        match written.parse::<RepositoryName>().and_then(|name| name.under(prefix)) {
            Ok(path) => Some(path),
            Err(error) => {
                self.fault(format!("annotation {key}: {error}"));
                None
            }
        }
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.annotation(key) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.fault(format!("annotation {key} must be \"true\" or \"false\""));
                false
            }
        }
    }

    fn pull_address(&mut self) -> Option<String> {
        let written = self.annotation(PULL_ADDRESS)?.to_owned();
        match address::split(&written) {
            Ok((_, host, path)) => Some(model::join(&host, path.as_deref())),
            Err(error) => {
                self.fault(format!("annotation {PULL_ADDRESS}: {error}"));
                None
            }
        }
    }

    fn allowed_namespaces(&self) -> Vec<String> {
        let names = self.annotation(ALLOWED).unwrap_or_default();
        let names = names.split(|c: char| c == ',' || c.is_whitespace());
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// All or none: nobody may be left out in silence of those who should be able to decrypt.
    fn age_recipients(&mut self) -> Vec<Recipient> {
        match recipients::list(self.annotation(AGE_RECIPIENTS).unwrap_or_default()) {
            Ok(recipients) => recipients,
            Err(error) => {
                self.fault(format!("annotation {AGE_RECIPIENTS}: {error}"));
                Vec::new()
            }
        }
    }

    /// The name of the Secret with further roots.
    fn certs(&mut self) -> Option<String> {
        if self.secret.malformed.iter().any(|key| key == CERTS) {
            self.fault(format!("key `{CERTS}` is not base64"));
        }
        let value = self.secret.data.get(CERTS)?.expose_secret();
        let name = std::str::from_utf8(value).unwrap_or("\0").trim();
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        match name {
            "" => None,
            name if name.len() <= 253 && name.bytes().all(valid) => Some(name.to_owned()),
            _ => {
                // Not the value: people put the certificate itself here.
                self.fault(format!("key `{CERTS}` must be the name of a Secret"));
                None
            }
        }
    }
}

/// The host of the entry as its owner spells it.
fn written_host(entry: &Entry) -> String {
    let bare = entry.key.trim();
    let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    bare.split('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
