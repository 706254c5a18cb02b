//! Whose registry it is, by what its answers say.

use axum::Router;
use axum::http::{HeaderName, StatusCode};
use outhaul::registry::quirks::Vendor;
use outhaul::registry::{Endpoint, Keychain, Registry, Revision, Store as _};

use crate::support::block_on;

/// What is known of a registry that has nothing and sends this header with each answer.
async fn vendor(header: &'static str) -> (Option<Vendor>, Option<Vendor>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string().parse().unwrap();
    let answer = move || async move {
        (StatusCode::NOT_FOUND, [(HeaderName::from_static(header), "7.90.1")], "")
    };
    let server = tokio::spawn(async move {
        axum::serve(listener, Router::new().fallback(answer)).await.unwrap();
    });
    let endpoint = Endpoint { plain_http: true, ..Endpoint::new(host) };
    let registry = Registry::connect(&endpoint, Keychain::new()).unwrap();
    let before = registry.vendor_by_answers();
    let revision = Revision::Tag("1".parse().unwrap());
    let repository = "team/shop".parse().unwrap();
    assert_eq!(registry.manifest_digest(&repository, &revision).await.unwrap(), None);
    server.abort();
    (before, registry.vendor_by_answers())
}

#[test]
fn artifactory_gives_itself_away() {
    block_on(async {
        assert_eq!(vendor("x-jfrog-version").await, (None, Some(Vendor::Artifactory)));
        assert_eq!(vendor("x-artifactory-id").await, (None, Some(Vendor::Artifactory)));
        assert_eq!(vendor("x-other").await, (None, None));
    });
}
