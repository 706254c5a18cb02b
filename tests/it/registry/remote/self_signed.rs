//! A server whose certificate is its own authority, as Docker's documentation makes them for
//! registries (`openssl req -x509`), and one that leaves no certificate in doubt.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use outhaul::registry::Error;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// A certificate authority's own certificate for these names, and its key.
fn self_signed(names: &[&str]) -> (String, String) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Answers each connection's first request with an empty 200, for as long as the test lives.
fn serve(certificate: &str, key: &str) -> String {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream);
            if tls.read(&mut [0; 4096]).is_ok() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                let _ = tls.write_all(answer);
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    address
}

async fn ping(address: &str, root: &str) -> Result<(), Error> {
    let tls = Tls { extra_roots: root.into(), skip_verify: false };
    let host = address.parse().unwrap();
    let endpoint = Endpoint { tls, ..Endpoint::new(host) };
    Registry::connect(&endpoint, Keychain::new()).unwrap().ping().await
}

#[tokio::test]
async fn a_certificate_that_was_given_is_trusted_as_it_is() {
    let (certificate, key) = self_signed(&["127.0.0.1"]);
    ping(&serve(&certificate, &key), &certificate).await.unwrap();
}

#[tokio::test]
async fn its_name_must_still_be_right_and_another_is_not_trusted() {
    let (certificate, key) = self_signed(&["registry.example.com"]);
    let error = ping(&serve(&certificate, &key), &certificate).await.unwrap_err();
    assert!(matches!(error, Error::UntrustedCertificate { .. }), "{error}");

    let (other, _) = self_signed(&["127.0.0.1"]);
    let (certificate, key) = self_signed(&["127.0.0.1"]);
    let error = ping(&serve(&certificate, &key), &other).await.unwrap_err();
    assert!(matches!(error, Error::UntrustedCertificate { .. }), "{error}");
}
