//! `Export` records: made as kubectl makes them and over HTTP, carried out by `outhaul serve`.

mod account;
mod apps;
mod client;
mod completion;
mod day;
pub(super) mod escalation;
mod events;
pub(super) mod http;
mod in_cluster;
mod itself;
mod jobs;
mod over_http;
mod refused;
mod seen;
pub(super) mod site;
mod sources;
mod vouched;
mod webhooks;

use serde_json::{Value, json};

use self::site::{API, MAY_READ, MAY_USE, SYSTEM, Site, held, in_the_middle, site};
use crate::export::shop::CANARIES;
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;

#[test]
fn an_export_that_kubectl_makes_is_carried_out() {
    let (site, server) = site();
    let shop = site.shop();
    shop.grant_all(site);
    shop.ask("one", &json!({}));
    let status = shop.finished(server, "one");
    assert_eq!(status["phase"], "Succeeded", "{status:#}");
    assert_eq!((&status["exitCode"], &status["attempts"]), (&json!(0), &json!(1)));
    let result = &status["result"];
    assert_eq!(result["status"], "exported");
    assert_eq!(vec![result["chart"]["version"].as_str().unwrap().to_owned()], shop.versions());
    assert_eq!(result["chart"]["digest"], status["planned"]["digest"]);
    assert_eq!(result["images"].as_array().unwrap().len(), 3);
    let conditions = status["conditions"].as_array().unwrap();
    assert!(conditions.iter().all(|condition| condition["status"] == "True"), "{conditions:?}");
    let report = result["report"].as_str().unwrap();
    let repository = format!("backups/{}-shop-chart", shop.namespace.name());
    assert!(shop.destination.target().manifest(&repository, report).is_some(), "{report}");
    let record = shop.record("one").to_string();
    for canary in CANARIES {
        assert!(!record.contains(canary) && !server.running().stderr().contains(canary));
    }
    shop.ask("two", &json!({}));
    assert_eq!(shop.finished(server, "two")["result"]["status"], "unchanged");
}

#[test]
fn what_the_account_may_not_is_not_exported() {
    let (site, server) = site();
    let shop = site.shop();
    let refused = |name: &str, further: Value, reason: &str, words: &str| {
        shop.ask(name, &further);
        let status = shop.finished(server, name);
        assert_eq!(
            (&status["phase"], &status["reason"]),
            (&json!("Failed"), &json!(reason)),
            "{status:#}"
        );
        assert!(status["message"].as_str().unwrap().contains(words), "{status:#}");
        assert!(status["hint"].as_str().unwrap().contains("service account"), "{status:#}");
    };
    refused("nobody", json!({"serviceAccountName": null}), "NotAuthorized", "with whose rights");
    refused("unseen", json!({"serviceAccountName": "nothing"}), "NotAuthorized", "may not read");
    shop.grant(site, &[MAY_READ]);
    refused("unused", json!({"serviceAccountName": "exporter"}), "NotAuthorized", "may not `use`");
    shop.grant(site, &[MAY_USE]);
    let twin = json!({"serviceAccountName": "twin", "namespace": SYSTEM});
    refused("elsewhere", twin, "NotAuthorized", "that namespace only");
    assert_eq!(shop.versions(), Vec::<String>::new());
}

#[test]
fn kinds_that_the_account_may_not_list_are_not_exported() {
    let (site, server) = site();
    let shop = site.shop();
    shop.grant(site, &[MAY_READ, MAY_USE]);
    shop.ask("roles", &json!({}));
    let status = shop.finished(server, "roles");
    assert_eq!(status["reason"], "KIND_NOT_READABLE", "{status:#}");
    assert!(status["message"].as_str().unwrap().contains("roles.rbac.authorization.k8s.io"));
    shop.ask("secrets", &json!({"secrets": "include"}));
    let status = shop.finished(server, "secrets");
    assert_eq!(status["reason"], "NotAuthorized", "{status:#}");
    assert!(status["message"].as_str().unwrap().contains("`get` and `list` the Secrets"));
    assert_eq!(shop.versions(), Vec::<String>::new());
}

