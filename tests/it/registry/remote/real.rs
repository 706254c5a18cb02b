//! CNCF Distribution as the other side.

use outhaul::registry::{Error, Pushed, Revision, Store as _};

use super::super::fixture::{image, put_tag, repository, tag};
use super::*;
use crate::support::registry;

/// A registry's client with this trust and login.
fn client(real: &registry::Registry, tls: Tls, login: Option<(&str, &str)>) -> Arc<Registry> {
    let mut keychain = Keychain::new();
    if let Some((user, password)) = login {
        keychain = keychain.with(&real.address(), Credential::basic(user, password));
    }
    let host = real.address().parse().unwrap();
    Registry::connect(&Endpoint { tls, ..Endpoint::new(host) }, keychain).unwrap()
}

fn trusting(real: &registry::Registry) -> Tls {
    Tls { extra_roots: real.ca_pem().into(), skip_verify: false }
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_when_given() {
    let real = registry::Registry::plain().tls().basic_auth("u", "p").start();
    client(&real, trusting(&real), Some(("u", "p"))).ping().await.unwrap();
    let any = Tls { extra_roots: Vec::new(), skip_verify: true };
    client(&real, any, Some(("u", "p"))).ping().await.unwrap();
    // On loopback too: a certificate that is not trusted is no reason to speak plain HTTP.
    let error = client(&real, Tls::default(), Some(("u", "p"))).ping().await.unwrap_err();
    assert!(matches!(error, Error::UntrustedCertificate { .. }), "{error}");
    let stranger = crate::support::certs::Authority::new("stranger");
    let other = Tls { extra_roots: stranger.pem.into(), skip_verify: false };
    let error = client(&real, other, Some(("u", "p"))).ping().await.unwrap_err();
    assert!(matches!(error, Error::UntrustedCertificate { .. }), "{error}");
}

#[tokio::test]
async fn roots_for_another_registry_do_not_keep_plain_http_from_loopback() {
    let real = registry::Registry::plain().start();
    let authority = crate::support::certs::Authority::new("another");
    let tls = Tls { extra_roots: authority.pem.into(), skip_verify: false };
    client(&real, tls, None).ping().await.unwrap();
    let any = Tls { extra_roots: Vec::new(), skip_verify: true };
    assert!(client(&real, any, None).ping().await.is_err());
}

#[tokio::test]
async fn a_wrong_password_is_named_without_itself() {
    let real = registry::Registry::plain().tls().basic_auth("u", "p").start();
    let error = client(&real, trusting(&real), Some(("u", "hunter2"))).ping().await.unwrap_err();
    assert!(
        matches!(&error, Error::Unauthorized { user: Some(user), .. } if user == "u"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let error = client(&real, trusting(&real), None).ping().await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { user: None, .. }), "{error}");
    let text = format!("{} needs credentials and none were found", real.address());
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn an_image_goes_there_and_comes_back() {
    let real = registry::Registry::plain().basic_auth("u", "p").start();
    let registry = client(&real, Tls::default(), Some(("u", "p")));
    let layers = [content("one", 300_000), content("two", 7), Bytes::new()];
    let manifest = image(&*registry, REPOSITORY, &layers).await;
    put_tag(&*registry, REPOSITORY, "1", &manifest).await;
    let found = registry.manifest(&repository(REPOSITORY), &tag("1").into()).await.unwrap();
    assert_eq!(found, Some(manifest));
    for layer in &layers {
        assert_eq!(read_all(&*registry, &blob(LAYER, layer)).await.unwrap(), *layer);
    }
    let tags = registry.tags(&repository(REPOSITORY)).await.unwrap();
    assert_eq!(tags, Some(vec![tag("1")]));

    let (other, from) = (repository("other/app"), repository(REPOSITORY));
    let (source, one) = (Pieces::of(&layers[0]), blob(LAYER, &layers[0]));
    let pushed = registry.push_blob(&other, &one, Some(&from), &source).await.unwrap();
    assert_eq!((pushed, source.opened()), (Pushed::Mounted, 0));
    let absent = repository("no/where");
    let pushed = registry.push_blob(&repository("third/app"), &one, Some(&absent), &source).await;
    assert_eq!((pushed.unwrap(), source.opened()), (Pushed::Written, 1));
    assert!(real.requests(&["PATCH"]).is_empty());
}

#[tokio::test]
async fn what_it_can_do_is_found_out_without_doing_it() {
    for delete in [true, false] {
        let real = registry::Registry::plain().delete(delete).start();
        let registry = client(&real, Tls::default(), None);
        let name = repository(REPOSITORY);
        registry.can_push(&name).await.unwrap();
        let manifest = image(&*registry, REPOSITORY, &[content("one", 10)]).await;
        assert_eq!(registry.can_delete(&name).await.unwrap(), Some(delete));
        assert!(!registry.has_referrers_api(&name).await.unwrap());
        let revision = Revision::Digest(manifest.digest.clone());
        assert!(registry.manifest_digest(&name, &revision).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn one_that_dies_midway_is_unreachable() {
    let real = registry::Registry::plain().start();
    let registry = client(&real, Tls::default(), None);
    registry.ping().await.unwrap();
    real.kill();
    let (bytes, layer) = layer("layer", 10);
    let pushed =
        registry.push_blob(&repository(REPOSITORY), &layer, None, &Pieces::of(&bytes)).await;
    assert!(matches!(pushed, Err(Error::Unreachable { .. })), "{pushed:?}");
}
