//! Whose a token is.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use outhaul::server::auth::{AuthError, Authenticator as _, Credentials, Via};
use rcgen::SigningKey as _;
use serde_json::{Value, json};

use super::{AUDIENCE, Door, SEEN, account};
use crate::cluster::proxy::{Proxy, Verdict};
use crate::support::cluster::cluster;

#[tokio::test]
async fn a_token_of_our_audience_is_its_service_account() {
    let namespace = cluster().namespace("auth");
    account(&namespace, "ci");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let caller = door.who(&namespace.token("ci", Some(AUDIENCE))).await.unwrap();
    assert_eq!(caller.user, format!("system:serviceaccount:{}:ci", namespace.name()));
    assert_eq!(caller.via, Via::Kubernetes);
    for group in ["system:authenticated", "system:serviceaccounts"] {
        assert!(caller.groups.iter().any(|of| of == group), "{:?}", caller.groups);
    }
    let made = namespace.get("v1", "ServiceAccount", "ci").unwrap();
    assert_eq!(caller.uid, made["metadata"]["uid"]);
}

#[tokio::test]
async fn a_token_of_another_audience_is_refused() {
    let namespace = cluster().namespace("auth");
    account(&namespace, "ci");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    // Those of the API server itself are good there, and not here.
    for token in [
        namespace.token("ci", Some("other.dev")),
        namespace.token("ci", None),
        "admin-token".to_owned(),
        "nobody-knows-it".to_owned(),
    ] {
        assert_eq!(door.who(&token).await, Err(AuthError::Token));
    }
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let namespace = cluster().namespace("auth");
    account(&namespace, "ci");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let token = namespace.token("ci", Some(AUDIENCE));
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    assert!(door.who(&sign(&claims)).await.is_ok(), "signed as the API server signs");
    for claim in ["iat", "nbf", "exp"] {
        claims[claim] = json!(claims[claim].as_i64().unwrap() - 3 * 3600);
    }
    assert_eq!(door.who(&sign(&claims)).await, Err(AuthError::Token));
}

#[tokio::test]
async fn a_deleted_account_is_known_no_longer_than_answers_are_kept() {
    let namespace = cluster().namespace("auth");
    account(&namespace, "ci");
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let token = namespace.token("ci", Some(AUDIENCE));
    assert!(door.who(&token).await.is_ok());
    namespace.delete("v1", "ServiceAccount", "ci");
    let (started, secret) = (Instant::now(), token.as_str().into());
    while door.live.token_review(&secret, &[AUDIENCE.to_owned()]).await.unwrap().is_some() {
        assert!(started.elapsed() < SEEN);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    door.pass(29);
    assert!(door.who(&token).await.is_ok());
    // The API server keeps answers for some seconds itself, and may give one of them once more.
    loop {
        door.pass(30);
        match door.who(&token).await {
            Ok(_) => assert!(started.elapsed() < SEEN),
            refused => return assert_eq!(refused, Err(AuthError::Token)),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_account_made_just_now_is_known_after_a_refusal_has_ended() {
    let namespace = cluster().namespace("auth");
    account(&namespace, "ci");
    let proxied = Proxy::start(cluster(), |seen| match seen.before {
        0 => Verdict::Answer(201, r#"{"status": {}}"#.to_owned()),
        _ => Verdict::Pass,
    })
    .await;
    let door = Door::open(proxied.kubeconfig("admin")).await;
    let token = namespace.token("ci", Some(AUDIENCE));
    assert_eq!(door.who(&token).await, Err(AuthError::Token));
    door.pass(4);
    assert_eq!(door.who(&token).await, Err(AuthError::Token));
    door.pass(1);
    assert!(door.who(&token).await.is_ok());
}

#[tokio::test]
async fn passwords_are_not_of_kubernetes() {
    let door = Door::open(cluster().kubeconfig("admin")).await;
    let basic = Credentials::Basic { user: "admin".into(), password: "admin-token".into() };
    assert_eq!(door.kubernetes.authenticate(&basic).await, Err(AuthError::Scheme));
}

#[tokio::test]
async fn we_know_who_we_are() {
    let door = Door::open(cluster().kubeconfig("alice")).await;
    let me = door.live.who_am_i().await.unwrap();
    assert_eq!(me.user, "alice");
    assert!(me.groups.iter().any(|group| group == "team-a"));
}

/// A token with these claims, signed with the cluster's own key.
fn sign(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({"alg": "ES256"})), part(claims));
    let key = rcgen::KeyPair::from_pem(&cluster().token_key()).unwrap();
    let signature = key.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(raw(&signature)))
}

/// RFC 7518 wants both numbers side by side, 32 bytes each; X.509 has them as a DER sequence.
fn raw(der: &[u8]) -> Vec<u8> {
    let mut numbers = &der[2..];
    let mut raw = Vec::new();
    for _ in 0..2 {
        let (number, rest) = numbers[2..].split_at(usize::from(numbers[1]));
        let digits = &number[number.len().saturating_sub(32)..];
        raw.extend(std::iter::repeat_n(0, 32 - digits.len()).chain(digits.iter().copied()));
        numbers = rest;
    }
    raw
}
