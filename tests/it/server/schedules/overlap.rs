//! A run that is due while the one before goes on.

use serde_json::{Value, json};

use super::replica::Replica;
use super::{phases, records, schedule, until, until_schedule};
use crate::server::exports::site::{Shop, Site, held};

/// An application whose first export is held up, with a schedule of this policy, whose first run is in
/// the middle.
fn held_up<'s>(site: &'s Site, replica: &Replica, policy: &str) -> Shop<'s> {
    let shop = held(site, 1);
    shop.grant_all(site);
    schedule(&shop, "hourly", &json!({"concurrencyPolicy": policy}));
    until_schedule(&shop, "hourly", "seen", |it| it["status"]["observedGeneration"] == 1);
    replica.next_hour();
    until(
        "the first is in the middle",
        || records(&shop, "hourly"),
        |all| {
            let name = |of: &Value| of["metadata"]["name"].as_str().unwrap().to_owned();
            all.first().is_some_and(|first| shop.in_the_middle(&name(first)).is_some())
        },
    );
    shop
}

#[test]
fn forbidden_a_run_waits_until_the_next_takes_its_place() {
    let site = Site::start();
    let replica = Replica::start(&site);
    let shop = held_up(&site, &replica, "Forbid");
    let is = |wanted: &'static [&'static str]| {
        move |all: &Vec<Value>| {
            let found = phases(all);
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(a, b)| b.contains(a))
        }
    };
    replica.next_hour();
    until("the second waits", || records(&shop, "hourly"), is(&["Running", "Pending"]));
    replica.next_hour();
    let waits = is(&["Running", "Cancelled", "Pending"]);
    until("the third has its place", || records(&shop, "hourly"), waits);
    shop.cancel(records(&shop, "hourly")[0]["metadata"]["name"].as_str().unwrap());
    let done = is(&["Cancelled", "Cancelled", "Succeeded"]);
    until("the third is done", || records(&shop, "hourly"), done);
    let status =
        until_schedule(&shop, "hourly", "counted", |it| it["status"]["runs"]["succeeded"] == 1);
    let runs = json!({"succeeded": 1, "unchanged": 0, "failed": 1, "missed": 0, "skipped": 1});
    assert_eq!(status["status"]["runs"], runs, "{:#}", status["status"]);
    assert_eq!(status["status"]["lastSkipped"]["reason"], "Superseded");
    shop.assert_whole();
}

#[test]
fn replaced_the_one_before_is_cancelled_and_allowed_it_is_not() {
    let site = Site::start();
    let replica = Replica::start(&site);
    let replaced = held_up(&site, &replica, "Replace");
    replica.next_hour();
    until(
        "the second is done",
        || records(&replaced, "hourly"),
        |all| phases(all) == ["Cancelled", "Succeeded"],
    );
    let status =
        until_schedule(&replaced, "hourly", "counted", |it| it["status"]["runs"]["succeeded"] == 1);
    assert_eq!(status["status"]["lastSkipped"]["reason"], "Replaced", "{:#}", status["status"]);
    let allowed = held_up(&site, &replica, "Allow");
    for _ in 0..2 {
        replica.next_hour();
    }
    until(
        "one more is there",
        || records(&allowed, "hourly"),
        |all| phases(all).starts_with(&["Running", "Pending"]),
    );
    let cancelled = records(&allowed, "hourly");
    assert!(
        cancelled.iter().all(|of| of["metadata"]["annotations"]["outhaul.dev/cancel"].is_null())
    );
}
