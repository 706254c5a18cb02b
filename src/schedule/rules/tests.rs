use proptest::prelude::*;

use super::*;
use crate::schedule::cron::parse;
use crate::schedule::cron::tests::zone;

fn at(text: &str) -> Timestamp {
    // The day of most cases.
    let text = if text.len() == 5 { format!("2026-03-10T{text}:00Z") } else { text.to_owned() };
    text.parse().unwrap()
}

fn plan(schedule: &str) -> Plan {
    Plan {
        schedule: parse(schedule).unwrap(),
        zone: TimeZone::UTC,
        jitter: SignedDuration::ZERO,
        deadline: None,
        catch_up: true,
        suspended: false,
        on_create: false,
        seed: 7,
    }
}

fn before(created: &str, decided: Option<&str>) -> Before {
    Before { created: at(created), since: at(created), decided: decided.map(at) }
}

/// Of an hourly schedule: what starts, what is skipped, what was missed and when it wakes.
fn hourly(
    change: impl FnOnce(&mut Plan),
    decided: Option<&str>,
    busy: bool,
    now: &str,
) -> Decision {
    let mut plan = plan("0 * * * *");
    change(&mut plan);
    decide(&plan, before("2026-03-10T00:30:00Z", decided), busy, at(now))
}

#[test]
fn a_run_is_due_once() {
    let none = hourly(|_| (), None, false, "00:59");
    assert_eq!((none.start, none.wake), (None, Some(at("01:00"))));
    let due = hourly(|_| (), None, false, "01:00");
    assert_eq!((due.start, due.missed, due.wake), (Some(at("01:00")), 0, Some(at("02:00"))));
    let done = hourly(|_| (), Some("01:00"), false, "01:00");
    assert_eq!((done.start, done.wake), (None, Some(at("02:00"))));
    let later = hourly(|_| (), Some("01:00"), false, "01:59");
    assert_eq!((later.start, later.wake), (None, Some(at("02:00"))));
}

#[test]
fn of_missed_runs_the_latest_is_made_up_for() {
    let after = hourly(|_| (), Some("01:00"), false, "09:40");
    assert_eq!((after.start, after.missed, after.wake), (Some(at("09:00")), 7, Some(at("10:00"))));
    let none = hourly(|plan| plan.catch_up = false, Some("01:00"), false, "09:40");
    assert_eq!((none.start, none.skip), (None, Some((at("09:00"), Skip::Missed))));
    // A new leader takes a moment.
    let soon = hourly(|plan| plan.catch_up = false, Some("08:00"), false, "09:01");
    assert_eq!((soon.start, soon.skip), (Some(at("09:00")), None));
    let years = hourly(|_| (), Some("01:00"), false, "2029-03-10T09:40:00Z");
    assert_eq!((years.start, years.missed), (Some(at("2029-03-10T09:00:00Z")), MOST_MISSED));
}

#[test]
fn the_deadline_is_the_last_moment() {
    let with = |now: &str| {
        let deadline = Some(SignedDuration::from_mins(10));
        let decision = hourly(|plan| plan.deadline = deadline, Some("01:00"), false, now);
        (decision.start, decision.skip)
    };
    assert_eq!(with("02:10"), (Some(at("02:00")), None));
    assert_eq!(with("2026-03-10T02:10:01Z"), (None, Some((at("02:00"), Skip::Late))));
    assert_eq!(with("03:05"), (Some(at("03:00")), None));
}

#[test]
fn a_run_waits_while_another_goes_on() {
    let busy = hourly(|_| (), Some("01:00"), true, "02:00");
    assert_eq!((busy.start, busy.skip, busy.wake), (None, None, Some(at("03:00"))));
    let free = hourly(|_| (), Some("01:00"), false, "02:40");
    assert_eq!(free.start, Some(at("02:00")));
    // The next one takes its place.
    let next = hourly(|_| (), Some("01:00"), false, "03:01");
    assert_eq!((next.start, next.missed), (Some(at("03:00")), 1));
}

#[test]
fn what_is_suspended_starts_nothing_and_makes_up_for_nothing() {
    assert_eq!(hourly(|plan| plan.suspended = true, None, false, "09:00"), Decision::default());
    let resumed = Before { since: at("09:10"), ..before("2026-03-10T00:30:00Z", Some("01:00")) };
    let decision = decide(&plan("0 * * * *"), resumed, false, at("09:11"));
    assert_eq!((decision.start, decision.missed, decision.wake), (None, 0, Some(at("10:00"))));
}

