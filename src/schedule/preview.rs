//! The next runs of a schedule, and which of their versions would stay, before any of them is made.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cron::{Schedule, parse};
use super::declared::{Invalid, zone};
use super::retention::{Rules, decide};
use super::rules::Plan;
use super::simulate::{simulate, upcoming};
use crate::cluster::record::schedule::{ExportSchedule, NEXT_TIMES};

/// Most runs of a preview: 27 years of days. Each run looks at all versions before it.
pub const MAX_RUNS: i64 = 10_000;

/// The next runs of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// When it is due, as it says.
    pub schedule: String,
    /// By whose clock.
    pub time_zone: String,
    /// By up to how many seconds each run begins later.
    pub jitter_seconds: u32,
    /// The next runs, the first one first.
    pub runs: Vec<Run>,
}

impl Preview {
    /// Of a schedule that need not exist, whose intervals count from `from`.
    ///
    /// # Errors
    /// When its zone or its times cannot be.
    pub fn declared(
        schedule: &str,
        time_zone: &str,
        jitter_seconds: u32,
        rules: Option<&Rules>,
        (from, count): (Timestamp, usize),
    ) -> Result<Self, Invalid> {
        let plan = Plan::at(parse(schedule)?, zone(time_zone)?);
        Ok(Self {
            schedule: schedule.to_owned(),
            time_zone: time_zone.to_owned(),
            jitter_seconds,
            runs: preview(&plan, rules, from, from, count),
        })
    }

    /// Of a schedule of the cluster, with the moments of jitter; `instead` are rules to be tried in place
    /// of its own.
    ///
    /// # Errors
    /// When it says what cannot be.
    pub fn of(
        schedule: &ExportSchedule,
        instead: Option<Rules>,
        (from, count): (Timestamp, usize),
    ) -> Result<Self, Invalid> {
        let plan = Plan::of(schedule)?;
        let own = schedule.spec.retention.as_ref().map(Rules::of).transpose()?;
        let created = schedule.created().unwrap_or(from);
        let spec = &schedule.spec;
        Ok(Self {
            schedule: spec.schedule.clone(),
            time_zone: spec.time_zone.clone(),
            jitter_seconds: spec.jitter_seconds,
            runs: preview(&plan, instead.or(own).as_ref(), created, from, count),
        })
    }
}

/// When a schedule is due next, by the clock of its zone. Nothing while it is suspended, and of one that
/// is not valid, whose status says why.
pub fn next(schedule: &ExportSchedule, now: Timestamp) -> Vec<String> {
    let Some(plan) = Plan::of(schedule).ok().filter(|plan| !plan.suspended) else {
        return Vec::new();
    };
    let times = upcoming(&plan, schedule.created().unwrap_or(now), now, NEXT_TIMES);
    times.into_iter().map(|due| local(due, &plan.zone)).collect()
}

/// A run to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// When it is due, by the clock of the schedule's zone.
    #[schemars(extend("format" = "date-time"))]
    pub due: String,
    /// The same in UTC.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub utc: Timestamp,
    /// When it begins, where that is later: by `jitter`, of a schedule that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub begins: Option<Timestamp>,
    /// Why its version is there after the last of the runs, if each finds something new; empty: it is
    /// not. Absent, where there are no rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Vec<String>>,
}

/// The next `count` runs of `plan` after `from`; intervals count from `created`. With `rules`, there
/// are no versions but theirs.
pub fn preview(
    plan: &Plan,
    rules: Option<&Rules>,
    created: Timestamp,
    from: Timestamp,
    count: usize,
) -> Vec<Run> {
    let times = upcoming(plan, created, from, count);
    let mut kept = rules.map(|rules| kept(plan, rules, &times));
    let runs = times.iter().enumerate().map(|(index, due)| Run {
        due: local(*due, &plan.zone),
        utc: *due,
        begins: Some(plan.begins(*due)).filter(|begins| begins != due),
        kept: kept.as_mut().map(|kept| kept.get_mut(index).map(std::mem::take).unwrap_or_default()),
    });
    runs.collect()
}

