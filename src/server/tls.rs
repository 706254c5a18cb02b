//! The server's certificate: from files that may change, or made here.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};

use super::Tls;
use crate::error::Error;

/// How often the files are looked at. Looking costs nothing, and cert-manager renews weeks ahead.
const LOOK: Duration = Duration::from_secs(2);

/// The certificate that is shown, and where it comes from.
pub(super) struct Certificates {
    config: RustlsConfig,
    files: Option<Files>,
}

#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// When the files were written last; `None` where one is away.
type Written = Option<[SystemTime; 2]>;

impl Certificates {
    /// Reads or makes the certificate.
    pub(super) fn load(tls: &Tls, listen: SocketAddr) -> Result<Self, Error> {
        let (config, files) = match tls {
            Tls::Files { certificate, key } => {
                let files = Files { certificate: certificate.clone(), key: key.clone() };
                (files.read()?, Some(files))
            }
            Tls::SelfSigned { names } => (self_signed(names, listen.ip())?, None),
        };
        Ok(Self { config: RustlsConfig::from_config(Arc::new(config)), files })
    }

    /// What the listener asks at each connection.
    pub(super) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }
}

/// Reads the files again whenever they change, for ever. A new pair that cannot be used is logged
/// and the old one stays: a renewal writes one file after the other.
pub(super) async fn follow(certificates: Option<&Certificates>) {
    let files = certificates.and_then(|all| Some((all.files.as_ref()?, &all.config)));
    let Some((files, config)) = files else { return std::future::pending().await };
    let mut seen = files.written();
    loop {
        tokio::time::sleep(LOOK).await;
        let written = files.written();
        if written == seen {
            continue;
        }
        // What is written between this look and the reading is found by the next look.
        seen = written;
        match files.read() {
            Ok(read) => {
                config.reload_from_config(Arc::new(read));
                tracing::info!(file = %files.certificate.display(), "read the certificate again");
            }
            Err(error) => tracing::error!(%error, "the old certificate stays"),
        }
    }
}

impl Files {
    fn read(&self) -> Result<ServerConfig, Error> {
        let refused =
            |path: &Path, reason: String| Error::Certificate { path: path.to_owned(), reason };
        let chain: Result<Vec<CertificateDer<'static>>, _> =
            CertificateDer::pem_slice_iter(&read(&self.certificate)?).collect();
        let chain = chain.map_err(|error| refused(&self.certificate, error.to_string()))?;
        if chain.is_empty() {
            return Err(refused(&self.certificate, "it holds no certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?);
        // Not the parser's own words: they may quote what was read.
        let key = key.map_err(|_| refused(&self.key, "it holds no private key".to_owned()))?;
        config(chain, key).map_err(|reason| refused(&self.certificate, reason))
    }

    fn written(&self) -> Written {
        let at = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        Some([at(&self.certificate)?, at(&self.key)?])
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })
}

/// TLS 1.2 and 1.3, HTTP/1.1.
fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A certificate of our own, whose fingerprint the log tells.
fn self_signed(names: &[String], listen: IpAddr) -> Result<ServerConfig, Error> {
    let refused = |error: &dyn std::error::Error| Error::Arguments {
        text: format!("no certificate can be made for {}: {error}", names.join(", ")),
        hint: "`--tls-name` takes a host name or an IP address",
    };
    let mut params =
        CertificateParams::new(subjects(names, listen)).map_err(|error| refused(&error))?;
    params.distinguished_name.push(DnType::CommonName, "outhaul");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(|error| refused(&error))?;
    let made = params.self_signed(&key).map_err(|error| refused(&error))?;
    let fingerprint = Sha256::digest(made.der());
    let hex: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    tracing::info!("made a certificate with the SHA-256 fingerprint {}", hex.join(":"));
    config(vec![made.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .map_err(|reason| refused(&std::io::Error::other(reason)))
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