#[test]
fn the_first_run_may_be_due_at_once() {
    let first = hourly(|plan| plan.on_create = true, None, false, "00:30");
    assert_eq!((first.start, first.wake), (Some(at("00:30")), Some(at("01:00"))));
    let second = hourly(|plan| plan.on_create = true, Some("00:30"), false, "00:31");
    assert_eq!((second.start, second.wake), (None, Some(at("01:00"))));
}

/// Nothing is started twice, and a clock that was years ahead does not stop the schedule for years.
#[test]
fn a_clock_that_jumps() {
    let back = hourly(|_| (), Some("09:00"), false, "08:30");
    assert_eq!((back.start, back.wake), (None, Some(at("10:00"))));
    let mended = hourly(|_| (), Some("2036-03-10T09:00:00Z"), false, "08:30");
    assert_eq!((mended.start, mended.missed), (Some(at("08:00")), 7));
    let decided = hourly(|_| (), Some("08:00"), false, "08:30");
    assert_eq!((decided.start, decided.wake), (None, Some(at("09:00"))));
}

#[test]
fn a_thousand_schedules_of_one_minute_are_spread() {
    let minutes = |seed: u64| {
        let plan = Plan { jitter: SignedDuration::from_mins(10), seed, ..plan("0 3 * * *") };
        plan.begins(at("03:00")).duration_since(at("03:00"))
    };
    let mut per_minute = [0; 10];
    for seed in 0..1000 {
        per_minute[usize::try_from(minutes(seed).as_mins()).unwrap()] += 1;
    }
    assert!(per_minute.iter().all(|count| (60..140).contains(count)), "{per_minute:?}");
    assert_eq!(minutes(5), minutes(5));
}

#[test]
fn a_run_begins_after_its_jitter() {
    let jittered = |now: &str| {
        let jitter = SignedDuration::from_mins(10);
        let decision = hourly(|plan| plan.jitter = jitter, Some("01:00"), false, now);
        (decision.start, decision.wake.unwrap())
    };
    let (start, wake) = jittered("02:00");
    assert_eq!(start, None);
    assert!(wake > at("02:00") && wake < at("02:10"), "{wake}");
    assert_eq!(jittered(&wake.to_string()).0, Some(at("02:00")));
}

/// Runs a schedule as a controller does, which wakes when it was told to and now and then besides,
/// is away for a while, and forgets nothing that it decided.
fn simulate(plan: &Plan, from: Timestamp, steps: &[(u16, bool)]) -> Vec<(Timestamp, Timestamp)> {
    let mut known = Before { created: from, since: from, decided: None };
    let (mut now, mut started) = (from, Vec::new());
    for (away, busy) in steps {
        let decision = decide(plan, known, *busy, now);
        if let Some(due) = decision.start {
            started.push((due, now));
        }
        known.decided = decision.start.or(decision.skip.map(|(due, _)| due)).or(known.decided);
        let wake = decision.wake.unwrap_or(now);
        now = wake.max(now) + SignedDuration::from_secs(i64::from(*away) * i64::from(*away) / 40);
    }
    started
}

proptest! {
    #[test]
    fn each_due_time_starts_at_most_once_and_in_time(
        schedule in prop::sample::select(&["*/5 * * * *", "0 3 * * *", "@every 7m", "30 2 * * 1-5"][..]),
        jitter in 0i64..240, deadline in prop::option::of(0i64..7200), catch_up: bool,
        steps in prop::collection::vec((0u16..2000, prop::bool::weighted(0.2)), 1..80),
    ) {
        let plan = Plan {
            jitter: SignedDuration::from_secs(jitter),
            deadline: deadline.map(SignedDuration::from_secs),
            catch_up,
            zone: zone("Europe/Berlin"),
            ..plan(schedule)
        };
        let from = at("2026-03-27T00:00:00Z");
        let started = simulate(&plan, from, &steps);
        for pair in started.windows(2) {
            prop_assert!(pair[0].0 < pair[1].0);
        }
        for (due, now) in started {
            let before = due - SignedDuration::from_secs(1);
            prop_assert_eq!(plan.next(before, from), Some(due));
            prop_assert!(plan.begins(due) <= now);
            if let Some(deadline) = plan.deadline {
                prop_assert!(now <= plan.begins(due) + deadline);
            }
        }
    }
}
