//! Schedules are made, read, written and removed.

use outhaul::cluster::Error;
use outhaul::cluster::record::schedule::{
    ExportSchedule, ExportScheduleStatus, RUN, Runs, Template,
};
use serde_json::json;

use super::{live, namespace};
use crate::support::objects::Namespace;

/// One with every default.
fn schedule(namespace: &Namespace<'_>, name: &str) -> ExportSchedule {
    let template = json!({"app": "shop", "destination": "backup", "secrets": "reference"});
    let template: Template = serde_json::from_value(template).unwrap();
    let spec = json!({"schedule": "30 2 * * *", "template": template});
    ExportSchedule::draft(namespace.name(), name, serde_json::from_value(spec).unwrap())
}

#[tokio::test]
async fn a_schedule_is_made_read_changed_and_removed() {
    let (live, namespace) = (live().await, namespace());
    let asked = schedule(&namespace, "nightly");
    let made = live.create_schedule(&asked).await.unwrap();
    assert_eq!(made.spec, asked.spec);
    let again = live.create_schedule(&asked).await.unwrap_err();
    let exists = format!("ExportSchedule {}/nightly", namespace.name());
    assert!(matches!(&again, Error::Exists { what } if *what == exists), "{again}");

    let changed = json!({"suspend": true, "retention": {"keepLast": 3}});
    let changed = live.patch_schedule(&made, &changed, &[]).await.unwrap();
    assert!(changed.spec.suspend && changed.spec.retention.is_some());
    assert_eq!(changed.spec.template, made.spec.template);
    let without = live.patch_schedule(&changed, &json!({"retention": null}), &[]).await.unwrap();
    assert_eq!(without.spec.retention, None);

    let asked = live.annotate_schedule(&made, &[(RUN, "now")]).await.unwrap();
    assert_eq!(asked.metadata.annotations.as_ref().unwrap()[RUN], "now");
    assert_eq!(live.schedule(namespace.name(), "nightly").await.unwrap(), Some(asked.clone()));
    live.delete_schedule(&asked).await.unwrap();
    assert_eq!(live.schedule(namespace.name(), "nightly").await.unwrap(), None);
}

#[tokio::test]
async fn what_was_read_is_written_over_and_nothing_else() {
    let (live, namespace) = (live().await, namespace());
    let first = live.create_schedule(&schedule(&namespace, "a")).await.unwrap();
    let runs = Runs { succeeded: 3, ..Runs::default() };
    let status = ExportScheduleStatus { runs, ..ExportScheduleStatus::default() };
    let second = live.patch_schedule_status(&first, &status).await.unwrap();
    assert_eq!((&second.status, &second.spec), (&Some(status.clone()), &first.spec));
    let stale = [
        live.patch_schedule_status(&first, &status).await.unwrap_err(),
        live.patch_schedule(&first, &json!({"suspend": true}), &[]).await.unwrap_err(),
    ];
    let suspended = live.patch_schedule(&second, &json!({"suspend": true}), &[]).await.unwrap();
    assert_eq!(suspended.status, Some(status.clone()));
    live.delete_schedule(&suspended).await.unwrap();
    let second = live.create_schedule(&schedule(&namespace, "a")).await.unwrap();
    let other = [
        live.patch_schedule_status(&first, &status).await.unwrap_err(),
        live.patch_schedule(&first, &json!({"suspend": true}), &[]).await.unwrap_err(),
        live.annotate_schedule(&first, &[(RUN, "x")]).await.unwrap_err(),
        live.delete_schedule(&first).await.unwrap_err(),
    ];
    for error in stale.iter().chain(&other) {
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
    }
    assert_eq!(live.schedule(namespace.name(), "a").await.unwrap(), Some(second));
}

#[tokio::test]
async fn a_list_is_of_a_namespace_or_of_all() {
    let (live, namespace) = (live().await, namespace());
    for name in ["c", "a", "b"] {
        live.create_schedule(&schedule(&namespace, name)).await.unwrap();
    }
    let names = |list: Vec<ExportSchedule>| {
        let own = list.into_iter().filter(|of| of.namespace() == namespace.name());
        own.map(|of| of.name().to_owned()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(names(live.schedules(Some(namespace.name()), 2).await.unwrap()), "a,b");
    assert_eq!(names(live.schedules(None, 5000).await.unwrap()), "a,b,c");
}

/// The API server drops what the schema does not have.
#[tokio::test]
async fn all_of_a_status_comes_back() {
    let (live, namespace) = (live().await, namespace());
    let made = live.create_schedule(&schedule(&namespace, "whole")).await.unwrap();
    let at = "2026-11-26T02:30:00Z";
    let status = json!({
        "observedGeneration": 1, "since": at, "suspended": true, "active": ["whole-1-a"],
        "lastScheduleTime": at, "counted": at, "lastRun": "now", "lastSuccessfulTime": at,
        "lastUnchangedTime": at,
        "lastAttempt": {"name": "whole-1-a", "time": at, "result": "failed", "reason": "NoImage"},
        "lastSkipped": {"time": at, "reason": "Late"},
        "nextScheduleTimes": [at, at, at],
        "runs": {"succeeded": 1, "unchanged": 2, "failed": 3, "missed": 4, "skipped": 5},
        "apps": [{
            "namespace": "shop", "name": "web", "counted": at, "lastSuccessfulTime": at,
            "version": "2026.1126.23000", "failures": 2, "waitsUntil": at, "reason": "NoImage",
            "notRestorable": "its data is in a volume",
        }],
        "moreApps": 7,
        "pruned": {
            "at": at, "app": "shop/web", "kept": 3, "removed": 2, "images": 1, "dryRun": true,
            "error": "denied",
        },
        "conditions": [{
            "type": "Healthy", "status": "True", "reason": "Succeeded", "message": "all is well",
            "lastTransitionTime": at,
        }],
    });
    let whole: ExportScheduleStatus = serde_json::from_value(status.clone()).unwrap();
    assert_eq!(serde_json::to_value(&whole).unwrap(), status, "the test has fields that there are");
    live.patch_schedule_status(&made, &whole).await.unwrap();
    let read = live.schedule(namespace.name(), "whole").await.unwrap().unwrap();
    assert_eq!((read.status, read.spec), (Some(whole), made.spec));
}
