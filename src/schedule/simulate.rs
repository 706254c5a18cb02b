//! What a schedule and its retention would do over years, without doing it: the rules of
//! [`crate::schedule::rules`] and [`crate::schedule::retention`], applied as the controller does.

use jiff::Timestamp;
use semver::Version;

use crate::schedule::retention::{self, Past, Rules};
use crate::schedule::rules::{Before, Plan, decide};

/// What would have happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Runs that began.
    pub runs: u64,
    /// Runs that found something new.
    pub versions: u64,
    /// Versions that are left at the end, the oldest first.
    pub left: Vec<Past>,
    /// Most versions that there were at once, after a prune.
    pub most: usize,
}

/// Runs `plan` from `from` until `until`, in time and without a fault. `changed` says of each run
/// whether the application has changed since the last one. Without `rules` everything stays.
pub fn simulate(
    plan: &Plan,
    rules: Option<&Rules>,
    from: Timestamp,
    until: Timestamp,
    mut changed: impl FnMut(Timestamp) -> bool,
) -> Course {
    let mut course = Course::default();
    let mut before = Before { created: from, since: from, decided: None };
    let mut now = from;
    while now <= until {
        let decision = decide(plan, before, false, now);
        if let Some(due) = decision.start {
            before.decided = Some(due);
            course.run(plan, rules, now, changed(now));
        }
        let Some(wake) = decision.wake else { break };
        now = wake;
    }
    course
}

/// The next `count` times at which a run is due after `now`.
pub fn upcoming(plan: &Plan, created: Timestamp, now: Timestamp, count: usize) -> Vec<Timestamp> {
    let mut after = now;
    let next = std::iter::from_fn(|| {
        after = plan.next(after, created)?;
        Some(after)
    });
    next.take(count).collect()
}

impl Course {
    fn run(&mut self, plan: &Plan, rules: Option<&Rules>, now: Timestamp, changed: bool) {
        self.runs += 1;
        if changed {
            self.versions += 1;
            self.left.push(Past {
                version: Version::new(0, 0, self.versions),
                taken_at: Some(now),
                scheduled: true,
                pinned: false,
            });
        }
        if let Some(rules) = rules {
            let verdicts = retention::decide(&self.left, rules, &plan.zone, now);
            let mut stays = verdicts.iter().map(|verdict| !verdict.reasons.is_empty());
            self.left.retain(|_| stays.next().unwrap_or(true));
        }
        self.most = self.most.max(self.left.len());
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, ToSpan as _};

    use super::*;
    use crate::schedule::cron::parse;
    use crate::schedule::cron::tests::zone;

    fn plan(schedule: &str, seed: u64) -> Plan {
        Plan {
            schedule: parse(schedule).unwrap(),
            zone: zone("Europe/Berlin"),
            jitter: SignedDuration::from_mins(10),
            deadline: None,
            catch_up: true,
            suspended: false,
            on_create: false,
            seed,
        }
    }

    const RULES: Rules = Rules {
        last: 3,
        hourly: 0,
        daily: 7,
        weekly: 4,
        monthly: 12,
        yearly: 5,
        max_age: None,
        min_successful: NonZeroU32::MIN,
        include_manual: false,
    };

    fn years(from: &str, years: i64) -> (Timestamp, Timestamp) {
        let from: Timestamp = from.parse().unwrap();
        let until = from.to_zoned(TimeZone::UTC).checked_add(years.years()).unwrap();
        (from, until.timestamp())
    }

    /// Two leap years, ten changes of the clock: a daily schedule runs on each day, once.
    #[test]
    fn ten_years_of_days() {
        let (from, until) = years("2026-01-01T00:00:00Z", 10);
        let course = simulate(&plan("30 2 * * *", 1), Some(&RULES), from, until, |_| true);
        assert_eq!(course.runs, 3652);
        let left: Vec<_> = course
            .left
            .iter()
            .map(|past| {
                past.taken_at.unwrap().to_zoned(plan("@daily", 1).zone).strftime("%F").to_string()
            })
            .collect();
        // Ends of the years, of the months, of the weeks, and the last days.
        assert_eq!(
            left,
            [
                "2031-12-31",
                "2032-12-31",
                "2033-12-31",
                "2034-12-31",
                "2035-01-31",
                "2035-02-28",
                "2035-03-31",
                "2035-04-30",
                "2035-05-31",
                "2035-06-30",
                "2035-07-31",
                "2035-08-31",
                "2035-09-30",
                "2035-10-31",
                "2035-11-30",
                "2035-12-16",
                "2035-12-23",
                "2035-12-25",
                "2035-12-26",
                "2035-12-27",
                "2035-12-28",
                "2035-12-29",
                "2035-12-30",
                "2035-12-31",
            ]
        );
        assert!(course.most <= 31, "{}", course.most);
    }

    #[test]
    fn an_idle_application_has_one_version() {
        let (from, until) = years("2026-01-01T00:00:00Z", 1);
        let mut first = true;
        let once = |_| std::mem::replace(&mut first, false);
        let course = simulate(&plan("@hourly", 1), Some(&RULES), from, until, once);
        assert_eq!((course.runs, course.versions, course.left.len()), (8759, 1, 1));
    }

    /// Every day of ten years, in a thousand schedules, each of which runs at a moment of its own and
    /// prunes after each run. `cargo test --release --lib thousand -- --ignored` says how long it takes.
    #[test]
    #[ignore = "is a figure of bench/README.md, and takes minutes unless optimised"]
    fn ten_years_of_a_thousand_schedules() {
        let (from, until) = years("2026-01-01T00:00:00Z", 10);
        let rules = Rules { daily: 7, weekly: 4, monthly: 0, yearly: 0, ..RULES };
        for number in 0..1000_u64 {
            let (minute, hour) = (number % 60, number / 60 % 23);
            let plan = plan(&format!("{minute} {hour} * * *"), number);
            let course = simulate(&plan, Some(&rules), from, until, |_| true);
            // The last day ends before its last hour in Berlin's zone, the first begins within one.
            assert!((3651..=3653).contains(&course.runs), "{number}: {}", course.runs);
            assert!(course.most <= 12, "{number}: {}", course.most);
        }
    }
}
