//! The operations of schedules.

use serde_json::{Value, json};

use super::Held;

const ONE: &str = "@/schedules/nightly";
const NONE: &str = "@/schedules/none";

/// Makes, changes, runs and removes a schedule of the shop.
pub(super) fn of_schedules(held: &Held<'_>, destination: &str) {
    let template = json!({"app": "shop", "destination": destination, "secrets": "reference"});
    let spec = json!({
        "schedule": "30 2 * * *", "timeZone": "Europe/Berlin",
        "retention": {"keepLast": 3, "maxAge": "90d"}, "template": template,
    });
    made_and_seen(held, &spec);
    previewed(held);
    changed(held, &spec);
    run(held);
    held.bad("deleteSchedule", NONE, &Value::Null, 404, "SCHEDULE_UNKNOWN");
    held.good("deleteSchedule", ONE, &Value::Null);
    held.bad("getSchedule", ONE, &Value::Null, 404, "SCHEDULE_UNKNOWN");
}

fn made_and_seen(held: &Held<'_>, spec: &Value) {
    let request = json!({"name": "nightly", "spec": spec});
    let made = held.ask("createSchedule", "@/schedules", &request);
    assert_eq!(made.status, 201, "{made:?}");
    assert!(made.header("location").ends_with("/schedules/nightly"), "{made:?}");
    let mut other = request.clone();
    other["spec"]["schedule"] = json!("@hourly");
    held.bad("createSchedule", "@/schedules", &other, 409, "SCHEDULE_EXISTS");
    other["spec"]["timeZone"] = json!("Europe/Berln");
    held.bad("createSchedule", "@/schedules", &other, 422, "SCHEDULE_INVALID");

    let seen = held.good("getSchedule", ONE, &Value::Null);
    assert_eq!(seen["next"].as_array().unwrap().len(), 3, "{seen:#}");
    held.bad("getSchedule", NONE, &Value::Null, 404, "SCHEDULE_UNKNOWN");
    held.good("listSchedules", "@/schedules?suspended=false&limit=1", &Value::Null);
    held.bad("listSchedules", "@/schedules?limit=501", &Value::Null, 400, "REQUEST_INVALID");
    held.good("listAllSchedules", "/v1/schedules?app=shop", &Value::Null);
    held.bad("listAllSchedules", "/v1/schedules?cursor=%3F", &Value::Null, 400, "REQUEST_INVALID");
}

fn previewed(held: &Held<'_>) {
    let (free, of_one) = ("/v1/schedules/preview", "@/schedules/nightly/preview");
    let asked = json!({
        "schedule": "@daily", "timeZone": "Europe/Berlin", "from": "2026-03-28T00:00:00Z",
        "retention": {"keepLast": 2}, "count": 3,
    });
    let preview = held.good("previewSchedule", free, &asked);
    assert_eq!(preview["runs"][0]["kept"], json!([]), "{preview:#}");
    assert_eq!(preview["runs"][1]["due"], "2026-03-30T00:00:00+02:00", "{preview:#}");
    let never = json!({"schedule": "0 0 31 2 *"});
    held.bad("previewSchedule", free, &never, 422, "SCHEDULE_INVALID");
    let preview = held.good("previewStoredSchedule", of_one, &json!({"count": 4}));
    assert_eq!(preview["runs"][3]["kept"].as_array().unwrap().len(), 2, "{preview:#}");
    let none = "@/schedules/none/preview";
    held.bad("previewStoredSchedule", none, &json!({}), 404, "SCHEDULE_UNKNOWN");
}

fn changed(held: &Held<'_>, spec: &Value) {
    let later = json!({"spec": {"jitterSeconds": 60, "retention": null}});
    let patched = held.good("patchSchedule", ONE, &later);
    assert_eq!(patched["spec"]["jitterSeconds"], 60, "{patched:#}");
    let odd = json!({"spec": {"catchUp": "Sometimes"}});
    held.bad("patchSchedule", ONE, &odd, 422, "SCHEDULE_INVALID");
    let replaced = held.good("replaceSchedule", ONE, &json!({"spec": spec}));
    assert_eq!(replaced["spec"]["jitterSeconds"], 0, "{replaced:#}");
    held.bad("replaceSchedule", NONE, &json!({"spec": spec}), 404, "SCHEDULE_UNKNOWN");
    let (suspend, resume) = ("@/schedules/nightly/suspend", "@/schedules/nightly/resume");
    let suspended = held.good("suspendSchedule", suspend, &Value::Null);
    assert_eq!(suspended["next"], json!([]), "{suspended:#}");
    let run = "@/schedules/nightly/run";
    held.bad("runSchedule", run, &Value::Null, 409, "SCHEDULE_SUSPENDED");
    let resumed = held.good("resumeSchedule", resume, &Value::Null);
    assert_eq!(resumed["spec"]["suspend"], false, "{resumed:#}");
    for (id, verb) in [("suspendSchedule", "suspend"), ("resumeSchedule", "resume")] {
        held.bad(id, &format!("{NONE}/{verb}"), &Value::Null, 404, "SCHEDULE_UNKNOWN");
    }
}

/// Runs it, and follows what the answer says.
fn run(held: &Held<'_>) {
    let started = held.good("runSchedule", "@/schedules/nightly/run", &Value::Null);
    let (door, exports) = (held.door, started["links"]["exports"].as_str().unwrap());
    let path = ONE.replace('@', &held.at);
    let counted = door.server.running().wait_for("the run is counted", |_, _| {
        let schedule = door.get(&door.exporter, &path).json();
        let is_counted = schedule["status"]["lastRun"] == started["request"]
            && schedule["status"]["lastAttempt"].is_object();
        is_counted.then_some(schedule)
    });
    assert_eq!(counted["status"]["runs"]["failed"], 0, "{counted:#}");
    let seen = held.good("getSchedule", ONE, &Value::Null);
    assert_eq!(seen["status"]["apps"][0]["name"], "shop", "{seen:#}");
    let found = held.good("listExports", exports, &Value::Null);
    let [export] = &found["items"].as_array().unwrap()[..] else { panic!("{found:#}") };
    assert_eq!(export["phase"], "Succeeded", "{export:#}");
}
