//! Which certificates are trusted.
//!
//! The verifier is built here rather than by reqwest for three reasons: a client for plain HTTP
//! or for a private CA must also work in an image without a CA bundle, where reqwest's own
//! refuses to start (seanmonstar/reqwest#2965); and the certificate that Docker's documentation
//! tells people to make for a registry (`openssl req -x509`) is its own CA, which webpki refuses
//! as a server's even where that very certificate was given to us as trusted.
//!
//! The system's roots are read when the first server shows its certificate: parsing them takes
//! ten milliseconds, which a registry without TLS need not cost.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, OtherError,
    RootCertStore, SignatureScheme,
};

use super::super::Error;
use super::Tls;

/// Verifies by roots, and lets a server show exactly a certificate that we were given.
#[derive(Debug)]
struct Roots {
    /// By the roots given and the system's, once they were needed; `None` where there is not one.
    chains: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
    given: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

/// Said instead of blaming the server's certificate.
#[derive(Debug, thiserror::Error)]
#[error("this system has no CA certificates to judge it by")]
struct NoRoots;

/// Verifies nothing (`skip_verify`).
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

/// The TLS settings of one registry.
///
/// # Errors
/// [`Error::Configuration`] when the extra roots are not PEM certificates.
pub(super) fn config(tls: &Tls) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = if tls.skip_verify {
        Arc::new(Anyone(Arc::clone(&provider)))
    } else {
        Arc::new(Roots::new(&tls.extra_roots, Arc::clone(&provider))?)
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("TLS", error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // One HTTP/2 connection shares one flow-control window among all blobs, and Harbor throttles
    // it (regclient/regclient#902).
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl Roots {
    fn new(extra: &[u8], provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let given = certificates(extra)?;
        let mut store = RootCertStore::empty();
        for certificate in &given {
            let added = store.add(certificate.clone());
            added.map_err(|error| unusable("the CA certificate", error.to_string()))?;
        }
        Ok(Self { chains: OnceLock::new(), given, provider })
    }

    /// The verifier by roots, built at the first call.
    fn chains(&self) -> Option<&WebPkiServerVerifier> {
        let build = || {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(self.given.iter().cloned());
            let system = rustls_native_certs::load_native_certs();
            for error in &system.errors {
                tracing::debug!(%error, "a root certificate of the system cannot be used");
            }
            store.add_parsable_certificates(system.certs);
            let provider = Arc::clone(&self.provider);
            // Without one root there is nothing to build from, which is what `build` refuses.
            WebPkiServerVerifier::builder_with_provider(store.into(), provider).build().ok()
        };
        self.chains.get_or_init(build).as_deref()
    }

    /// Whether the server showed a certificate that we were given, and only its being a CA is
    /// held against it. webpki checks the dates before that, so they hold.
    fn is_given(&self, shown: &CertificateDer<'_>, error: &TlsError) -> bool {
        let TlsError::InvalidCertificate(CertificateError::Other(reason)) = error else {
            return false;
        };
        reason.to_string().contains("CaUsedAsEndEntity") && self.given.contains(shown)
    }
}

impl ServerCertVerifier for Roots {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(chains) = self.chains() else {
            let reason = CertificateError::Other(OtherError(Arc::new(NoRoots)));
            return Err(TlsError::InvalidCertificate(reason));
        };
        match chains.verify_server_cert(shown, intermediates, name, ocsp, now) {
            Err(error) if self.is_given(shown, &error) => {
                let shown = ParsedCertificate::try_from(shown)?;
                rustls::client::verify_server_name(&shown, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match parsed {
        Ok(list) if list.is_empty() && !pem.trim_ascii().is_empty() => {
            Err(unusable("the CA certificate", "it holds no PEM block `CERTIFICATE`".to_owned()))
        }
        Ok(list) => Ok(list),
        Err(error) => Err(unusable("the CA certificate", error.to_string())),
    }
}

fn unusable(what: &str, reason: String) -> Error {
    Error::Configuration { what: what.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_said_so() {
        for pem in ["garbage", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            let tls = Tls { extra_roots: pem.into(), skip_verify: false };
            let error = config(&tls).unwrap_err();
            assert!(matches!(error, Error::Configuration { .. }), "{error}");
        }
        assert!(config(&Tls::default()).is_ok());
    }
}
