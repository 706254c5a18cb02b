//! `/v1/…/schedules`: made, changed and run with a token, with the rights of whose it is.

use reqwest::Method;
use serde_json::{Value, json};

use super::{condition, get, merge, until, until_schedule};
use crate::server::exports::http::{ALL, Door, bound};
use crate::server::exports::site::{API, MAY_READ, MAY_SCHEDULE, MAY_USE, site};
use crate::support::server::Answer;

/// A door whose exporter may make schedules, too.
fn open(rights: &[&str]) -> Door<'static> {
    let door = Door::open(rights);
    door.shop.grant(&site().0, &[MAY_SCHEDULE]);
    door
}

impl Door<'_> {
    fn schedules(&self) -> String {
        format!("/v1/namespaces/{}/schedules", self.shop.namespace.name())
    }

    fn asked(&self, name: &str, further: &Value) -> Value {
        let mut spec = json!({
            "schedule": "30 2 * * *",
            "template": {
                "app": "shop", "destination": self.shop.namespace.name(), "secrets": "reference",
            },
        });
        merge(&mut spec, further);
        json!({"name": name, "spec": spec})
    }

    fn make(&self, who: &str, name: &str, further: &Value) -> Answer {
        let body = self.asked(name, further).to_string();
        self.send(who, Method::POST, &self.schedules(), &[], &body)
    }

    fn change(&self, who: &str, headers: &[(&str, &str)], spec: &Value) -> Answer {
        let (path, body) = (format!("{}/nightly", self.schedules()), json!({"spec": spec}));
        self.send(who, Method::PATCH, &path, headers, &body.to_string())
    }

    fn verb(&self, who: &str, verb: &str, headers: &[(&str, &str)]) -> Answer {
        let path = format!("{}/nightly/{verb}", self.schedules());
        self.send(who, Method::POST, &path, headers, "")
    }

    /// The exports of a run that was asked for, when all of them are made and at their end.
    fn followed(&self, started: &Answer) -> Vec<Value> {
        assert_eq!(started.status, 202, "{started:?}");
        let told = started.json();
        until_schedule(&self.shop, "nightly", "begun", |of| {
            of["status"]["lastRun"] == told["request"]
        });
        let found = until(
            "at their end",
            || self.get(&self.exporter, started.header("location")).json(),
            |found| {
                let mut all = found["items"].as_array().unwrap().iter();
                all.all(|export| export["finishedAt"].is_string())
            },
        );
        found["items"].as_array().unwrap().clone()
    }
}

