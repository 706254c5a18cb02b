//! What people see of schedules.

use jiff::{SignedDuration, Timestamp};

use crate::cli::remote::ScheduleView;
use crate::cli::tables::table;
use crate::cluster::record::schedule::{AppStatus, ExportScheduleStatus, Pruned, Retention};

pub(super) fn list(found: &[ScheduleView]) -> String {
    let header = [
        "NAMESPACE",
        "NAME",
        "SCHEDULE",
        "ZONE",
        "SUSPENDED",
        "APP",
        "DESTINATION",
        "LAST SUCCESS",
        "NEXT",
        "REASON",
    ];
    let row = |view: &ScheduleView| {
        let last = view.status.as_ref().and_then(|status| status.last_successful_time);
        vec![
            view.namespace.clone(),
            view.name.clone(),
            view.spec.schedule.clone(),
            view.spec.time_zone.clone(),
            if view.spec.suspend { "yes" } else { "no" }.to_owned(),
            view.what(),
            view.spec.template.destination.clone(),
            time(last),
            view.next.first().cloned().unwrap_or_else(|| "-".to_owned()),
            view.reason().unwrap_or("-").to_owned(),
        ]
    };
    table(&header, found.iter().map(row))
}

pub(super) fn one(view: &ScheduleView) -> String {
    let spec = &view.spec;
    let jitter = SignedDuration::from_secs(i64::from(spec.jitter_seconds));
    let by = view.requested_by.as_ref().map(|by| by.user.clone());
    let lines = [
        ("exports", Some(view.what())),
        ("to", Some(spec.template.destination.clone())),
        ("secrets", Some(format!("{:?}", spec.template.secrets).to_lowercase())),
        ("by", by.or_else(|| spec.service_account_name.clone())),
        ("schedule", Some(format!("{} ({})", spec.schedule, spec.time_zone))),
        ("jitter", (spec.jitter_seconds > 0).then(|| format!("up to {jitter:#}"))),
        ("suspended", spec.suspend.then(|| "yes: nothing begins".to_owned())),
        ("next", (!view.next.is_empty()).then(|| view.next.join("\n"))),
        ("keeps", Some(spec.retention.as_ref().map_or_else(|| "everything".to_owned(), kept))),
    ];
    let mut text = format!("{}\n{}", view.title(), listed(lines));
    match &view.status {
        None => text.push_str("\nno server has seen it yet: is `outhaul serve` running there?\n"),
        Some(status) => text.push_str(&stands(status)),
    }
    text
}

/// How it stands.
fn stands(status: &ExportScheduleStatus) -> String {
    let runs = &status.runs;
    let ended = format!(
        "{} succeeded, {} unchanged, {} failed, {} missed, {} left out",
        runs.succeeded, runs.unchanged, runs.failed, runs.missed, runs.skipped
    );
    let attempt = status.last_attempt.as_ref().map(|last| {
        let reason = last.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} {}{reason}, {}", last.name, last.result, last.time)
    });
    let skipped = status.last_skipped.as_ref();
    let lines = [
        ("runs", Some(ended)),
        ("active", (!status.active.is_empty()).then(|| status.active.join("\n"))),
        ("success", status.last_successful_time.map(|at| at.to_string())),
        ("last", attempt),
        ("left out", skipped.map(|last| format!("{} ({})", last.time, last.reason))),
        ("pruned", status.pruned.as_ref().map(pruned)),
    ];
    let mut text = format!("\n{}", listed(lines));
    for of in &status.conditions {
        text.push_str(&format!(
            "  {:<10} {:?}, {}: {}\n",
            of.kind, of.status, of.reason, of.message
        ));
    }
    if !status.apps.is_empty() {
        let header =
            ["NAMESPACE", "APP", "VERSION", "LAST SUCCESS", "FAILURES", "WAITS UNTIL", "REASON"];
        text.push_str(&format!("\n{}\n", table(&header, status.apps.iter().map(app))));
    }
    if status.more_apps > 0 {
        text.push_str(&format!("and {} more applications\n", status.more_apps));
    }
    text
}

fn app(app: &AppStatus) -> Vec<String> {
    vec![
        app.namespace.clone(),
        app.name.clone(),
        app.version.clone().unwrap_or_else(|| "-".to_owned()),
        time(app.last_successful_time),
        app.failures.to_string(),
        time(app.waits_until),
        app.reason.clone().or_else(|| app.not_restorable.clone()).unwrap_or_else(|| "-".to_owned()),
    ]
}

/// What stays, rule by rule.
fn kept(rules: &Retention) -> String {
    let counts = [
        ("last", rules.keep_last),
        ("hourly", rules.keep_hourly),
        ("daily", rules.keep_daily),
        ("weekly", rules.keep_weekly),
        ("monthly", rules.keep_monthly),
        ("yearly", rules.keep_yearly),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let mut parts: Vec<_> = counts.map(|(name, count)| format!("{count} {name}")).collect();
    parts.extend(rules.max_age.as_ref().map(|age| format!("none older than {age}")));
    parts.push(format!("at least {}", rules.min_successful));
    parts.extend(rules.dry_run.then(|| "and deletes nothing".to_owned()));
    parts.join(", ")
}

fn pruned(pruned: &Pruned) -> String {
    let Pruned { at, app, kept, removed, images, dry_run, error } = pruned;
    let what = if *dry_run { "would remove" } else { "removed" };
    let error = error.as_ref().map(|error| format!("; {error}")).unwrap_or_default();
    format!("{app}: {what} {removed} versions and {images} images, kept {kept}, {at}{error}")
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.to_string())
}

fn listed<const N: usize>(lines: [(&str, Option<String>); N]) -> String {
    let lines = lines.into_iter().filter_map(|(name, value)| Some((name, value?)));
    lines
        .map(|(name, value)| format!("  {name:<10} {}\n", value.replace('\n', "\n             ")))
        .collect()
}