#[test]
fn an_unknown_destination_fails_with_the_words_of_the_command_line() {
    let (site, server) = site();
    let shop = site.shop();
    shop.grant_all(site);
    shop.ask("lost", &json!({"destination": "nowhere"}));
    let status = shop.finished(server, "lost");
    let output = Outhaul::new()
        .kubeconfig(site.cluster.kubeconfig("admin"))
        .env("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM)
        .run(&["app", "export", "shop", "-n", shop.namespace.name(), "-r", "nowhere"])
        .exits(6);
    // Other tests make destinations meanwhile, which the message lists.
    let words = "bad export destination `nowhere`: there is no such destination; known: ";
    assert!(output.stderr.starts_with(&format!("error: {words}")), "{}", output.stderr);
    assert!(status["message"].as_str().unwrap().starts_with(words), "{status:#}");
    let hint = output.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
    assert_eq!((&status["hint"], &status["exitCode"]), (&json!(hint), &json!(6)));
    assert_eq!(status["reason"], "DESTINATION_UNKNOWN");
}

#[test]
fn an_export_is_cancelled_by_annotation_and_by_deletion() {
    let (site, server) = site();
    let shop = held(site, 2);
    shop.grant_all(site);
    shop.ask("annotated", &json!({}));
    in_the_middle(&shop, server, "annotated");
    shop.cancel("annotated");
    assert_eq!(shop.finished(server, "annotated")["phase"], "Cancelled");
    shop.faulty().clear_requests();
    shop.ask("deleted", &json!({}));
    in_the_middle(&shop, server, "deleted");
    shop.namespace.delete(API, "Export", "deleted");
    // One application goes to one destination once at a time, so the other has ended.
    shop.ask("after", &json!({}));
    assert_eq!(shop.finished(server, "after")["phase"], "Succeeded");
    assert_eq!(shop.versions().len(), 1);
    shop.assert_whole();
}

#[test]
fn kill_nine_of_the_leader_in_the_middle_of_an_export() {
    let site = Site::start();
    let shop = held(&site, 1);
    shop.grant_all(&site);
    let first = site.serve("first", &[]);
    first.running().wait_for("the leader", |_, _| site.leader().filter(|name| name == "first"));
    let second = site.serve("second", &[]);
    second.running().wait_for("ready", |_, _| (second.get("/readyz").status == 200).then_some(()));
    shop.ask("one", &json!({}));
    let before = in_the_middle(&shop, &second, "one");
    assert!(before["holder"]["identity"].as_str().unwrap().starts_with("first_"), "{before:#}");
    assert_eq!(site.leader().as_deref(), Some("first"), "two replicas, one leader");
    first.running().kill();
    let status = second.running().wait_for("finished", |_, _| {
        shop.assert_whole();
        let status = shop.record("one")["status"].clone();
        status["finishedAt"].is_string().then_some(status)
    });
    assert_eq!(status["phase"], "Succeeded", "{status:#}");
    assert_eq!(status["attempts"], 2);
    assert!(status["holder"]["identity"].as_str().unwrap().starts_with("second_"), "{status:#}");
    assert_eq!(status["planned"]["version"], before["planned"]["version"]);
    assert_eq!(shop.versions(), [before["planned"]["version"].as_str().unwrap()]);
    shop.assert_whole();
}

#[test]
fn a_leader_that_is_told_to_end_leaves_what_runs_to_the_next_at_once() {
    let site = Site::start();
    let shop = held(&site, 1);
    shop.grant_all(&site);
    let first = site.serve("first", &["--drain", "1s"]);
    first.running().wait_for("the leader", |_, _| site.leader().filter(|name| name == "first"));
    let second = site.serve("second", &[]);
    shop.ask("one", &json!({}));
    in_the_middle(&shop, &second, "one");
    first.running().terminate();
    let status = shop.finished(&second, "one");
    assert_eq!((&status["phase"], &status["attempts"]), (&json!("Succeeded"), &json!(2)));
    assert_eq!(first.running().wait(), 0, "{}", first.running().stderr());
}

#[test]
fn what_a_dead_leader_had_finished_is_not_done_again() {
    let site = Site::start();
    let shop = site.shop();
    shop.grant_all(&site);
    let args = ["app", "export", "shop", "-n", shop.namespace.name(), "-r", shop.namespace.name()];
    let report = Outhaul::new()
        .kubeconfig(site.cluster.kubeconfig("admin"))
        .env("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM)
        .run(&[&args[..], &["--chart-version", "1.2.3", "-o", "json"]].concat())
        .ok()
        .json();
    let left = |name: &str, digest: &str, attempts: u32| {
        shop.ask(name, &json!({}));
        let status = json!({
            "phase": "Running", "attempts": attempts,
            "holder": {"identity": "dead_00000000", "since": "2026-11-26T00:00:00Z"},
            "planned": {
                "version": "1.2.3", "digest": digest, "action": "push",
                "content": report["chart"]["content"], "at": "2026-11-26T00:00:00Z",
            },
        });
        shop.namespace.patch_status(API, "Export", name, &status);
    };
    let digest = report["chart"]["digest"].as_str().unwrap();
    left("ours", digest, 1);
    left("theirs", &format!("sha256:{}", "0".repeat(64)), 1);
    left("thrice", digest, 3);
    // The application has changed since, so the same version would have other content.
    shop.namespace.apply(
        "
apiVersion: v1
kind: ConfigMap
metadata: {name: shop-config, labels: {app.kubernetes.io/name: shop}}
data: {CURRENCY: CHF}
",
    );
    let server = site.serve("next", &[]);
    let ours = shop.finished(&server, "ours");
    assert_eq!(
        (&ours["phase"], &ours["reason"]),
        (&json!("Succeeded"), &json!("FinishedBeforeCrash"))
    );
    assert_eq!(ours["result"]["chart"]["digest"], digest);
    let theirs = shop.finished(&server, "theirs");
    assert_eq!((&theirs["phase"], &theirs["reason"]), (&json!("Failed"), &json!("VERSION_TAKEN")));
    let thrice = shop.finished(&server, "thrice");
    assert_eq!((&thrice["phase"], &thrice["reason"]), (&json!("Failed"), &json!("Interrupted")));
    assert_eq!(shop.versions(), ["1.2.3"]);
}

/// Anybody can write an address into a pod that means something else to a server than to a node.
#[test]
fn images_of_the_servers_own_surroundings_are_not_read() {
    let site = Site::start();
    let shop = site.shop();
    shop.grant_all(&site);
    let server = Server::start_strict(site.outhaul("strict"), &[]);
    shop.ask("one", &json!({}));
    let status = shop.finished(&server, "one");
    assert_eq!((&status["phase"], &status["reason"]), (&json!("Failed"), &json!("SOURCE_REFUSED")));
    assert!(status["message"].as_str().unwrap().contains("127.0.0.1"), "{status:#}");
    assert_eq!(shop.versions(), Vec::<String>::new());
}

#[test]
fn an_export_does_not_run_for_ever() {
    let site = Site::start();
    let shop = held(&site, 1);
    shop.grant_all(&site);
    let server = site.serve("hurried", &["--longest", "3s"]);
    shop.ask("one", &json!({}));
    let status = shop.finished(&server, "one");
    assert_eq!(
        (&status["phase"], &status["reason"]),
        (&json!("Failed"), &json!("DeadlineExceeded")),
        "{status:#}"
    );
    assert_eq!(shop.versions(), Vec::<String>::new());
}

/// As two replicas make them that are asked at once, or a client that did not hear the answer.
#[test]
fn records_that_ask_for_the_same_are_one_export() {
    let (site, server) = site();
    let shop = held(site, 1);
    shop.grant_all(site);
    shop.ask("first", &json!({}));
    in_the_middle(&shop, server, "first");
    for name in ["second", "third", "fourth"] {
        shop.ask(name, &json!({}));
        let joined = server.running().wait_for("joined", |_, _| {
            let status = shop.record(name)["status"].clone();
            status["joinedTo"].is_string().then_some(status)
        });
        assert_eq!((&joined["joinedTo"], &joined["phase"]), (&json!("first"), &json!("Pending")));
    }
    // What is cancelled is one of them, whichever does the work.
    shop.cancel("fourth");
    assert_eq!(shop.finished(server, "fourth")["phase"], "Cancelled");
    assert_eq!(shop.record("first")["status"]["phase"], "Running");
    shop.cancel("first");
    assert_eq!(shop.finished(server, "first")["phase"], "Cancelled");
    let (second, third) = (shop.finished(server, "second"), shop.finished(server, "third"));
    assert_eq!(second["phase"], "Succeeded", "{second:#}");
    assert_eq!((&second["attempts"], &second["joinedTo"]), (&json!(1), &Value::Null));
    for same in ["phase", "result", "planned", "exitCode", "reason"] {
        assert_eq!(second[same], third[same], "{same}");
    }
    assert_eq!((&third["attempts"], &third["joinedTo"]), (&json!(0), &json!("second")));
    assert_eq!(shop.versions().len(), 1);
}
