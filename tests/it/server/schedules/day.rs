//! Days of a schedule, of which the test is the clock.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::replica::Replica;
use super::{get, records, run_now, schedule, until_schedule};
use crate::server::exports::site::{Site, held};

/// Hours that an application stands still: enough for records to go, and for a night of them.
const HOURS: u64 = 30;

#[test]
fn an_idle_application_has_one_version_and_as_many_runs_as_were_due() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    let limits = json!({"successful": 3, "failed": 1});
    schedule(&shop, "hourly", &json!({"historyLimits": limits}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 1);
    let counted = |count: u64| {
        move |it: &Value| {
            let runs = &it["status"]["runs"];
            runs["unchanged"].as_u64().unwrap_or(0) + runs["succeeded"].as_u64().unwrap_or(0)
                == count
        }
    };
    for hour in 1..=HOURS {
        let due = replica.next_hour();
        let status = until_schedule(&shop, "hourly", "the run is counted", counted(hour));
        let last: Timestamp =
            status["status"]["lastScheduleTime"].as_str().unwrap().parse().unwrap();
        assert_eq!(last, due);
    }
    let status = get(&shop, "hourly")["status"].clone();
    let runs =
        json!({"succeeded": 1, "unchanged": HOURS - 1, "failed": 0, "missed": 0, "skipped": 0});
    assert_eq!(status["runs"], runs, "{status:#}");
    assert_eq!(shop.versions().len(), 1);
    let left = super::until("old records go", || records(&shop, "hourly"), |left| left.len() <= 4);
    for record in left {
        let bytes = &record["status"]["result"]["bytes"];
        assert_eq!(bytes["copied"], 0, "{bytes:#}");
    }
    // Of a night without a leader the latest run is made up for; the others are missed.
    replica.go_on_by(SignedDuration::from_hours(8));
    let caught = until_schedule(&shop, "hourly", "caught up", counted(HOURS + 1));
    assert_eq!(caught["status"]["runs"]["missed"], 7, "{:#}", caught["status"]);
}

#[test]
fn suspended_nothing_begins_and_resumed_nothing_is_made_up_for() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    schedule(&shop, "hourly", &json!({"suspend": true}));
    let seen = |generation: u64| move |it: &Value| it["status"]["observedGeneration"] == generation;
    let suspended = until_schedule(&shop, "hourly", "seen", seen(1));
    assert_eq!(suspended["status"]["suspended"], true);
    assert_eq!(suspended["status"]["nextScheduleTimes"], Value::Null);
    replica.go_on_by(SignedDuration::from_hours(5));
    // What is asked for by hand is done all the same.
    run_now(&shop, "hourly", "by hand");
    until_schedule(&shop, "hourly", "done", |it| it["status"]["runs"]["succeeded"] == 1);
    schedule(&shop, "hourly", &json!({"suspend": false}));
    let resumed = until_schedule(&shop, "hourly", "seen", seen(2));
    assert_eq!(resumed["status"]["lastScheduleTime"], Value::Null, "{:#}", resumed["status"]);
    replica.next_hour();
    let done =
        until_schedule(&shop, "hourly", "a run", |it| it["status"]["runs"]["unchanged"] == 1);
    assert_eq!(done["status"]["runs"]["missed"], 0, "{:#}", done["status"]);
    assert_eq!(records(&shop, "hourly").len(), 2);
}

#[test]
fn what_is_too_late_is_left_out_and_said() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    schedule(&shop, "strict", &json!({"startingDeadlineSeconds": 600}));
    schedule(&shop, "lazy", &json!({"catchUp": "None"}));
    for name in ["strict", "lazy"] {
        until_schedule(&shop, name, "seen", |it| it["status"]["observedGeneration"] == 1);
    }
    replica.next_hour();
    for name in ["strict", "lazy"] {
        until_schedule(&shop, name, "in time", |it| it["status"]["lastSuccessfulTime"].is_string());
    }
    replica.go_on_by(SignedDuration::from_mins(2 * 60 + 30));
    for (name, why) in [("strict", "Late"), ("lazy", "Missed")] {
        let status = until_schedule(&shop, name, "left out", |it| {
            it["status"]["lastSkipped"]["reason"] == why
        });
        assert_eq!(status["status"]["runs"]["missed"], 2, "{:#}", status["status"]);
        assert_eq!(records(&shop, name).len(), 1);
    }
}
