//! What a destination's webhook is told of the ends of exports.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::seen::metrics;
use super::site::{API, MAY_READ, MAY_READ_ROLES, Shop, Site, site};
use crate::export::shop::CANARIES;
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::server::Server;

const KEY: &str = "canary-key-of-the-signature";
const PATH: &str = "/hooks/canary-path?token=canary-token";

/// Makes the destination of the shop tell a webhook of these values.
fn hooked(site: &Site, shop: &Shop<'_>, values: &Value) {
    let destination = shop.namespace.name();
    let hook = format!("{destination}-hook");
    let annotations = json!({"outhaul.dev/webhook": hook});
    let metadata = json!({"name": destination, "annotations": annotations});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata});
    site.system().apply_as("somebody", &secret.to_string());
    if !values.is_null() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": hook},
            "stringData": values});
        site.system().apply(&secret.to_string());
    }
}

fn values(receiver: &Receiver) -> Value {
    json!({"url": receiver.url(PATH), "key": KEY, "allow-private": "true"})
}

/// The condition `Notified` of a record, once it is decided.
fn notified(shop: &Shop<'_>, server: &Server, name: &str) -> Value {
    server.running().wait_for("told or not", |_, _| {
        let record = shop.record(name);
        let conditions = record["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let told = conditions.into_iter().find(|condition| condition["type"] == "Notified");
        told.filter(|condition| condition["reason"] != "Pending")
    })
}

/// As a receiver verifies it, without our code.
fn assert_signed(received: &Received) {
    let signature = &received.headers["outhaul-signature"];
    let (time, code) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let age = jiff::Timestamp::now().as_second() - time.parse::<i64>().unwrap();
    assert!((0..600).contains(&age), "{signature}");
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(format!("{time}.").as_bytes());
    mac.update(&received.body);
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(code, hex);
}

#[test]
fn a_receiver_that_fails_at_first_is_told_until_it_has_heard() {
    let (site, server) = site();
    let shop = site.shop();
    shop.grant_all(site);
    let receiver = Receiver::start(&[Reply::Status(500), Reply::Status(503)]);
    hooked(site, &shop, &values(&receiver));
    let before = metrics(server);
    shop.ask("one", &json!({"requestedBy": {"user": "canary-user"}}));
    let status = shop.finished(server, "one");
    assert_eq!(status["phase"], "Succeeded", "{status:#}");
    let condition = notified(&shop, server, "one");
    assert_eq!((&condition["status"], &condition["reason"]), (&json!("True"), &json!("Delivered")));

    let received = receiver.received();
    assert_eq!(received.len(), 3);
    let record = shop.record("one");
    let uid = record["metadata"]["uid"].as_str().unwrap();
    let system = site.cluster.named_namespace("kube-system").get("v1", "Namespace", "kube-system");
    let cluster = system.unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    for one in &received {
        assert_eq!((one.method.as_str(), one.path.as_str()), ("POST", PATH));
        assert_eq!(one.body, received[0].body);
        assert_signed(one);
        let namespace = shop.namespace.name();
        for (name, value) in [
            ("content-type", "application/json".to_owned()),
            ("ce-specversion", "1.0".to_owned()),
            ("ce-id", format!("{uid}/Succeeded")),
            ("ce-type", "dev.outhaul.export.succeeded".to_owned()),
            ("ce-source", format!("/clusters/{cluster}/namespaces/{namespace}/exports/one")),
            ("ce-subject", format!("{namespace}/shop")),
            ("ce-time", status["finishedAt"].as_str().unwrap().to_owned()),
        ] {
            assert_eq!(one.headers[name], value, "{name}");
        }
    }
    let body: Value = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!(body["status"]["result"]["chart"], status["result"]["chart"], "{body:#}");
    let name = "outhaul_webhooks_total{result=\"delivered\"}";
    let after = metrics(server);
    assert!(after[name] > before.get(name).copied().unwrap_or_default());

    let (log, record) = (server.running().stderr(), record.to_string());
    assert!(!body.to_string().contains("canary-user"), "{body:#}");
    for canary in ["canary-path", "canary-token", KEY].iter().chain(&CANARIES) {
        assert!(!log.contains(canary) && !record.contains(canary), "{canary}");
        assert!(!body.to_string().contains(canary), "{canary}");
    }
}

#[test]
fn what_cannot_be_told_stands_in_the_record() {
    let (site, server) = site();
    let elsewhere = Receiver::start(&[]);
    let away = Receiver::start(&[Reply::Redirect(elsewhere.url("/"))]);
    let gone = Receiver::start(&[Reply::Status(410)]);
    let url = |url: &str| json!({"url": url, "key": KEY, "allow-private": "true"});
    let closed = json!({"url": elsewhere.url(PATH), "key": KEY});
    for (values, reason, words) in [
        (values(&away), "Rejected", "307"),
        (values(&gone), "Rejected", "410"),
        (closed, "AddressRefused", "allow-private"),
        (Value::Null, "WebhookInvalid", "is not in namespace `outhaul-system`"),
        (json!({"key": KEY}), "WebhookInvalid", "no key `url`"),
        (json!({"url": "https://hooks.example"}), "WebhookInvalid", "no key `key`"),
        (url("ftp://hooks.example/canary"), "WebhookInvalid", "no https:// or http:// URL"),
        (url("canary"), "WebhookInvalid", "no https:// or http:// URL"),
    ] {
        let shop = site.shop();
        shop.grant_all(site);
        hooked(site, &shop, &values);
        shop.ask("one", &json!({"app": "not-there"}));
        assert_eq!(shop.finished(server, "one")["phase"], "Failed");
        let condition = notified(&shop, server, "one");
        assert_eq!((&condition["status"], &condition["reason"]), (&"False".into(), &reason.into()));
        assert!(condition["message"].as_str().unwrap().contains(words), "{condition:#}");
        assert!(!condition.to_string().contains("canary"), "{condition:#}");
    }
    assert_eq!(away.received().len(), 1);
    assert_eq!(away.received()[0].headers["ce-type"], "dev.outhaul.export.failed");
    assert_eq!(elsewhere.received().len(), 0);
}

/// Whoever may not export there does not make anybody listen either.
#[test]
fn what_was_not_accepted_is_told_to_nobody() {
    let (site, server) = site();
    let shop = site.shop();
    shop.grant(site, &[MAY_READ, MAY_READ_ROLES]);
    let receiver = Receiver::start(&[]);
    hooked(site, &shop, &values(&receiver));
    shop.ask("one", &json!({}));
    let status = shop.finished(server, "one");
    assert_eq!(status["reason"], "NotAuthorized", "{status:#}");
    let conditions = status["conditions"].as_array().unwrap();
    assert!(conditions.iter().all(|condition| condition["type"] != "Notified"), "{status:#}");
    assert_eq!(receiver.received().len(), 0);
}

#[test]
fn what_a_killed_leader_has_not_told_the_next_one_tells() {
    let site = Site::start();
    let shop = site.shop();
    shop.grant_all(&site);
    let receiver = Receiver::start(&[Reply::Silence]);
    hooked(&site, &shop, &values(&receiver));
    let first = site.serve("first", &[]);
    first.running().wait_for("the leader", |_, _| site.leader().filter(|name| name == "first"));
    shop.ask("one", &json!({}));
    first
        .running()
        .wait_for("in the middle", |_, _| (receiver.received().len() == 1).then_some(()));
    first.running().kill();
    let second = site.serve("second", &[]);
    let condition = notified(&shop, &second, "one");
    assert_eq!(condition["reason"], "Delivered", "{condition:#}");
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].headers["ce-id"], received[1].headers["ce-id"]);
    received.iter().for_each(assert_signed);
    assert_eq!(shop.namespace.list(API, "Export").len(), 1);
}
