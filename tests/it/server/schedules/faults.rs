//! Schedules that cannot be, and those whose exports fail.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::replica::Replica;
use super::{condition, get, records, run_now, schedule, until_schedule};
use crate::export::shop::declare_as;
use crate::server::exports::site::{API, Site, held};

#[test]
fn what_a_schema_cannot_see_is_said_and_nothing_begins() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    for (name, further, reason, words) in [
        ("zone", json!({"timeZone": "Mars/Olympus"}), "UnknownZone", "Mars/Olympus"),
        ("seconds", json!({"schedule": "0 30 2 * * *"}), "InvalidSchedule", "schedule: "),
        ("never", json!({"schedule": "0 0 31 2 *"}), "InvalidSchedule", "schedule: "),
        ("nobody", json!({"serviceAccountName": null}), "NotAuthorized", "with whose rights"),
        ("unseen", json!({"serviceAccountName": "nothing"}), "NotAuthorized", "may not read"),
        ("elsewhere", json!({"template": {"namespace": "default"}}), "OtherNamespace", "its own"),
        (
            "everywhere",
            json!({"template": {"app": null, "namespaceSelector": "a=b"}}),
            "OtherNamespace",
            "its own",
        ),
    ] {
        schedule(&shop, name, &further);
        let is_said = |it: &Value| condition(it, "Valid").0 == "False";
        let said = until_schedule(&shop, name, "said", is_said);
        assert_eq!(condition(&said, "Valid"), ("False", reason), "{name}");
        assert!(said["status"]["conditions"].to_string().contains(words), "{name}: {said:#}");
        run_now(&shop, name, "all the same");
    }
    replica.next_hour();
    // One that is well is a run later than all of them.
    schedule(&shop, "well", &json!({"runOnCreate": true}));
    until_schedule(&shop, "well", "done", |it| it["status"]["runs"]["succeeded"] == 1);
    let all = shop.namespace.list(API, "Export");
    assert!(all.iter().all(|of| of["spec"]["scheduled"]["name"] == "well"), "{all:#?}");
    // Mended, it runs from then on.
    schedule(&shop, "zone", &json!({"timeZone": "Europe/Berlin"}));
    until_schedule(&shop, "zone", "mended", |it| it["status"]["runs"]["unchanged"] == 1);
}

#[test]
fn a_destination_that_is_gone_degrades_and_is_left_alone_longer_and_longer() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let replica = Replica::start(&site);
    let gone = format!("{}-later", shop.namespace.name());
    schedule(
        &shop,
        "minutely",
        &json!({"schedule": "* * * * *", "template": {"destination": gone}}),
    );
    until_schedule(&shop, "minutely", "seen", |it| it["status"]["observedGeneration"] == 1);
    let minute = SignedDuration::from_mins(1);
    let mut failures = 0;
    for _ in 0..8 {
        let last = get(&shop, "minutely")["status"]["lastScheduleTime"].clone();
        replica.go_on_by(minute);
        let status = until_schedule(&shop, "minutely", "decided and counted", |it| {
            let (status, records) = (&it["status"], records(&shop, "minutely").len() as u64);
            let ended = status["runs"]["failed"].as_u64().unwrap_or(0);
            status["lastScheduleTime"] != last && ended == records
        });
        failures = status["status"]["apps"][0]["failures"].as_u64().unwrap_or(0);
    }
    // Of eight minutes the first, the third and the seventh: it waits for 2, then for 4, then for 8.
    let status = get(&shop, "minutely");
    assert_eq!(failures, 3, "{:#}", status["status"]);
    assert_eq!(status["status"]["runs"]["skipped"], 5, "{:#}", status["status"]);
    assert_eq!(condition(&status, "Healthy"), ("False", "DESTINATION_UNKNOWN"));
    declare_as(&site.system(), &gone, &shop.destination);
    replica.go_on_by(SignedDuration::from_mins(10));
    let back =
        until_schedule(&shop, "minutely", "back", |it| it["status"]["runs"]["succeeded"] == 1);
    assert_eq!(condition(&back, "Healthy"), ("True", "Succeeded"), "{:#}", back["status"]);
    assert_eq!(back["status"]["apps"][0]["failures"], 0);
    let events = shop.namespace.list("events.k8s.io/v1", "Event");
    let told = |reason: &str| {
        events.iter().any(|event| {
            event["reason"] == reason && event["regarding"]["kind"] == "ExportSchedule"
        })
    };
    assert!(told("ScheduleUnhealthy") && told("ScheduleHealthy"), "{events:#?}");
}

#[test]
fn labels_select_applications_and_two_schedules_of_one_are_said() {
    let site = Site::start();
    let shop = held(&site, 0);
    shop.grant_all(&site);
    let _replica = Replica::start(&site);
    let selecting = json!({"app": null, "appSelector": "app.kubernetes.io/name in (shop, other)"});
    schedule(&shop, "selects", &json!({"runOnCreate": true, "template": selecting}));
    let done =
        until_schedule(&shop, "selects", "done", |it| it["status"]["runs"]["succeeded"] == 1);
    assert_eq!(done["status"]["apps"].as_array().unwrap().len(), 1);
    let nothing = json!({"app": null, "appSelector": "app.kubernetes.io/name=nothing"});
    schedule(&shop, "nothing", &json!({"runOnCreate": true, "template": nothing}));
    until_schedule(&shop, "nothing", "said", |it| condition(it, "Healthy").1 == "NoApplications");
    schedule(&shop, "one", &json!({}));
    schedule(&shop, "two", &json!({}));
    for (name, other) in [("one", "two"), ("two", "one")] {
        let said = until_schedule(&shop, name, "shared", |it| condition(it, "Valid").1 == "Shared");
        let words = said["status"]["conditions"].to_string();
        assert!(words.contains(&format!("/{other} ")), "{words}");
    }
}
