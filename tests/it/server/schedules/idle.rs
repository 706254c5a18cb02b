//! An application that stands still for long, and then does not.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::replica::Replica;
use super::{change, done, records, schedule, until, until_schedule};
use crate::server::exports::site::{Site, held};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// As long as CI has time for: two days, over which records go and prunes are done.
#[test]
fn an_idle_application_keeps_what_held_before_it_changed() {
    idle_for(48);
}

/// The same for 30 days: 720 runs take minutes.
#[test]
#[ignore = "takes minutes; run it with `--ignored`"]
fn an_idle_application_of_thirty_days_keeps_what_held_before_it_changed() {
    idle_for(720);
}

/// An hourly schedule of an application that stands still for so many hours, and changes on day 91.
fn idle_for(hours: u64) {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    let (limits, rules) = (json!({"successful": 3, "failed": 1}), json!({"maxAge": "90d"}));
    schedule(&shop, "hourly", &json!({"historyLimits": limits, "retention": rules}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 1);
    let begun = replica.now();
    for hour in 1..=hours {
        replica.next_hour();
        until_schedule(&shop, "hourly", "the run is counted", |it| done(it) == hour);
        if hour == 1 {
            shop.destination.clear_log();
        }
    }
    let status = until_schedule(&shop, "hourly", "pruned", |it| it["status"]["pruned"].is_object());
    let runs =
        json!({"succeeded": 1, "unchanged": hours - 1, "failed": 0, "missed": 0, "skipped": 0});
    assert_eq!(status["status"]["runs"], runs, "{:#}", status["status"]);
    let unchanged = r#"outhaul_schedule_runs_total{result="unchanged"}"#;
    assert_eq!(replica.metric(unchanged), hours - 1);
    let [first] = &shop.versions()[..] else { panic!("one version: {:?}", shop.versions()) };
    until("old records go", || records(&shop, "hourly"), |left| left.len() <= 4);
    // Nothing was sent to the registry since the first run, and nothing was deleted there; the server
    // looks now and then whether the destination takes anything.
    let mut sent = shop.destination.requests(&["POST", "PUT", "PATCH", "DELETE"]);
    sent.retain(|line| !line.path.contains("/outhaul-check/"));
    assert_eq!(sent, []);

    // It stands still until day 90, and is another one on day 91: the state of day 90 stays.
    let mut runs = hours;
    let mut run_at = |day: i64| {
        replica.go_to(begun + DAY * i32::try_from(day).unwrap());
        let due = replica.next_hour();
        runs += 1;
        // One run is made up for first, of the latest hour that has passed.
        let is_done = |it: &Value| {
            let last = it["status"]["lastScheduleTime"].as_str();
            last.is_some_and(|last| last == due.to_string()) && done(it) >= runs
        };
        runs = done(&until_schedule(&shop, "hourly", "the run is counted", is_done));
        let pruned = |it: &Value| {
            let at = it["status"]["pruned"]["at"].as_str().unwrap_or_default();
            at.parse::<jiff::Timestamp>().is_ok_and(|at| at >= due)
        };
        let found = until_schedule(&shop, "hourly", "pruned", pruned);
        (found["status"]["pruned"].clone(), shop.versions())
    };
    assert_eq!(run_at(90).1, std::slice::from_ref(first));
    change(&shop, "shop", "day 91");
    let (pruned, versions) = run_at(91);
    assert_eq!((&pruned["removed"], versions.len()), (&json!(0), 2), "{pruned:#}");
    assert!(versions.contains(first));
    // It held until day 91, so it is 90 days old on day 181.
    let (pruned, versions) = run_at(180);
    assert_eq!((&pruned["removed"], &pruned["kept"]), (&json!(0), &json!(2)), "{pruned:#}");
    assert!(versions.contains(first), "{versions:?}");
    let (pruned, versions) = run_at(182);
    assert_eq!((&pruned["removed"], versions.len()), (&json!(1), 2), "{pruned:#}");
    assert!(!versions.contains(first), "{versions:?}");
    assert!(versions.contains(&"outhaul-pruned".to_owned()), "images go a day later: {versions:?}");
    shop.assert_whole();
    run_at(184);
    assert_eq!(shop.versions().len(), 1, "the image is needed, so nothing waits any more");
    shop.assert_whole();
}
