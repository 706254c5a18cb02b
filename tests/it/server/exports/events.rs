//! `/v1/…/exports/NAME/events` and `…/report`: an export that is watched, and what it has to say.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use super::http::{ALL, Door, location};
use super::site::{API, held, in_the_middle, site, until};
use crate::export::shop::CANARIES;
use crate::support::server::Server;
use crate::support::sse::Events;

impl Door<'_> {
    fn events(&self, server: &Server, location: &str, last: Option<u64>) -> Events {
        Events::open(server, &format!("{location}/events"), &self.exporter, last)
    }
}

#[test]
fn an_export_is_watched_until_its_end() {
    let door = Door::open(&ALL);
    let location = location(&door.ask(&door.exporter, &[], &json!({})));
    let mut events = door.events(door.server, &location, None);
    let head = events.head.to_lowercase();
    for header in
        ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"]
    {
        assert!(head.contains(header), "{head}");
    }
    let (mut states, mut ids) = (Vec::new(), Vec::new());
    let end = loop {
        let event = events.next().unwrap();
        if event.name != "export" {
            break event;
        }
        ids.push(event.id.unwrap());
        states.push(event.data);
    };
    assert_eq!((end.name.as_str(), events.next().is_none()), ("end", true));
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let last = states.last().unwrap();
    assert_eq!(
        (&last["phase"], &last["result"]["status"]),
        (&json!("Succeeded"), &json!("exported"))
    );
    assert_eq!(last["progress"]["sequence"], *ids.last().unwrap());
    assert_eq!(&door.get(&door.exporter, &location).json(), last);
    assert!(CANARIES.iter().all(|canary| states.iter().all(|it| !it.to_string().contains(canary))));

    // Who comes back after the end is told of it, whatever was seen.
    let mut late = door.events(door.server, &location, ids.last().copied());
    let told: Vec<String> = std::iter::from_fn(|| late.next()).map(|event| event.name).collect();
    assert_eq!(told, ["export", "end"]);
}

#[test]
fn who_comes_back_goes_on_where_it_was_and_nobody_ends_an_export_by_going() {
    let (site, server) = site();
    let door = Door::to(site, server, held(site, 1), &ALL);
    let location = location(&door.ask(&door.exporter, &[], &json!({})));
    let name = location.rsplit('/').next().unwrap();
    in_the_middle(&door.shop, server, name);
    let mut events = door.events(server, &location, None);
    let seen = events.next().unwrap().id.unwrap();
    drop(events);
    let mut back = door.events(server, &location, Some(seen));
    let status = server.running().wait_for("copying", |_, _| {
        let status = door.shop.record(name)["status"].clone();
        Some(status).filter(|status| status["step"] == "Copying")
    });
    assert_eq!(status["phase"], "Running", "the caller's going ended it: {status:#}");
    let cancel = |_| door.post(&door.exporter, &format!("{location}/cancel"));
    std::thread::scope(|scope| {
        scope.spawn(|| cancel(()));
        let next = back.next().unwrap();
        assert!(next.id.unwrap() > seen, "{next:?}");
    });
    door.finished(&location);
}

#[test]
fn who_watches_is_told_that_it_was_removed_and_that_the_server_goes() {
    let (site, server) = site();
    let door = Door::to(site, server, held(site, 1), &ALL);
    let location = location(&door.ask(&door.exporter, &[], &json!({})));
    let name = location.rsplit('/').next().unwrap();
    in_the_middle(&door.shop, server, name);
    let other = site.serve("other", &["--rate", "1000"]);
    other.wait_for_status("/readyz", 200);
    let mut of_other = door.events(&other, &location, None);
    assert_eq!(of_other.next().unwrap().name, "export");
    other.running().terminate();
    let told = std::iter::from_fn(|| of_other.next()).find(|event| event.name != "export").unwrap();
    assert_eq!((told.name.as_str(), told.retry), ("reconnect", Some(2000)));
    assert!(of_other.next().is_none());
    assert_eq!(other.running().wait(), 0, "{}", other.running().stderr());

    let mut events = door.events(server, &location, None);
    assert_eq!(events.next().unwrap().name, "export");
    door.shop.namespace.delete(API, "Export", name);
    let told = std::iter::from_fn(|| events.next()).find(|event| event.name != "export").unwrap();
    assert_eq!((told.name.as_str(), events.next().is_none()), ("gone", true));
    let path = format!("{location}/events");
    door.get(&door.exporter, &path).problem(404, "EXPORT_UNKNOWN");
    door.get(&door.bob, &path).problem(403, "FORBIDDEN");
}

