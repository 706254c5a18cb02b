//! `outhaul serve --executor job`: each export in a Job, with a real API server, the real Job
//! controller and the real `outhaul run-export`; the tests are the node ([`node`]).

mod account;
mod e2e;
mod forged;
mod lost;
mod node;
mod template;

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use self::node::{Node, Way};
use super::site::{API, SYSTEM, Shop, Site, held, held_by, until};
use crate::export::shop::CANARIES;
use crate::support::faulty::Trouble;
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;

/// As many tests wait for Jobs at once.
const SERVE: [&str; 4] = ["--executor", "job", "--workers", "16"];

/// The cluster of the tests here, with the chart's accounts, and a server.
fn jobs() -> &'static (Site, Server) {
    static SHARED: OnceLock<(Site, Server)> = OnceLock::new();
    SHARED.get_or_init(|| {
        let site = Site::with_jobs();
        let server = site.serve("only", &SERVE);
        (site, server)
    })
}

/// Name of the Job of an attempt at the export `one`.
fn job_name(shop: &Shop<'_>, attempt: u32) -> String {
    let record = shop.record("one");
    format!("outhaul-{}-{attempt}", &record["metadata"]["uid"].as_str().unwrap()[..8])
}

/// The Job of an attempt at the export `one`.
fn job(site: &Site, shop: &Shop<'_>, attempt: u32) -> Option<Value> {
    site.system().get("batch/v1", "Job", &job_name(shop, attempt))
}

#[test]
fn an_export_in_a_job_is_the_one_that_the_command_line_makes() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    let mut node = Node::new(site, server, &shop);
    shop.ask("one", &json!({}));
    let status = node.finished("one");
    assert_eq!(status["phase"], "Succeeded", "{status:#}\n{}", node.logs());
    assert_eq!((&status["exitCode"], &status["attempts"]), (&json!(0), &json!(1)));
    assert_eq!(status["holder"]["identity"], *job_name(&shop, 1));
    let result = &status["result"];
    assert_eq!((&result["status"], &status["step"]), (&json!("exported"), &Value::Null));
    assert_eq!(result["images"].as_array().unwrap().len(), 3);
    assert_eq!(result["chart"]["digest"], status["planned"]["digest"]);
    assert_eq!(shop.versions(), [result["chart"]["version"].as_str().unwrap()]);
    let (done, total) = (&status["progress"]["bytesDone"], &status["progress"]["bytesTotal"]);
    assert!(done == total && done.as_u64() > Some(0), "{status:#}");

    // The Job is what the template and the record say.
    let job = job(site, &shop, 1).unwrap();
    assert_eq!(job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"], "exports");
    let record = shop.record("one");
    assert_eq!(job["metadata"]["labels"]["outhaul.dev/export-uid"], record["metadata"]["uid"]);
    let spec = &job["spec"];
    assert_eq!((&spec["backoffLimit"], &spec["activeDeadlineSeconds"]), (&json!(0), &json!(21600)));
    assert_eq!(spec["ttlSecondsAfterFinished"], 3600);
    assert_eq!(spec["template"]["spec"]["serviceAccountName"], "outhaul-worker");

    // The fields that the worker has written are its own.
    let owns = |field: &str| {
        record["metadata"]["managedFields"].as_array().unwrap().iter().any(|entry| {
            let own = &entry["fieldsV1"]["f:status"][format!("f:{field}")];
            entry["manager"] == "outhaul-worker" && own.is_object()
        })
    };
    assert!(owns("planned") && owns("result") && !owns("phase") && !owns("conditions"));

    // With the same input the command line finds nothing to do.
    let (namespace, to) = (shop.namespace.name(), shop.namespace.name());
    let report = Outhaul::new()
        .kubeconfig(site.cluster.kubeconfig("admin"))
        .env("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM)
        .run(&["app", "export", "shop", "-n", namespace, "-r", to, "-o", "json"])
        .ok()
        .json();
    assert_eq!(report["status"], "unchanged", "{report:#}");
    assert_eq!(report["chart"]["content"], status["planned"]["content"]);

    let said = format!("{record}{}{}", node.logs(), server.running().stderr());
    for canary in CANARIES {
        assert!(!said.contains(canary), "{canary}");
    }
    for kind in ["Export", "Deployment"] {
        until("it is told", || {
            let events = shop.namespace.list("events.k8s.io/v1", "Event");
            let told = |reason: &str| {
                events.iter().any(|it| it["regarding"]["kind"] == kind && it["reason"] == reason)
            };
            told("ExportStarted") && told("ExportSucceeded")
        });
    }
}

#[test]
fn a_failure_is_told_with_the_words_of_the_command_line() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    let mut node = Node::new(site, server, &shop);
    shop.ask("one", &json!({"destination": "nowhere"}));
    let status = node.finished("one");
    let output = Outhaul::new()
        .kubeconfig(site.cluster.kubeconfig("admin"))
        .env("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM)
        .run(&["app", "export", "shop", "-n", shop.namespace.name(), "-r", "nowhere"])
        .exits(6);
    let words = "bad export destination `nowhere`: there is no such destination; known: ";
    assert!(output.stderr.starts_with(&format!("error: {words}")), "{}", output.stderr);
    assert!(status["message"].as_str().unwrap().starts_with(words), "{status:#}");
    let hint = output.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
    assert_eq!((&status["hint"], &status["exitCode"]), (&json!(hint), &json!(6)));
    assert_eq!(
        (&status["reason"], &status["attempts"]),
        (&json!("DESTINATION_UNKNOWN"), &json!(1))
    );
    assert!(!server.running().stderr().contains("begun again"), "it would fail again");
}

#[test]
fn what_ends_without_a_word_is_told_by_its_exit_code() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    for (name, way, reason, words, exit) in [
        ("silent", Way::Ends(7, ""), "Credentials", "exit code 7", 7),
        ("other", Way::Ends(101, "thread panicked"), "Failed", "thread panicked", 1),
        ("lying", Way::Ends(0, ""), "Failed", "no result", 1),
    ] {
        let mut node = Node::new(site, server, &shop).next(&[way]);
        shop.ask(name, &json!({}));
        let status = node.until("finished", || {
            let status = shop.record(name)["status"].clone();
            status["finishedAt"].is_string().then_some(status)
        });
        assert_eq!(
            (&status["phase"], &status["reason"], &status["exitCode"]),
            (&json!("Failed"), &json!(reason), &json!(exit)),
            "{status:#}"
        );
        assert!(status["message"].as_str().unwrap().contains(words), "{status:#}");
    }
    assert_eq!(shop.versions(), Vec::<String>::new());
}

