//! Who we are: passwords, tokens, and what a refusal means.

use futures_util::future::join_all;
use outhaul::registry::{Credential, Error, Keychain, Store as _};

use super::super::fixture::{repository, tag};
use super::*;
use crate::support::faulty::{Auth, Fault, Trouble};
use crate::support::images::Image;

const TOKEN: Auth = Auth::PrivateToken("robot$ci", "pass:word");

#[tokio::test]
async fn sixteen_requests_at_once_fetch_one_token() {
    let faulty = Faulty::with_auth(TOKEN);
    let (_, blob) = stored(&faulty, "layer", 100).await;
    let registry = login(&faulty, "robot$ci", "pass:word");
    let name = repository(REPOSITORY);
    let asked = join_all((0..16).map(|_| registry.has_blob(&name, &blob))).await;
    assert!(asked.into_iter().all(|there| there.unwrap()));
    assert_eq!(faulty.count("GET", "/token"), 1);

    faulty.clear_requests();
    assert!(registry.has_blob(&name, &blob).await.unwrap());
    assert_eq!(faulty.requests().len(), 1, "{:?}", faulty.requests());
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_said_to_all_who_wait() {
    let faulty = Faulty::with_auth(TOKEN);
    let registry = login(&faulty, "robot$ci", "wrong");
    let (name, (_, blob)) = (repository(REPOSITORY), layer("layer", 10));
    let asked = join_all((0..16).map(|_| registry.has_blob(&name, &blob))).await;
    for answer in asked {
        let error = answer.unwrap_err();
        assert!(
            matches!(&error, Error::Unauthorized { user: Some(user), .. } if user == "robot$ci"),
            "{error:?}"
        );
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
    assert_eq!(faulty.count("GET", "/token"), 1);
}

#[tokio::test]
async fn a_token_that_became_worthless_is_fetched_again() {
    let faulty = Faulty::with_auth(TOKEN);
    let (_, blob) = stored(&faulty, "layer", 100).await;
    let registry = login(&faulty, "robot$ci", "pass:word");
    let name = repository(REPOSITORY);
    assert!(registry.has_blob(&name, &blob).await.unwrap());
    faulty.expire_tokens();
    let asked = join_all((0..8).map(|_| registry.has_blob(&name, &blob))).await;
    assert!(asked.into_iter().all(|there| there.unwrap()));
    assert_eq!(faulty.count("GET", "/token"), 2);
}

#[tokio::test]
async fn a_token_that_ends_between_two_requests_of_an_upload_restarts_the_bytes_only() {
    let faulty = Faulty::with_auth(TOKEN);
    let (bytes, blob) = layer("layer", 5000);
    let registry = login(&faulty, "robot$ci", "pass:word");
    faulty.fault(Fault::on("PUT", UPLOADS, Trouble::Status(401)));
    let source = Pieces::of(&bytes);
    registry.push_blob(&repository(REPOSITORY), &blob, None, &source).await.unwrap();
    assert_eq!(source.opened(), 2);
    assert_eq!(faulty.target().blob(REPOSITORY, blob.digest.as_str()).unwrap(), bytes);
    let opened = faulty.requests().iter().filter(|r| r.method == "POST" && r.status == 202).count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn a_mount_asks_for_both_repositories_at_once() {
    let faulty = Faulty::with_auth(TOKEN);
    let (bytes, blob) = stored(&faulty, "layer", 100).await;
    let registry = login(&faulty, "robot$ci", "pass:word");
    let (to, from) = (repository("other/app"), repository(REPOSITORY));
    let pushed = registry.push_blob(&to, &blob, Some(&from), &Pieces::of(&bytes)).await.unwrap();
    assert_eq!(pushed, outhaul::registry::Pushed::Mounted);
    assert_eq!(faulty.count("GET", "/token"), 1);
    assert_eq!(faulty.count("PUT", ""), 0);
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let faulty = Faulty::with_auth(TOKEN);
    let (_, blob) = stored(&faulty, "layer", 100).await;
    for (token, right) in [("pass:word", true), ("old", false)] {
        let credential = Credential::IdentityToken(token.into());
        let keychain = Keychain::new().with(faulty.address(), credential);
        let answer =
            connect(faulty.address(), keychain).has_blob(&repository(REPOSITORY), &blob).await;
        match answer {
            Ok(there) => assert!(there && right),
            Err(error) => assert!(matches!(error, Error::Unauthorized { .. }) && !right, "{error}"),
        }
    }
    assert_eq!(faulty.count("POST", "/token"), 2);
}

#[tokio::test]
async fn a_registry_token_goes_out_as_it_is() {
    let faulty = Faulty::with_auth(TOKEN);
    let credential = Credential::RegistryToken("given".into());
    let registry = connect(faulty.address(), Keychain::new().with(faulty.address(), credential));
    let answer = registry.ping().await;
    assert!(matches!(answer, Err(Error::Unauthorized { user: Some(_), .. })), "{answer:?}");
    let requests = faulty.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].authorization.as_deref(), Some("Bearer given"));
}

#[tokio::test]
async fn nobody_may_read_what_is_public_and_not_write_it() {
    let faulty = Faulty::with_auth(Auth::Token("u", "p"));
    let image = Image::new(1, 1, 10);
    let root = image.push(&faulty.target(), REPOSITORY, "1");
    let registry = anonymous(&faulty);
    let found = registry.manifest_digest(&repository(REPOSITORY), &tag("1").into()).await.unwrap();
    assert_eq!(found.unwrap().as_str(), root);
    let (bytes, blob) = layer("layer", 10);
    let pushed =
        registry.push_blob(&repository(REPOSITORY), &blob, None, &Pieces::of(&bytes)).await;
    assert!(matches!(pushed, Err(Error::Unauthorized { user: None, .. })), "{pushed:?}");
}

#[tokio::test]
async fn a_password_is_sent_only_when_asked_for_and_then_at_once() {
    let faulty = Faulty::with_auth(Auth::Basic("u", "p"));
    let (_, blob) = stored(&faulty, "layer", 100).await;
    let registry = login(&faulty, "u", "p");
    for _ in 0..2 {
        assert!(registry.has_blob(&repository(REPOSITORY), &blob).await.unwrap());
    }
    let statuses: Vec<u16> = faulty.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [401, 200, 200]);
    let wrong = login(&faulty, "u", "wrong").ping().await;
    assert!(matches!(wrong, Err(Error::Unauthorized { user: Some(_), .. })), "{wrong:?}");
}

#[tokio::test]
async fn a_missing_right_is_not_a_wrong_password() {
    let faulty = Faulty::with_auth(Auth::Basic("u", "p"));
    faulty.fault(Fault::on("POST", UPLOADS, Trouble::Status(403)));
    let denied = login(&faulty, "u", "p").can_push(&repository(REPOSITORY)).await;
    let Err(Error::Forbidden { repository, reason, .. }) = denied else { panic!("{denied:?}") };
    assert_eq!((repository.as_str(), reason.as_str()), (REPOSITORY, "SCRIPTED: scripted"));
}
