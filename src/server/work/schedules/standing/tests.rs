use serde_json::{Value, json};

use super::*;

fn at(time: &str) -> Timestamp {
    format!("2026-03-10T{time}:00Z").parse().unwrap()
}

fn schedule(generation: i64, spec: &Value) -> ExportSchedule {
    let mut whole = json!({
        "apiVersion": "outhaul.dev/v1alpha1", "kind": "ExportSchedule",
        "metadata": {"name": "hourly", "namespace": "shop", "generation": generation,
            "uid": "1", "creationTimestamp": at("00:30")},
        "spec": {"schedule": "0 * * * *", "serviceAccountName": "exporter",
            "template": {"app": "shop", "destination": "team", "secrets": "reference"}},
    });
    for (key, value) in spec.as_object().unwrap() {
        whole["spec"][key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

/// Since when a schedule counts that was seen before the time, and is found changed at it.
fn since(changed: &Value, seen: &str) -> Timestamp {
    let mut status = ExportScheduleStatus::default();
    for (schedule, now) in
        [(schedule(1, &json!({})), at("02:30")), (schedule(2, changed), at(seen))]
    {
        let plan = read(&schedule, "outhaul-system").unwrap();
        observe(&mut status, &schedule, Some(&plan), now);
        status.next_schedule_times = next_times(&plan, schedule.created().unwrap(), now);
    }
    assert_eq!(status.observed_generation, Some(2));
    status.since.unwrap()
}

#[test]
fn a_change_that_is_seen_late_takes_no_run_away() {
    let retention = json!({"retention": {"keepLast": 2}});
    let instant = SignedDuration::from_secs(1);
    assert_eq!(since(&retention, "03:01"), at("03:00") - instant);
    assert_eq!(since(&retention, "05:30"), at("03:00") - instant, "no leader ran");
    assert_eq!(since(&retention, "02:59"), at("02:59"), "nothing was due");
}

#[test]
fn a_time_that_is_no_longer_one_is_not_made_up_for() {
    assert_eq!(since(&json!({"schedule": "30 * * * *"}), "03:01"), at("03:01"));
    assert_eq!(since(&json!({"suspend": true}), "03:01"), at("03:01"));
    let more = json!({"schedule": "*/5 * * * *"});
    assert_eq!(since(&more, "03:01"), at("03:00") - SignedDuration::from_secs(1));
}
