//! The server's certificate, from files that may change or made here; and whose clients' certificates
//! count.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};

use super::Tls;
use crate::error::Error;

/// How often the files are looked at. Looking costs nothing, and cert-manager renews weeks ahead.
const LOOK: Duration = Duration::from_secs(2);

/// The certificate that is shown, and where it comes from.
pub(super) struct Certificates {
    config: RustlsConfig,
    source: Source,
}

/// What a configuration is made of.
struct Source {
    own: Own,
    /// Authority of the front proxies' certificates.
    front_proxies: Option<PathBuf>,
}

/// The server's own certificate.
enum Own {
    Files { certificate: PathBuf, key: PathBuf },
    Made(Pair),
}

/// A certificate with those of its authorities, and its key.
struct Pair {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Certificates {
    /// Reads or makes the certificate. Who shows one of `front_proxies` (PEM) says who the user is
    /// ([`super::auth::is_vouched_for`]); without it no client is asked for a certificate.
    pub(super) fn load(
        tls: &Tls,
        listen: SocketAddr,
        front_proxies: Option<&Path>,
    ) -> Result<Self, Error> {
        let own = match tls {
            Tls::Files { certificate, key } => {
                Own::Files { certificate: certificate.clone(), key: key.clone() }
            }
            Tls::SelfSigned { names } => Own::Made(self_signed(names, listen.ip())?),
        };
        let source = Source { own, front_proxies: front_proxies.map(Path::to_owned) };
        let config = RustlsConfig::from_config(Arc::new(source.read()?));
        Ok(Self { config, source })
    }

    /// What the listener asks at each connection.
    pub(super) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }
}

/// Reads the files again whenever they change, for ever. New ones that cannot be used are logged and
/// the old ones stay: a renewal writes one file after the other.
pub(super) async fn follow(certificates: Option<&Certificates>) {
    let Some(Certificates { config, source }) = certificates else {
        return std::future::pending().await;
    };
    let mut seen = source.written();
    loop {
        tokio::time::sleep(LOOK).await;
        let written = source.written();
        if written == seen {
            continue;
        }
        // What is written between this look and the reading is found by the next look.
        seen = written;
        match source.read() {
            Ok(read) => {
                config.reload_from_config(Arc::new(read));
                tracing::info!("read the certificates again");
            }
            Err(error) => tracing::error!(%error, "the old certificate stays"),
        }
    }
}

impl Source {
    fn read(&self) -> Result<ServerConfig, Error> {
        let clients = self.front_proxies.as_deref().map(front_proxies).transpose()?;
        match &self.own {
            Own::Files { certificate, key } => {
                let pair = Pair::read(certificate, key)?;
                config(pair, clients).map_err(|reason| refused(certificate, reason))
            }
            Own::Made(Pair { chain, key }) => {
                let pair = Pair { chain: chain.clone(), key: key.clone_key() };
                config(pair, clients).map_err(|reason| unmakeable(&[], &reason))
            }
        }
    }

    /// When each file was written last; `None` where it is away.
    fn written(&self) -> Vec<Option<SystemTime>> {
        let mut files: Vec<&Path> = self.front_proxies.as_deref().into_iter().collect();
        if let Own::Files { certificate, key } = &self.own {
            files.extend([certificate.as_path(), key.as_path()]);
        }
        let at = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        files.into_iter().map(at).collect()
    }
}

impl Pair {
    fn read(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let chain = authorities(certificate)?;
        let read = PrivateKeyDer::from_pem_slice(&read(key)?);
        // Not the parser's own words: they may quote what was read.
        let key = read.map_err(|_| refused(key, "it holds no private key".to_owned()))?;
        Ok(Self { chain, key })
    }
}

/// Who verifies certificates of clients by this authority. Whoever shows none is let in as well, and
/// has to say otherwise who it is.
fn front_proxies(path: &Path) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    for authority in authorities(path)? {
        roots.add(authority).map_err(|error| refused(path, error.to_string()))?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated()
        .build()
        .map_err(|error| refused(path, error.to_string()))
}

/// The certificates of a PEM file, at least one.
///
/// # Errors
/// When there is none, or the file cannot be read.
pub(super) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match all {
        Ok(all) if all.is_empty() => Err(refused(path, "it holds no certificate".to_owned())),
        Ok(all) => Ok(all),
        Err(error) => Err(refused(path, error.to_string())),
    }
}

fn refused(path: &Path, reason: String) -> Error {
    Error::Certificate { path: path.to_owned(), reason }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// TLS 1.2 and 1.3, HTTP/1.1.
fn config(
    Pair { chain, key }: Pair,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_client_cert_verifier(clients.unwrap_or_else(|| Arc::new(NoClientAuth)))
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A certificate of our own, whose fingerprint the log tells.
fn self_signed(names: &[String], listen: IpAddr) -> Result<Pair, Error> {
    let refused = |error: rcgen::Error| unmakeable(names, &error.to_string());
    let mut params = CertificateParams::new(subjects(names, listen)).map_err(refused)?;
    params.distinguished_name.push(DnType::CommonName, "outhaul");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(refused)?;
    let made = params.self_signed(&key).map_err(refused)?;
    let fingerprint = Sha256::digest(made.der());
    let hex: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    tracing::info!("made a certificate with the SHA-256 fingerprint {}", hex.join(":"));
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    Ok(Pair { chain: vec![made.der().clone()], key })
}

fn unmakeable(names: &[String], reason: &str) -> Error {
    Error::Arguments {
        text: format!("no certificate can be made for `{}`: {reason}", names.join(", ")),
        hint: "`--tls-name` takes a host name or an IP address",
    }
}

/// What a self-signed certificate is for: the names given, the listening address, and this machine.
fn subjects(names: &[String], listen: IpAddr) -> Vec<String> {
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut all: Vec<String> = names.iter().cloned().chain(own).collect();
    if !listen.is_unspecified() {
        all.push(listen.to_string());
    }
    all.sort();
    all.dedup();
    all
}
