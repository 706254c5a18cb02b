//! `--wait-rollout`: an export that begins when the application is at rest.

use serde_json::{Value, json};

use super::shop::{Shop, codes, versions};

/// Says of every workload that it is rolled out, as its controller would.
fn settle(shop: &Shop<'_>) {
    for kind in ["Deployment", "StatefulSet"] {
        for object in shop.namespace.list("apps/v1", kind) {
            let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
            let (generation, replicas) = (number("/metadata/generation"), number("/spec/replicas"));
            let status = json!({"observedGeneration": generation, "replicas": replicas,
                "updatedReplicas": replicas, "readyReplicas": replicas,
                "availableReplicas": replicas});
            let name = object["metadata"]["name"].as_str().unwrap();
            shop.namespace.patch_status("apps/v1", kind, name, &status);
        }
    }
}

#[test]
fn an_export_waits_until_the_application_is_at_rest() {
    let shop = Shop::start();
    let namespace = shop.namespace.name();
    let args = ["app", "export", "shop", "-n", namespace, "-r", "team", "--wait-rollout=2m"];
    let running = shop.outhaul().spawn(&args);
    let line = "waiting for Deployment api (its controller to see the change), Deployment web";
    running.wait_for("what it waits for", |_, stderr| stderr.contains(line).then_some(()));
    assert_eq!(versions(&shop), Vec::<String>::new());
    settle(&shop);
    assert_eq!(running.wait(), 0, "{}", running.stderr());
    assert_eq!(versions(&shop).len(), 1);
}

#[test]
fn what_does_not_settle_in_time_is_named_and_nothing_is_pushed() {
    let shop = Shop::start();
    let late = shop.export(&["--wait-rollout=1s"]).exits(4);
    let text = "error: not rolled out within 1s: Deployment api (its controller to see the change)";
    assert!(late.stderr.contains(text), "{}", late.stderr);
    assert!(late.stderr.contains("hint: "));

    settle(&shop);
    let web = shop.namespace.get("apps/v1", "Deployment", "web").unwrap();
    let given_up = json!({"observedGeneration": web["metadata"]["generation"],
        "updatedReplicas": 0, "replicas": 0, "readyReplicas": 0, "availableReplicas": 0,
        "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]});
    shop.namespace.patch_status("apps/v1", "Deployment", "web", &given_up);
    let started = std::time::Instant::now();
    let stuck = shop.export(&["--wait-rollout"]).exits(4);
    assert!(stuck.stderr.contains("over its progress deadline"), "{}", stuck.stderr);
    assert!(started.elapsed().as_secs() < 60, "nobody waits for what has given up");
    assert_eq!(versions(&shop), Vec::<String>::new());
    // Without the flag the export goes ahead, as no pod tells of another revision.
    assert!(!codes(&shop.export(&[]).ok().json()).contains(&"ROLLOUT_IN_PROGRESS"));
}

#[test]
fn files_have_no_rollout_and_times_are_bounded() {
    let outhaul = crate::support::outhaul::Outhaul::new();
    for flags in [
        &["--wait-rollout=0s"][..],
        &["--wait-rollout=soon"],
        &["--wait-rollout=25h"],
        &["--wait-rollout", "--from", "x"],
    ] {
        outhaul.run(&[&["app", "export", "x", "-r", "h:1/x"], flags].concat()).exits(2);
    }
}
