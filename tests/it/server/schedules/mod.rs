//! Schedules on a real API server, carried out by `outhaul serve`, and by its controller in the test's
//! process where the clock is the test's.

mod by_hand;
mod day;
mod deaths;
mod elsewhere;
mod faults;
mod http;
mod idle;
mod over_http;
mod overlap;
mod prune;
mod replica;
mod rights;
mod steps;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::exports::site::{API, Shop, Site};

/// What a schedule of the shop asks for by default.
fn spec(shop: &Shop<'_>, further: &Value) -> Value {
    let mut spec = json!({
        "schedule": "0 * * * *", "serviceAccountName": "exporter",
        "template": {"app": "shop", "destination": shop.namespace.name(), "secrets": "reference"},
    });
    merge(&mut spec, further);
    spec
}

fn merge(into: &mut Value, further: &Value) {
    match (into, further) {
        (Value::Object(into), Value::Object(further)) => {
            for (key, value) in further {
                if value.is_null() {
                    into.shift_remove(key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (into, further) => *into = further.clone(),
    }
}

/// Makes a schedule, as `kubectl apply` does.
fn schedule(shop: &Shop<'_>, name: &str, further: &Value) {
    let schedule = json!({
        "apiVersion": API, "kind": "ExportSchedule", "metadata": {"name": name},
        "spec": spec(shop, further),
    });
    shop.namespace.apply(&schedule.to_string());
}

/// Asks for a run, as `kubectl annotate` does.
fn run_now(shop: &Shop<'_>, name: &str, value: &str) {
    let metadata = json!({"name": name, "annotations": {"outhaul.dev/run": value}});
    let schedule = json!({"apiVersion": API, "kind": "ExportSchedule", "metadata": metadata});
    shop.namespace.apply_as("somebody", &schedule.to_string());
}

/// Changes an application, so that its next export makes a version.
fn change(shop: &Shop<'_>, app: &str, setting: &str) {
    let env = json!([{"name": "SETTING", "value": setting}]);
    let spec = json!({"template": {"spec": {"containers": [{"name": "web", "env": env}]}}});
    let app = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": app},
        "spec": spec});
    shop.namespace.apply_as("changer", &app.to_string());
}

/// How many exports of a schedule have ended well.
fn done(schedule: &Value) -> u64 {
    let count = |key: &str| schedule["status"]["runs"][key].as_u64().unwrap_or(0);
    count("unchanged") + count("succeeded")
}

fn get(shop: &Shop<'_>, name: &str) -> Value {
    shop.namespace.get(API, "ExportSchedule", name).unwrap()
}

fn condition<'c>(schedule: &'c Value, kind: &str) -> (&'c str, &'c str) {
    let conditions = schedule["status"]["conditions"].as_array();
    let found = conditions.into_iter().flatten().find(|condition| condition["type"] == kind);
    let text = |key: &str| found.and_then(|found| found[key].as_str()).unwrap_or_default();
    (text("status"), text("reason"))
}

/// The records of a schedule, by name.
fn records(shop: &Shop<'_>, name: &str) -> Vec<Value> {
    let mut all = shop.namespace.list(API, "Export");
    all.retain(|record| record["metadata"]["labels"]["outhaul.dev/schedule"] == name);
    all
}

fn phases(records: &[Value]) -> Vec<&str> {
    records.iter().map(|of| of["status"]["phase"].as_str().unwrap_or_default()).collect()
}

/// Waits until what is read is as it should be, and gives it; else says what it was.
fn until<T: std::fmt::Debug>(what: &str, read: impl Fn() -> T, is: impl Fn(&T) -> bool) -> T {
    let started = Instant::now();
    loop {
        let read = read();
        if is(&read) {
            return read;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "not within a minute: {what}: {read:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until the schedule is as it should be.
fn until_schedule(shop: &Shop<'_>, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    until(what, || get(shop, name), is)
}

#[test]
fn a_schedule_that_kubectl_makes_exports_and_says_so() {
    let site = Site::start();
    let server = site.serve("only", &[]);
    let shop = site.shop();
    shop.grant_all(&site);
    schedule(
        &shop,
        "nightly",
        &json!({"schedule": "30 2 * * *", "runOnCreate": true,
        "timeZone": "Europe/Berlin"}),
    );
    let counted = |it: &Value| it["status"]["runs"]["succeeded"] == 1;
    let done = until_schedule(&shop, "nightly", "counted", counted);
    let status = &done["status"];
    assert_eq!(status["lastScheduleTime"], done["metadata"]["creationTimestamp"], "{status:#}");
    assert_eq!(status["nextScheduleTimes"].as_array().unwrap().len(), 3);
    assert_eq!(status["observedGeneration"], 1);
    assert_eq!(condition(&done, "Valid"), ("True", "Valid"), "{status:#}");
    assert_eq!(condition(&done, "Healthy"), ("True", "Succeeded"), "{status:#}");
    // The shop has Secrets, which `reference` leaves where they are, and a volume.
    assert_eq!(condition(&done, "Restorable"), ("False", "Incomplete"), "{status:#}");
    let lacking = status["apps"][0]["notRestorable"].as_str().unwrap();
    assert!(lacking.contains("Secrets") && lacking.contains("volumes"), "{lacking}");
    assert_eq!(status["apps"][0]["version"], shop.versions()[0].as_str());
    let [record] = &records(&shop, "nightly")[..] else { panic!("one record") };
    assert_eq!(record["spec"]["scheduled"]["name"], "nightly");
    assert_eq!(record["metadata"]["labels"]["outhaul.dev/app"], "shop");
    // Asked for by hand: once for each value, and the schedule stays where it is.
    run_now(&shop, "nightly", "first");
    let unchanged = |it: &Value| it["status"]["runs"]["unchanged"] == 1;
    let second = until_schedule(&shop, "nightly", "unchanged", unchanged);
    assert_eq!(second["status"]["lastRun"], "first");
    assert_eq!(second["status"]["lastScheduleTime"], status["lastScheduleTime"]);
    assert_eq!((records(&shop, "nightly").len(), shop.versions().len()), (2, 1));
    assert_eq!(second["spec"], done["spec"], "nothing is written into the spec");
    let metrics = server.metrics().text;
    for told in [
        r#"outhaul_schedule_runs_total{result="succeeded"} 1"#,
        r#"outhaul_schedule_runs_total{result="unchanged"} 1"#,
        "outhaul_schedule_missed_total 0",
    ] {
        assert!(metrics.contains(told), "{told}: {metrics}");
    }
    let of = format!("namespace=\"{}\",schedule=\"nightly\"", shop.namespace.name());
    assert!(metrics.contains(&format!("outhaul_schedule_last_success_timestamp_seconds{{{of}}}")));
    let day = format!("outhaul_schedule_expected_interval_seconds{{{of}}} ");
    let seconds = metrics.lines().find_map(|line| line.strip_prefix(&day)).unwrap();
    assert!(["86400", "90000"].contains(&seconds), "{seconds}");
}
