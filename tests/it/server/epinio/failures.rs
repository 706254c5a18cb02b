//! What a client of Epinio is told when an export does not end well, and when its own server does not.

use std::thread;

use serde_json::{Value, json};

use super::export::{APP, post};
use super::{Site, basic, refused, site};
use crate::export::shop::declare_as;
use crate::support::faulty::{Fault, Faulty, Trouble};
use crate::support::free_port;
use crate::support::images::{Image, Target};
use crate::support::objects::Namespace;
use crate::support::registry::Registry;
use crate::support::server::{Answer, Server};

const API: &str = "outhaul.dev/v1alpha1";

/// A namespace with the application `sample`, whose image is at `sources`.
fn place<'s>(site: &'s Site, name: &str, sources: &str) -> Namespace<'s> {
    let namespace = site.namespace(name);
    let app = APP.replace("PLACE", name).replace("NOTE", "first").replace("REGISTRY", sources);
    namespace.apply(&app);
    namespace
}

/// Makes a destination without TLS and with a password that may be wrong.
fn destination(site: &Site, name: &str, address: &str) {
    let auths = json!({"auths": {address: {"username": "carol", "password": "canary-password"}}});
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": name, "labels": {"epinio.io/api-export-registry": "true"},
            "annotations": {"epinio.io/registry-namespace": "backups"},
        },
        "stringData": {".dockerconfigjson": auths.to_string()},
    });
    site.system().apply(&secret.to_string());
}

/// `epinio app export sample -r NAME`, in a namespace of that name.
fn export(server: &Server, name: &str, further: &Value) -> Answer {
    let mut body = json!({"destination": name});
    body.as_object_mut().unwrap().extend(further.as_object().cloned().unwrap());
    let path = format!("/namespaces/{name}/applications/sample/export");
    post(server, "admin", &path, &body.to_string())
}

/// A registry to export to.
fn registry() -> Registry {
    Registry::plain().tls().basic_auth("carol", "canary-password").start()
}

/// A registry with the image of the application.
fn sources() -> Registry {
    let sources = Registry::plain().start();
    Image::new(7, 1, 20_000).push(&sources.target(), "demo/web", "1");
    sources
}

/// The same, which holds a layer back so often; and the path of that layer.
fn held(times: usize) -> (Faulty, String) {
    let (sources, image) = (Faulty::start(), Image::new(9, 4, 200_000));
    image.push(&sources.target(), "demo/web", "1");
    let layer = image.blobs.iter().find(|(_, bytes)| bytes.len() == 200_000).unwrap().0.clone();
    let path = format!("/blobs/{layer}");
    sources.fault(Fault::on("GET", &path, Trouble::StallAfter(1000)).times(times));
    (sources, path)
}

fn charts(target: &Target, name: &str) -> Vec<String> {
    let mut tags = target.tags(&format!("backups/{name}-sample-chart"));
    tags.retain(|tag| !tag.starts_with("sha256-"));
    tags
}

#[test]
fn a_registry_that_is_away_or_refuses_is_a_bad_destination() {
    let (site, server) = site();
    let sources = sources();
    place(site, "away", &sources.address());
    let address = format!("127.0.0.1:{}", free_port());
    destination(site, "away", &address);
    let title = refused(&export(server, "away", &json!({})), 502);
    let title = title.as_str().unwrap();
    assert!(title.starts_with("bad export destination away: "), "{title}");
    assert!(title.contains(&address), "{title}");

    place(site, "locked", &sources.address());
    let locked = Registry::plain().basic_auth("carol", "another").start();
    destination(site, "locked", &locked.address());
    let answer = export(server, "locked", &json!({}));
    let title = refused(&answer, 502);
    let title = title.as_str().unwrap();
    assert!(title.starts_with("bad export destination locked: "), "{title}");
    assert!(title.contains("carol"), "{title}");
    let hint = answer.json()["errors"][0]["details"].clone();
    assert!(hint.as_str().is_some_and(|hint| !hint.is_empty()), "{answer:?}");

    // One that takes no more in the middle of an image, whatever is tried.
    place(site, "full", &sources.address());
    let full = Faulty::start();
    full.fault(Fault::on("POST", "/blobs/uploads/", Trouble::Status(400)).times(1));
    destination(site, "full", full.address());
    let answer = export(server, "full", &json!({}));
    let title = refused(&answer, 502);
    assert!(title.as_str().unwrap().starts_with("bad export destination"), "{title}");
    assert_eq!(charts(&full.target(), "full"), [""; 0]);
    assert!(!server.running().stderr().contains("canary-password"));
}

#[test]
fn what_is_taken_and_what_is_missing_is_told_apart() {
    let (site, server) = site();
    let sources = sources();
    place(site, "clash", &sources.address());
    let registry = registry();
    declare_as(&site.system(), "clash", &registry);
    let images = "backups/clash-sample-image";
    Image::new(8, 1, 100).push(&registry.target(), images, "mine");
    let title = refused(&export(server, "clash", &json!({"image-tag": "mine"})), 409);
    assert!(title.as_str().unwrap().contains("mine"), "{title}");

    let pod =
        APP.split("---\n").nth(1).unwrap().replace("name: sample\n  annot", "name: b\n  annot");
    let pod = pod.replace("PLACE", "gone").replace("NOTE", "").replace("demo/web:1", "gone:1");
    place(site, "gone", &sources.address()).apply(&pod.replace("REGISTRY", &sources.address()));
    declare_as(&site.system(), "gone", &registry);
    let title = refused(&export(server, "gone", &json!({})), 422);
    assert!(title.as_str().unwrap().contains("gone:1"), "{title}");
    for name in ["clash", "gone"] {
        assert_eq!(charts(&registry.target(), name), [""; 0]);
    }
}

