//! Exports that cannot be taken now: there is no room, or the cluster does not know what they are.

use serde_json::json;

use super::http::{ALL, Door, location};
use super::site::{Site, held, in_the_middle};

#[test]
fn where_too_many_wait_callers_come_back_later_and_joining_needs_no_room() {
    let site = Site::start();
    let server = site.serve("only", &["--workers", "1", "--queue", "1", "--rate", "1000"]);
    server.wait_for_status("/readyz", 200);
    let door = Door::to(&site, &server, held(&site, 1), &ALL);
    let ask = |app: &str| door.ask(&door.exporter, &[], &json!({"app": app}));
    let running = location(&ask("shop"));
    in_the_middle(&door.shop, &server, running.rsplit('/').next().unwrap());
    let waiting = location(&ask("second"));
    let full = ask("third");
    full.problem(503, "QUEUE_FULL");
    assert_eq!(full.header("retry-after"), "30");
    assert_eq!(location(&ask("second")), waiting);
    assert_eq!(door.records().len(), 2);

    door.post(&door.exporter, &format!("{waiting}/cancel"));
    door.finished(&waiting);
    let taken = server
        .running()
        .wait_for("room", |_, _| Some(ask("third")).filter(|answer| answer.status == 202));
    door.post(&door.exporter, &format!("{running}/cancel"));
    assert_eq!(door.finished(&location(&taken))["code"], "APP_UNKNOWN");
}

#[test]
fn without_the_resource_it_says_how_to_make_it_and_goes_on_once_it_is_there() {
    let site = Site::bare();
    let server = site.serve("only", &["--rate", "1000"]);
    let door = Door::to(&site, &server, site.shop(), &ALL);
    let exports = door.path();
    let one = format!("{exports}/one");
    for answer in [
        door.ask(&door.exporter, &[], &json!({})),
        door.get(&door.exporter, &exports),
        door.get(&door.exporter, &one),
        door.get(&door.exporter, &format!("{one}/events")),
        door.post(&door.exporter, &format!("{one}/cancel")),
    ] {
        let missing = answer.problem(503, "CRD_MISSING");
        assert_eq!(missing["hint"], "`kubectl apply -f deploy/crds` makes it");
        assert_eq!(answer.header("retry-after"), "30");
    }
    let apps = format!("/v1/namespaces/{}/apps", door.shop.namespace.name());
    assert_eq!(door.get(&door.exporter, &apps).status, 200, "reading goes on");
    let checks = server.wait_for_status("/readyz", 503).json()["checks"].clone();
    let reason = checks[2]["reason"].as_str().unwrap();
    assert!(reason.starts_with("the cluster has no resource Export"), "{checks}");

    site.cluster.add_exports();
    server.wait_for_status("/readyz", 200);
    let done = door.finished(&location(&door.ask(&door.exporter, &[], &json!({}))));
    assert_eq!(done["phase"], "Succeeded", "{done:#}");
}