/// Why the version of each run is there after the last one.
fn kept(plan: &Plan, rules: &Rules, times: &[Timestamp]) -> Vec<Vec<String>> {
    let mut kept = vec![Vec::new(); times.len()];
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return kept };
    // Each run begins when it is due, and none is left out.
    let plan = Plan {
        jitter: SignedDuration::ZERO,
        on_create: false,
        suspended: false,
        deadline: None,
        ..plan.clone()
    };
    let since = match plan.schedule {
        Schedule::Every(interval) => interval,
        Schedule::Calendar(_) => SignedDuration::from_secs(1),
    };
    let before = first.checked_sub(since).unwrap_or(*first);
    let course = simulate(&plan, Some(rules), before, *last, |_| true);
    for (past, verdict) in course.left.iter().zip(decide(&course.left, rules, &plan.zone, *last)) {
        if let Some(index) = past.taken_at.and_then(|at| times.binary_search(&at).ok()) {
            kept[index] = verdict.reasons.iter().map(ToString::to_string).collect();
        }
    }
    kept
}

/// A time by the clock of a zone, with its offset (RFC 3339).
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::schedule::Retention;
    use crate::schedule::cron::parse;
    use crate::schedule::declared::zone;

    fn plan(schedule: &str) -> Plan {
        Plan::at(parse(schedule).unwrap(), zone("Europe/Berlin").unwrap())
    }

    fn rules(keep_last: u32, keep_weekly: u32) -> Rules {
        let retention: Retention = serde_json::from_value(serde_json::json!({
            "keepLast": keep_last, "keepWeekly": keep_weekly,
        }))
        .unwrap();
        Rules::of(&retention).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The night in which clocks are put forward has no half past two.
    #[test]
    fn times_are_those_of_the_zone() {
        let from = at("2026-03-28T00:00:00Z");
        let runs = preview(&plan("30 2 * * *"), None, from, from, 3);
        let due: Vec<_> = runs.iter().map(|run| run.due.as_str()).collect();
        assert_eq!(
            due,
            ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
        );
        assert_eq!(runs[1].utc, at("2026-03-29T01:00:00Z"));
        assert!(runs.iter().all(|run| run.kept.is_none() && run.begins.is_none()));
    }

    #[test]
    fn of_each_run_it_is_said_why_its_version_stays() {
        let from = at("2026-11-22T12:00:00Z"); // a Sunday
        let runs = preview(&plan("@daily"), Some(&rules(2, 2)), from, from, 9);
        let kept: Vec<_> = runs.iter().map(|run| run.kept.clone().unwrap().join(", ")).collect();
        let last = "always kept as one of the newest, one of the newest that are counted, \
             held at the end of the week of 2026-11-30";
        let counted = "one of the newest that are counted";
        assert_eq!(
            kept,
            ["", "", "", "", "", "", "held at the end of the week of 2026-11-23", counted, last]
        );
    }

    #[test]
    fn intervals_count_from_the_creation() {
        let (created, from) = (at("2026-11-26T00:10:00Z"), at("2026-11-26T09:00:00Z"));
        let runs = preview(&plan("@every 6h"), Some(&rules(1, 0)), created, from, 3);
        let found: Vec<_> =
            runs.iter().map(|run| (run.utc, run.kept.as_ref().unwrap().len())).collect();
        assert_eq!(
            found,
            [
                (at("2026-11-26T12:10:00Z"), 0),
                (at("2026-11-26T18:10:00Z"), 0),
                (at("2026-11-27T00:10:00Z"), 2),
            ]
        );
    }

    #[test]
    fn the_spread_of_a_schedule_that_exists_is_told() {
        let jitter = SignedDuration::from_mins(10);
        let plan = Plan { jitter, seed: 7, ..plan("@daily") };
        let from = at("2026-11-26T00:00:00Z");
        let runs = preview(&plan, None, from, from, 2);
        for run in &runs {
            let later = run.begins.unwrap().duration_since(run.utc);
            assert!(later > SignedDuration::ZERO && later < jitter, "{run:?}");
        }
    }
}