#[test]
fn what_is_cancelled_or_removed_takes_its_job_along() {
    let (site, server) = jobs();
    let shop = held(site, 2);
    shop.grant_all(site);
    let mut node = Node::new(site, server, &shop);
    shop.ask("one", &json!({}));
    node.until("in the middle", || shop.in_the_middle("one"));
    shop.cancel("one");
    let status = node.finished("one");
    assert_eq!((&status["phase"], &status["exitCode"]), (&json!("Cancelled"), &json!(130)));
    assert_eq!(job(site, &shop, 1), None, "it is cancelled when nothing runs any more");

    shop.faulty().clear_requests();
    shop.namespace.delete(API, "Export", "one");
    shop.ask("one", &json!({}));
    node.until("in the middle", || shop.in_the_middle("one"));
    let second = job_name(&shop, 1);
    shop.namespace.delete(API, "Export", "one");
    node.until("gone", || site.system().get("batch/v1", "Job", &second).is_none().then_some(()));
    shop.ask("after", &json!({}));
    assert_eq!(node.finished("after")["phase"], "Succeeded");
    assert_eq!(shop.versions().len(), 1);
    shop.assert_whole();
}

#[test]
fn what_cannot_run_says_why_and_not_for_ever() {
    let (site, server) = jobs();
    let shop = site.shop();
    shop.grant_all(site);
    for (way, words) in [(Way::NoRoom, "0/3 nodes"), (Way::NoImage, "ImagePullBackOff")] {
        let mut node = Node::new(site, server, &shop).next(&[way]);
        shop.ask("one", &json!({}));
        let status = node.until("told", || {
            let status = shop.record("one")["status"].clone();
            status["message"].as_str().is_some_and(|it| it.contains(words)).then_some(status)
        });
        assert_eq!(status["phase"], "Running");
        // Six hours are too long for a test.
        let job = json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": job_name(&shop, 1)}, "spec": {"activeDeadlineSeconds": 1}});
        site.system().apply(&job.to_string());
        let status = node.finished("one");
        assert_eq!(
            (&status["phase"], &status["reason"], &status["attempts"]),
            (&json!("Failed"), &json!("DeadlineExceeded"), &json!(1)),
            "{status:#}"
        );
        shop.namespace.delete(API, "Export", "one");
    }
}

#[test]
fn kill_nine_of_the_leader_while_a_job_runs() {
    let site = Site::with_jobs();
    let (shop, other) = (held_by(&site, 1, Trouble::Slow(Duration::from_secs(3))), site.shop());
    shop.grant_all(&site);
    other.grant_all(&site);
    let args = ["--executor", "job", "--workers", "1"];
    let first = site.serve("first", &args);
    first.running().wait_for("the leader", |_, _| site.leader().filter(|name| name == "first"));
    let second = site.serve("second", &args);
    let mut node = Node::new(&site, &first, &shop);
    shop.ask("one", &json!({}));
    let before = node.until("in the middle", || shop.in_the_middle("one"));
    // However long the next leader takes, the Job is there then, and has not ended.
    node.process().pause();
    other.ask("two", &json!({}));
    until("the other waits", || other.record("two")["status"]["phase"] == "Pending");
    assert_eq!(site.system().list("batch/v1", "Job").len(), 1, "one worker, one Job");
    first.running().kill();
    node.look_at(&second);
    node.until("led by the second", || {
        shop.assert_whole();
        site.leader().filter(|name| name == "second")
    });
    assert_eq!(shop.versions(), Vec::<String>::new());
    node.process().resume();
    let status = node.until("finished", || {
        shop.assert_whole();
        let status = shop.record("one")["status"].clone();
        status["finishedAt"].is_string().then_some(status)
    });
    assert_eq!((&status["phase"], &status["attempts"]), (&json!("Succeeded"), &json!(1)));
    assert_eq!(status["holder"], before["holder"]);
    assert_eq!(shop.versions(), [before["planned"]["version"].as_str().unwrap()]);
    assert_eq!(node.had().len(), 1, "the same pod went on");
    shop.assert_whole();
    assert_eq!(Node::new(&site, &second, &other).finished("two")["phase"], "Succeeded");
}