#[test]
fn a_caller_watches_sixteen_at_most() {
    let (site, server) = site();
    let door = Door::to(site, server, held(site, 1), &ALL);
    let location = location(&door.ask(&door.exporter, &[], &json!({})));
    in_the_middle(&door.shop, server, location.rsplit('/').next().unwrap());
    let mut open: Vec<Events> = (0..16).map(|_| door.events(server, &location, None)).collect();
    let path = format!("{location}/events");
    let refused = door.get(&door.exporter, &path);
    refused.problem(429, "RATE_LIMITED");
    assert!(!refused.header("retry-after").is_empty());
    drop(open.pop());
    door.post(&door.exporter, &format!("{location}/cancel"));
    // That one has gone is seen at the next event, and the end is one.
    let ended = server.running().wait_for("room", |_, _| {
        Some(door.get(&door.exporter, &path)).filter(|answer| answer.status == 200)
    });
    assert!(ended.text.contains("event: end"), "{ended:?}");
}

/// Every account of the namespace may see exports.
const ALL_SEE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: all-see}
rules:
- {apiGroups: [outhaul.dev], resources: [exports], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: all-see}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: all-see}
subjects: [{kind: Group, name: 'system:serviceaccounts:NAMESPACE', apiGroup: rbac.authorization.k8s.io}]
";

/// Ten thousand who want to watch are refused but for the first thousand, whoever they are, and who goes
/// makes room.
#[test]
fn a_crowd_watches_a_thousand_and_twenty_four_at_most() {
    // The test and the server have a connection for each.
    let most = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: most.maximum, ..most }).unwrap();
    let (site, server) = site();
    let crowded = site.serve("crowded", &["--rate", "1000"]);
    crowded.wait_for_status("/readyz", 200);
    let door = Door::to(site, &crowded, held(site, 1), &ALL);
    let location = location(&door.ask(&door.exporter, &[], &json!({})));
    in_the_middle(&door.shop, server, location.rsplit('/').next().unwrap());
    let namespace = &door.shop.namespace;
    namespace.apply(&ALL_SEE.replace("NAMESPACE", namespace.name()));
    let mut open = Vec::new();
    for number in 0..64 {
        let account = format!("watcher-{number}");
        let metadata = json!({"name": account});
        let made = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
        namespace.apply(&made.to_string());
        let token = format!("Bearer {}", namespace.token(&account, Some("outhaul.dev")));
        until("it may", || door.get(&token, &location).status == 200);
        let path = format!("{location}/events");
        open.extend((0..16).map(|_| Events::open(&crowded, &path, &token, None)));
    }
    let path = format!("{location}/events");
    for _ in 0..100 {
        let refused = door.get(&door.exporter, &path);
        refused.problem(503, "STREAMS_EXHAUSTED");
        assert!(!refused.header("retry-after").is_empty());
    }
    // What else it is asked for, it answers.
    assert_eq!(door.get(&door.exporter, &location).status, 200);
    door.post(&door.exporter, &format!("{location}/cancel"));
    for events in &mut open {
        let end = std::iter::from_fn(|| events.next()).find(|event| event.name == "end");
        assert!(end.is_some(), "everybody sees the end");
    }
    let seen = crowded.running().wait_for("room", |_, _| {
        Some(door.get(&door.exporter, &path)).filter(|answer| answer.status == 200)
    });
    assert!(seen.text.contains("event: end"), "{seen:?}");
}

#[test]
fn a_report_is_read_once_the_export_has_ended() {
    let (site, server) = site();
    let door = Door::to(site, server, held(site, 1), &ALL);
    let report = |location: &str| door.get(&door.exporter, &format!("{location}/report"));
    let running = location(&door.ask(&door.exporter, &[], &json!({})));
    in_the_middle(&door.shop, server, running.rsplit('/').next().unwrap());
    report(&running).problem(404, "REPORT_NOT_READY");
    door.post(&door.exporter, &format!("{running}/cancel"));
    door.finished(&running);
    report(&running).problem(404, "REPORT_NOT_READY");

    let whole = location(&door.ask(&door.exporter, &[], &json!({})));
    let done = door.finished(&whole);
    let read = report(&whole).json();
    assert_eq!(read["chart"], done["result"]["chart"], "{read:#}");
    assert!(read["findings"].is_array() && read["images"][0]["source"].is_string(), "{read:#}");
    door.get(&door.bob, &format!("{whole}/report")).problem(403, "FORBIDDEN");

    // Unchanged: nothing is attached anew, and what the record has is all there is.
    let again = location(&door.ask(&door.exporter, &[], &json!({"attachReport": false})));
    let done = door.finished(&again);
    assert_eq!(
        (&done["result"]["report"], &report(&again).json()),
        (&Value::Null, &done["result"])
    );
}
