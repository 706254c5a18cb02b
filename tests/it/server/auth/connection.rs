//! What a front proxy may say, over real TLS.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Extension, Router};
use axum_server::tls::TlsInfo;
use axum_server::tls_rustls::{RustlsConfig, from_tcp_rustls};
use outhaul::server::auth::{Credentials, is_vouched_for};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::support::certs::{Authority, Identity};

/// A server that trusts clients of `proxies`, and answers who it takes the caller for.
async fn serve(authority: &Authority, proxies: &Authority) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(proxies.pem.as_bytes()).unwrap()).unwrap();
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
    let identity = authority.loopback();
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/", get(who)).into_make_service();
    let server = from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(config))).unwrap();
    tokio::spawn(server.serve(app));
    address
}

async fn who(Extension(connection): Extension<Arc<TlsInfo>>, mut headers: HeaderMap) -> String {
    let credentials = Credentials::take(&mut headers, is_vouched_for(Some(&connection)));
    let left = headers.keys().any(|name| name.as_str().starts_with("x-remote-"));
    let who = match credentials {
        Ok(Credentials::Proxy(caller)) => format!("{} of {:?}", caller.user, caller.groups),
        Ok(_) => "somebody with a token".to_owned(),
        Err(error) => error.to_string(),
    };
    format!("{who}{}", if left { ", headers left" } else { "" })
}

/// What the server answers to one who says to be admin.
async fn ask(
    server: SocketAddr,
    authority: &Authority,
    identity: Option<&Identity>,
    token: Option<&str>,
) -> reqwest::Result<String> {
    let root = reqwest::Certificate::from_pem(authority.pem.as_bytes())?;
    let mut client = reqwest::Client::builder().tls_certs_only([root]).no_proxy();
    if let Some(Identity { certificate, key }) = identity {
        let pem = format!("{certificate}{key}");
        client = client.identity(reqwest::Identity::from_pem(pem.as_bytes())?);
    }
    let mut request = client.build()?.get(format!("https://{server}/"));
    request = request.header("X-Remote-User", "admin").header("X-Remote-Group", "system:masters");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await?.text().await
}

#[tokio::test]
async fn who_shows_no_certificate_is_nobody_whatever_the_headers_say() {
    let (authority, proxies) = (Authority::new("server"), Authority::new("front proxies"));
    let server = serve(&authority, &proxies).await;
    let answer = ask(server, &authority, None, None).await.unwrap();
    assert_eq!(answer, "missing credentials");
    let answer = ask(server, &authority, None, Some("t")).await.unwrap();
    assert_eq!(answer, "somebody with a token");
}

#[tokio::test]
async fn a_front_proxy_says_who_it_is() {
    let (authority, proxies) = (Authority::new("server"), Authority::new("front proxies"));
    let server = serve(&authority, &proxies).await;
    let proxy = proxies.client("front-proxy");
    let answer = ask(server, &authority, Some(&proxy), Some("t")).await.unwrap();
    assert_eq!(answer, r#"admin of ["system:masters", "system:authenticated"]"#);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_does_not_even_connect() {
    let (authority, proxies) = (Authority::new("server"), Authority::new("front proxies"));
    let server = serve(&authority, &proxies).await;
    for stranger in [&authority, &Authority::new("front proxies")] {
        let identity = stranger.client("front-proxy");
        assert!(ask(server, &authority, Some(&identity), None).await.is_err());
    }
}