fn made(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// There is no policy of admission at this site: a mark is all that vouches.
#[test]
fn a_schedule_runs_with_the_rights_of_who_made_it() {
    let door = open(&ALL);
    let answer = door.make(&door.exporter, "nightly", &json!({"timeZone": "Europe/Berlin"}));
    let schedule = made(&answer);
    let user = format!("system:serviceaccount:{}:exporter", door.shop.namespace.name());
    assert_eq!(schedule["requestedBy"], json!({"user": user, "via": "native"}));
    assert_eq!(schedule["spec"]["requestedBy"], Value::Null, "groups are nobody's business");
    assert_eq!(answer.header("location"), format!("{}/nightly", door.schedules()));
    assert!(schedule["next"][0].as_str().unwrap().contains("T02:30:00+0"), "{schedule:#}");
    let stored = get(&door.shop, "nightly");
    assert!(stored["metadata"]["annotations"]["outhaul.dev/mark"].is_string(), "{stored:#}");

    let started = door.verb(&door.exporter, "run", &[("Idempotency-Key", "k-1")]);
    let [export] = &door.followed(&started)[..] else { panic!("one export") };
    assert_eq!(export["phase"], "Succeeded", "{export:#}");
    assert_eq!(export["requestedBy"]["user"], json!(user));
    assert_eq!(condition(&get(&door.shop, "nightly"), "Valid").0, "True");
    // Sent again with its key, it is the same run; without, another one.
    let again = door.verb(&door.exporter, "run", &[("Idempotency-Key", "k-1")]);
    assert_eq!(again.json(), started.json());
    let other = door.verb(&door.exporter, "run", &[]);
    assert_ne!(other.json()["run"], started.json()["run"]);
    assert_eq!(door.followed(&other)[0]["result"]["status"], "unchanged");
    assert_eq!(door.records().len(), 2);

    let path = format!("{}/nightly", door.schedules());
    assert_eq!(door.send(&door.exporter, Method::DELETE, &path, &[], "").status, 200);
    door.get(&door.exporter, &path).problem(404, "SCHEDULE_UNKNOWN");
    assert_eq!(door.records().len(), 2, "they stay");
    for (event, lines) in [("schedule.create", 1), ("schedule.run", 3), ("schedule.delete", 1)] {
        let found = door.audit(event);
        assert_eq!(found.len(), lines, "{event}: {found:#?}");
        assert!(found.iter().all(|line| line["schedule"] == "nightly"), "{found:#?}");
    }
}

#[test]
fn who_lacks_a_right_is_refused_before_anything_is_looked_up() {
    let told =
        |answer: Answer| answer.problem(403, "FORBIDDEN")["detail"].as_str().unwrap().to_owned();
    let door = Door::open(&ALL);
    // All that exports need is not enough: a schedule stays, and lets versions go.
    assert_eq!(told(door.make(&door.exporter, "nightly", &json!({}))), "forbidden");
    let door = open(&[MAY_READ]);
    let unused = told(door.make(&door.exporter, "nightly", &json!({})));
    assert!(unused.starts_with("you may not `use` the destination"), "{unused}");
    let none = json!({"template": {"destination": "none"}});
    let none = told(door.make(&door.exporter, "nightly", &none));
    assert_eq!(none.replace("`none`", &format!("`{}`", door.shop.namespace.name())), unused);
    door.shop.grant(&site().0, &[MAY_USE]);
    for further in [json!({"secrets": "include"}), json!({"usePullSecrets": true})] {
        let refused = door.server.running().wait_for("the right", |_, _| {
            let answer = door.make(&door.exporter, "nightly", &json!({"template": further}));
            Some(told(answer)).filter(|text| !text.contains("`use`"))
        });
        assert!(refused.contains("`get` and `list` the Secrets"), "{further}: {refused}");
    }
    let path = format!("{}/nightly", door.schedules());
    for (method, path, body) in [
        (Method::GET, "/v1/schedules", ""),
        (Method::GET, &door.schedules(), ""),
        (Method::GET, &path, ""),
        (Method::PUT, &path, r#"{"spec":{}}"#),
        (Method::PATCH, &path, r#"{"spec":{}}"#),
        (Method::DELETE, &path, ""),
        (Method::POST, &format!("{path}/run"), ""),
        (Method::POST, &format!("{path}/suspend"), ""),
        (Method::POST, &format!("{path}/resume"), ""),
        (Method::POST, &format!("{path}/preview"), "{}"),
    ] {
        assert_eq!(told(door.send(&door.bob, method, path, &[], body)), "forbidden", "{path}");
    }
    assert!(door.shop.namespace.list(API, "ExportSchedule").is_empty());
    let lines = door.audit("schedule.create");
    assert!(lines.iter().all(|line| line["decision"] == "deny"), "{lines:#?}");
}

/// As in admission: when it runs is of whoever may change it, what it exports and what stays is not.
#[test]
fn who_changes_what_is_exported_asks_for_it_from_then_on() {
    let door = open(&ALL);
    made(&door.make(&door.exporter, "nightly", &json!({})));
    let carol = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: carol}";
    door.shop.namespace.apply(carol);
    door.shop.namespace.apply(&bound(&door, "schedules", "carol"));
    let carol = format!("Bearer {}", door.shop.namespace.token("carol", Some("outhaul.dev")));
    let later = json!({"schedule": "0 4 * * *"});
    let changed = door.server.running().wait_for("the right", |_, _| {
        Some(door.change(&carol, &[], &later)).filter(|answer| answer.status == 200)
    });
    let user = |name: &str| {
        let namespace = door.shop.namespace.name();
        json!({"user": format!("system:serviceaccount:{namespace}:{name}"), "via": "native"})
    };
    assert_eq!(changed.json()["requestedBy"], user("exporter"));
    let another = json!({"template": {"names": {"chartName": "another"}}});
    let fewer = json!({"retention": {"keepLast": 3}});
    for change in [&another, &fewer] {
        let refused = door.change(&carol, &[], change).problem(403, "FORBIDDEN");
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.starts_with("you may not read the applications"), "{detail}");
    }

    for role in ["reads", "reads-roles", "uses"] {
        door.shop.namespace.apply(&bound(&door, role, "carol"));
    }
    let changed = door.server.running().wait_for("the rights", |_, _| {
        Some(door.change(&carol, &[], &another)).filter(|answer| answer.status == 200)
    });
    assert_eq!(changed.json()["requestedBy"], user("carol"), "{changed:?}");
    assert_eq!(door.change(&carol, &[], &fewer).status, 200);
    let [export] = &door.followed(&door.verb(&carol, "run", &[]))[..] else { panic!("one") };
    assert_eq!((&export["phase"], &export["requestedBy"]), (&json!("Succeeded"), &user("carol")));
    // The mark of the exporter's schedule is of no use in carol's name.
    let stored = get(&door.shop, "nightly");
    let mut forged = json!({"apiVersion": API, "kind": "ExportSchedule", "spec": stored["spec"],
        "metadata": {"name": "nightly"}});
    forged["spec"]["requestedBy"]["user"] = json!("admin");
    door.shop.namespace.apply_as("somebody", &forged.to_string());
    let invalid = |it: &Value| condition(it, "Valid") == ("False", "NotAuthorized");
    until_schedule(&door.shop, "nightly", "nobody vouches for admin", invalid);
}

#[test]
fn a_change_is_of_what_was_seen() {
    let door = open(&ALL);
    let first = door.make(&door.exporter, "nightly", &json!({}));
    let etag = first.header("etag").to_owned();
    assert!(!etag.is_empty() && made(&first)["spec"]["suspend"] == false);
    // A status that is written changes nothing that anybody has said.
    until_schedule(&door.shop, "nightly", "seen", |of| of["status"]["since"].is_string());
    let path = format!("{}/nightly", door.schedules());
    assert_eq!(door.get(&door.exporter, &path).header("etag"), etag);
    let seen = [("If-Match", etag.as_str())];
    let suspended = door.verb(&door.exporter, "suspend", &seen);
    assert_eq!((suspended.status, &suspended.json()["spec"]["suspend"]), (200, &json!(true)));
    let jitter = json!({"jitterSeconds": 30});
    door.change(&door.exporter, &seen, &jitter).problem(412, "SCHEDULE_CHANGED");
    door.verb(&door.exporter, "resume", &seen).problem(412, "SCHEDULE_CHANGED");
    let gone = door.send(&door.exporter, Method::DELETE, &path, &seen, "");
    gone.problem(412, "SCHEDULE_CHANGED");
    let now = [("If-Match", suspended.header("etag"))];
    let changed = door.change(&door.exporter, &now, &jitter);
    assert_eq!(changed.json()["spec"]["jitterSeconds"], 30);
    // Who says the same changes nothing.
    let same = door.change(&door.exporter, &[], &jitter);
    assert_eq!(same.header("etag"), changed.header("etag"));
    // Changes of other fields at once are all there afterwards.
    let fields = [
        ("jitterSeconds", json!(31)),
        ("startingDeadlineSeconds", json!(60)),
        ("catchUp", json!("None")),
        ("concurrencyPolicy", json!("Allow")),
    ];
    std::thread::scope(|scope| {
        for (field, value) in &fields {
            let door = &door;
            scope.spawn(move || {
                let answer = door.change(&door.exporter, &[], &json!({*field: value}));
                assert_eq!(answer.status, 200, "{answer:?}");
            });
        }
    });
    let stored = get(&door.shop, "nightly");
    let stored = |field: &str| stored["spec"][field].clone();
    assert!(fields.iter().all(|(field, value)| stored(field) == *value));
    // A replacement is all of it.
    let body = json!({"spec": door.asked("", &json!({}))["spec"]}).to_string();
    let replaced = door.send(&door.exporter, Method::PUT, &path, &[], &body);
    assert_eq!(replaced.status, 200, "{replaced:?}");
    let spec = &get(&door.shop, "nightly")["spec"];
    let left = (&spec["startingDeadlineSeconds"], &spec["suspend"]);
    assert_eq!(left, (&Value::Null, &json!(false)), "{spec:#}");
}

#[test]
fn the_same_request_makes_one_schedule() {
    let door = open(&ALL);
    let first = made(&door.make(&door.exporter, "nightly", &json!({})));
    assert_eq!(
        made(&door.make(&door.exporter, "nightly", &json!({})))["createdAt"],
        first["createdAt"]
    );
    let other = door.make(&door.exporter, "nightly", &json!({"suspend": true}));
    other.problem(409, "SCHEDULE_EXISTS");
    door.change(&door.exporter, &[], &json!({"suspend": true}));
    let again = door.make(&door.exporter, "nightly", &json!({}));
    again.problem(409, "SCHEDULE_EXISTS");
    assert_eq!(door.shop.namespace.list(API, "ExportSchedule").len(), 1);
}

#[test]
fn schedules_are_listed_by_pages_and_chosen() {
    let door = open(&ALL);
    for (name, further) in [
        ("one", json!({"suspend": true})),
        ("three", json!({"template": {"app": "other"}})),
        ("two", json!({})),
    ] {
        made(&door.make(&door.exporter, name, &further));
    }
    let named = |query: &str| {
        let answer = door.get(&door.exporter, &format!("{}?{query}", door.schedules()));
        assert_eq!(answer.status, 200, "{answer:?}");
        let found = answer.json();
        let names = found["items"].as_array().unwrap().iter().map(|of| of["name"].to_string());
        (names.collect::<Vec<_>>().join(" "), found["next"].as_str().map(str::to_owned))
    };
    assert_eq!(named("").0, r#""one" "three" "two""#);
    assert_eq!(named("suspended=true").0, r#""one""#);
    assert_eq!(named("suspended=false&app=shop").0, r#""two""#);
    assert_eq!(named("destination=none").0, "");
    let (first, next) = named("limit=2");
    assert_eq!(first, r#""one" "three""#);
    assert_eq!(named(&format!("limit=2&cursor={}", next.unwrap())), (r#""two""#.to_owned(), None));
    let path = door.schedules();
    for query in ["limit=0", "cursor=%3F", "suspend=true", "suspended=perhaps"] {
        let refused = door.get(&door.exporter, &format!("{path}?{query}"));
        refused.problem(400, "REQUEST_INVALID");
    }
}

/// Each with its field, without a word of the body's own, and with nothing written.
#[test]
fn what_cannot_be_is_refused_with_its_field() {
    let door = open(&ALL);
    let app = |further: Value| json!({"template": further});
    for (further, field) in [
        (json!({"schedule": "61 2 * * *"}), "spec.schedule"),
        (json!({"schedule": 7}), "spec.schedule"),
        (json!({"timeZone": "Europe/Canary"}), "spec.timeZone"),
        (json!({"jitterSeconds": 9999}), "spec.jitterSeconds"),
        (json!({"startingDeadlineSeconds": 1}), "spec.startingDeadlineSeconds"),
        (json!({"concurrencyPolicy": "canary"}), "spec.concurrencyPolicy"),
        (json!({"retension": {}, "canary": "canary"}), "spec.canary"),
        (json!({"retention": {"keepLast": 0}}), "spec.retention"),
        (json!({"retention": {"keepLast": "canary"}}), "spec.retention.keepLast"),
        (json!({"retention": {"keepLast": 20000}}), "spec.retention.keepLast"),
        (json!({"retention": {"maxAge": "9y"}}), "spec.retention.maxAge"),
        (json!({"historyLimits": {"failed": 0}}), "spec.historyLimits.failed"),
        (json!({"requestedBy": {"user": "admin"}}), "spec.requestedBy"),
        (json!({"serviceAccountName": "exporter"}), "spec.serviceAccountName"),
        (app(json!({"appSelector": "a=b"})), "spec.template"),
        (app(json!({"app": null})), "spec.template"),
        (app(json!({"app": null, "appSelector": "a in"})), "spec.template.appSelector"),
        (app(json!({"selector": "a=b", "all": true})), "spec.template.selector"),
        (app(json!({"names": {"chartVersion": "1.0.0"}})), "spec.template"),
        (app(json!({"exclude": ["canary"]})), "spec.template.exclude"),
        (app(json!({"waitRollout": "25h"})), "spec.template.waitRollout"),
        (app(json!({"app": "../canary"})), "spec.template.app"),
        (app(json!({"app": null, "namespaceSelector": "a=b"})), "spec.template.namespaceSelector"),
    ] {
        let problem = door.make(&door.exporter, "a", &further).problem(422, "SCHEDULE_INVALID");
        assert_eq!(problem["field"], field, "{further}: {problem}");
    }
    for name in ["", "Nightly", "a_b", &"a".repeat(46)] {
        let problem = door.make(&door.exporter, name, &json!({})).problem(422, "SCHEDULE_INVALID");
        assert_eq!(problem["field"], "name", "{name}");
    }
    for body in ["", "[]", "{", r#"{"name":"a"}"#, r#"{"name":"a","spec":{},"canary":1}"#] {
        let refused = door.send(&door.exporter, Method::POST, &door.schedules(), &[], body);
        let refused = refused.problem(400, "BODY_INVALID");
        assert!(!refused["detail"].as_str().unwrap().contains("canary"), "{refused}");
    }
    let large = door.make(&door.exporter, "a", &json!({"schedule": "a".repeat(64 << 10)}));
    large.problem(413, "BODY_TOO_LARGE");
    // A value that is no text of ours is never told.
    for further in [
        json!({"concurrencyPolicy": "canary"}),
        json!({"retention": {"keepLast": "canary"}}),
        app(json!({"secrets": "canary"})),
    ] {
        let refused = door.make(&door.exporter, "a", &further);
        assert!(!refused.text.contains("canary"), "{refused:?}");
    }
    assert!(door.shop.namespace.list(API, "ExportSchedule").is_empty());
    let path = "/v1/schedules/preview";
    for (asked, field) in [
        (json!({"schedule": "@daily", "count": 1001}), "count"),
        (json!({"schedule": "@daily", "count": 0}), "count"),
        (json!({"schedule": "@dayly"}), "schedule"),
        (json!({"schedule": "@daily", "timeZone": "Berlin"}), "timeZone"),
        (json!({"schedule": "@daily", "retention": {"keeplast": 3}}), "retention.keeplast"),
        (json!({"schedule": "@daily", "retention": {}}), "retention"),
    ] {
        let refused = door.send(&door.bob, Method::POST, path, &[], &asked.to_string());
        assert_eq!(refused.problem(422, "SCHEDULE_INVALID")["field"], field, "{asked}");
    }
}