/// Waits until the layer is asked for, and the plan is written.
fn in_the_middle(server: &Server, held: &(Faulty, String), place: &Namespace<'_>) {
    server.running().wait_for("in the middle", |_, _| {
        let planned =
            place.list(API, "Export").iter().any(|export| export["status"]["planned"].is_object());
        let asked = held.0.count("GET", &held.1) > 0;
        (planned && asked).then_some(())
    });
}

#[test]
fn as_many_wait_as_may_and_others_come_again() {
    let site = Site::start();
    let (held, registry) = (held(1), registry());
    let namespace = place(&site, "many", held.0.address());
    declare_as(&site.system(), "many", &registry);
    let server = site.serve(&["--queue", "1", "--drain", "1s"]);
    server.wait_for_status("/ready", 200);
    let records = || namespace.list(API, "Export").len();
    thread::scope(|scope| {
        let ask = |version: &'static str| {
            let server = &server;
            scope.spawn(move || export(server, "many", &json!({"chart-version": version})))
        };
        let first = ask("1.0.0");
        in_the_middle(&server, &held, &namespace);
        let second = ask("2.0.0");
        server.running().wait_for("the second", |_, _| (records() == 2).then_some(()));
        let third = export(&server, "many", &json!({"chart-version": "3.0.0"}));
        let title = refused(&third, 503);
        assert!(!third.header("retry-after").is_empty(), "{third:?}");
        assert!(title.as_str().unwrap().contains("wait"), "{title}");
        assert_eq!(records(), 2);
        // Who asks for what is under way needs no room.
        let again = ask("1.0.0");
        server.running().terminate();
        for waiting in [first, second, again] {
            let answer = waiting.join().unwrap();
            let title = refused(&answer, 503);
            assert!(title.as_str().unwrap().starts_with("the server is stopping"), "{title}");
            assert_eq!(answer.header("retry-after"), "5");
        }
        assert_eq!(records(), 2);
    });
}

#[test]
fn who_asks_again_after_a_restart_joins() {
    let site = Site::start();
    let (held, registry) = (held(1), registry());
    let namespace = place(&site, "again", held.0.address());
    declare_as(&site.system(), "again", &registry);
    let first = site.serve(&[]);
    first.wait_for_status("/ready", 200);
    let body = r#"{"destination":"again"}"#;
    let url = format!("{}/api/v1/namespaces/again/applications/sample/export", first.url());
    let lost = thread::scope(|scope| {
        let client = scope.spawn(|| {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = client.post(url).header("Authorization", basic("admin", "pw"));
            crate::support::block_on(request.body(body).send()).is_err()
        });
        in_the_middle(&first, &held, &namespace);
        first.running().kill();
        client.join().unwrap()
    });
    assert!(lost, "its server was killed");
    assert_eq!(charts(&registry.target(), "again"), [""; 0]);
    let second = site.serve(&[]);
    second.wait_for_status("/ready", 200);
    let done = export(&second, "again", &json!({}));
    assert_eq!((done.status, done.text.as_str()), (200, r#"{"status":"ok"}"#), "{done:?}");
    let records = namespace.list(API, "Export");
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0]["status"]["attempts"], 2);
    assert_eq!(charts(&registry.target(), "again").len(), 2, "0.0.0 and a version of its own");
}

#[test]
fn whose_record_is_removed_is_told_so() {
    let site = Site::start();
    let (held, registry) = (held(2), registry());
    let namespace = place(&site, "removed", held.0.address());
    declare_as(&site.system(), "removed", &registry);
    let server = site.serve(&[]);
    server.wait_for_status("/ready", 200);
    let end = |how: &dyn Fn(&str)| {
        thread::scope(|scope| {
            let waiting = scope.spawn(|| export(&server, "removed", &json!({})));
            in_the_middle(&server, &held, &namespace);
            held.0.clear_requests();
            let record = namespace.list(API, "Export").pop().unwrap();
            how(record["metadata"]["name"].as_str().unwrap());
            refused(&waiting.join().unwrap(), 409)
        })
    };
    let title = end(&|name| namespace.delete(API, "Export", name));
    assert_eq!(title, "the record of the export was removed, and so it was cancelled");
    let title = end(&|name| {
        let metadata = json!({"name": name, "annotations": {"outhaul.dev/cancel": "yes"}});
        let export = json!({"apiVersion": API, "kind": "Export", "metadata": metadata});
        namespace.apply_as("somebody", &export.to_string());
    });
    assert_eq!(title, "the export was cancelled");
    assert_eq!(charts(&registry.target(), "removed"), [""; 0]);
}
