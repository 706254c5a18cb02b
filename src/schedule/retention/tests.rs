use proptest::prelude::*;

use super::*;
use crate::schedule::cron::tests::zone;

const NONE: Rules = Rules {
    last: 0,
    hourly: 0,
    daily: 0,
    weekly: 0,
    monthly: 0,
    yearly: 0,
    max_age: None,
    min_successful: NonZeroU32::MIN,
    include_manual: false,
};

fn days(days: i64) -> Option<SignedDuration> {
    Some(SignedDuration::from_hours(24 * days))
}

fn scheduled(at: &str) -> Past {
    let taken_at: Timestamp = at.parse().unwrap();
    let version = Version::new(1, 0, u64::try_from(taken_at.as_second()).unwrap());
    Past { version, taken_at: Some(taken_at), scheduled: true, pinned: false }
}

/// The times of those that stay.
fn stay(history: &[Past], rules: &Rules, now: &str) -> Vec<String> {
    let verdicts = decide(history, rules, &TimeZone::UTC, now.parse().unwrap());
    let stays = history.iter().zip(verdicts).filter(|(_, verdict)| !verdict.reasons.is_empty());
    stays.map(|(past, _)| past.taken_at.unwrap().to_string()[..10].to_owned()).collect()
}

#[test]
fn the_newest_are_counted_and_one_always_stays() {
    let history: Vec<_> =
        (1..=9).map(|day| scheduled(&format!("2026-03-0{day}T03:00:00Z"))).collect();
    assert_eq!(stay(&history, &NONE, "2026-03-09T12:00:00Z"), ["2026-03-09"]);
    let rules = Rules { last: 2, ..NONE };
    assert_eq!(stay(&history, &rules, "2026-03-09T12:00:00Z"), ["2026-03-08", "2026-03-09"]);
    assert!(decide(&[], &rules, &TimeZone::UTC, Timestamp::UNIX_EPOCH).is_empty());
}

#[test]
fn a_part_of_the_calendar_keeps_what_held_at_its_end() {
    let at = [
        "2026-01-10T03:00:00Z",
        "2026-02-27T03:00:00Z",
        "2026-03-02T03:00:00Z",
        "2026-03-03T03:00:00Z",
    ];
    let history = at.map(scheduled);
    // At the end of January and of February, and now.
    let rules = Rules { monthly: 3, ..NONE };
    assert_eq!(
        stay(&history, &rules, "2026-03-09T12:00:00Z"),
        ["2026-01-10", "2026-02-27", "2026-03-03"]
    );
    let rules = Rules { monthly: 2, ..NONE };
    assert_eq!(stay(&history, &rules, "2026-03-09T12:00:00Z"), ["2026-02-27", "2026-03-03"]);
    // Nothing has changed for a week: each of these days has the same state.
    let rules = Rules { daily: 7, ..NONE };
    assert_eq!(stay(&history, &rules, "2026-03-09T12:00:00Z"), ["2026-03-03"]);
    let rules = Rules { daily: 8, ..NONE };
    assert_eq!(stay(&history, &rules, "2026-03-09T12:00:00Z"), ["2026-03-02", "2026-03-03"]);
    // Before the first version there is nothing to keep.
    let rules = Rules { yearly: 50, ..NONE };
    assert_eq!(stay(&history, &rules, "2026-03-09T12:00:00Z"), ["2026-03-03"]);
}

/// An idle application has one version. Its age is that of its end, not of its beginning.
#[test]
fn a_change_on_day_91_keeps_the_state_of_day_90() {
    let rules = Rules { max_age: days(90), ..NONE };
    let history = [scheduled("2026-01-01T00:00:00Z"), scheduled("2026-04-02T00:00:00Z")];
    assert_eq!(stay(&history, &rules, "2026-04-02T01:00:00Z"), ["2026-01-01", "2026-04-02"]);
    assert_eq!(stay(&history, &rules, "2026-06-30T01:00:00Z"), ["2026-01-01", "2026-04-02"]);
    assert_eq!(stay(&history, &rules, "2026-07-02T01:00:00Z"), ["2026-04-02"]);
    assert_eq!(stay(&history, &rules, "2030-01-01T00:00:00Z"), ["2026-04-02"]);
}

#[test]
fn an_age_ends_what_the_calendar_keeps_but_not_the_last_good_one() {
    let at = ["2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "2026-03-01T00:00:00Z"];
    let history = at.map(scheduled);
    let rules = Rules { yearly: 5, max_age: days(30), ..NONE };
    assert_eq!(stay(&history, &rules, "2026-03-09T00:00:00Z"), ["2025-06-01", "2026-03-01"]);
    let verdicts =
        decide(&history, &rules, &TimeZone::UTC, "2026-06-01T00:00:00Z".parse().unwrap());
    assert_eq!((verdicts[1].reasons.len(), verdicts[1].too_old), (0, true));
    assert_eq!(stay(&history, &rules, "2029-06-01T00:00:00Z"), ["2026-03-01"]);
    let rules = Rules { min_successful: NonZeroU32::new(2).unwrap(), ..rules };
    assert_eq!(stay(&history, &rules, "2029-06-01T00:00:00Z"), ["2025-06-01", "2026-03-01"]);
}

#[test]
fn pinned_manual_and_undated_versions_stay_and_take_no_place() {
    let mut history: Vec<_> =
        (1..=6).map(|day| scheduled(&format!("2026-03-0{day}T03:00:00Z"))).collect();
    history[0].pinned = true;
    history[4].scheduled = false;
    history[5].scheduled = false;
    let mut undated = scheduled("2026-03-07T03:00:00Z");
    undated.taken_at = None;
    history.push(undated);
    let rules = Rules { last: 1, max_age: days(2), ..NONE };
    let zone = TimeZone::UTC;
    let now = "2026-03-06T12:00:00Z".parse().unwrap();
    let verdicts = decide(&history, &rules, &zone, now);
    let reasons: Vec<_> = verdicts.iter().map(|verdict| verdict.reasons.as_slice()).collect();
    assert_eq!(
        reasons,
        [
            &[Reason::Pinned][..],
            &[],
            &[],
            &[Reason::Last],
            &[Reason::Manual],
            &[Reason::Manual, Reason::Newest],
            &[Reason::Undated],
        ]
    );
    let rules = Rules { include_manual: true, ..rules };
    let verdicts = decide(&history, &rules, &zone, now);
    assert_eq!(verdicts[5].reasons, [Reason::Newest, Reason::Last]);
    assert!(verdicts[3].reasons.is_empty());
}

#[test]
fn days_are_those_of_the_zone() {
    let history = [scheduled("2026-03-08T22:30:00Z"), scheduled("2026-03-08T23:30:00Z")];
    let rules = Rules { daily: 2, ..NONE };
    let now = "2026-03-09T10:00:00Z".parse().unwrap();
    let stay = |name: &str| {
        let verdicts = decide(&history, &rules, &zone(name), now);
        verdicts.iter().filter(|verdict| !verdict.reasons.is_empty()).count()
    };
    assert_eq!((stay("UTC"), stay("Europe/Berlin")), (1, 2));
}

prop_compose! {
    fn rules()(
        counts in prop::array::uniform6(0u32..5),
        max_age in prop::option::of(1i64..400),
        min in 1u32..4,
        include_manual: bool,
    ) -> Rules {
        let [last, hourly, daily, weekly, monthly, yearly] = counts;
        Rules {
            last, hourly, daily, weekly, monthly, yearly, include_manual,
            max_age: max_age.and_then(days),
            min_successful: NonZeroU32::new(min).unwrap(),
        }
    }
}

prop_compose! {
    fn history()(
        versions in prop::collection::vec((0i64..70_000_000, any::<bool>(), 0u8..9), 0..40),
    ) -> Vec<Past> {
        let versions = versions.into_iter().enumerate();
        versions.map(|(number, (second, scheduled, odd))| Past {
            version: Version::new(1, 0, number as u64),
            taken_at: (odd != 1).then(|| Timestamp::from_second(1_700_000_000 + second).unwrap()),
            scheduled,
            pinned: odd == 2,
        }).collect()
    }
}

proptest! {
    #[test]
    fn something_always_stays_and_more_rules_keep_more(
        history in history(), rules in rules(), later in 0i64..20_000_000,
    ) {
        let zone = zone("Europe/Berlin");
        let now = Timestamp::from_second(1_770_000_000 + later).unwrap();
        let stays = |rules: &Rules| -> Vec<bool> {
            decide(&history, rules, &zone, now).iter().map(|v| !v.reasons.is_empty()).collect()
        };
        let some = stays(&rules);
        let least = history.len().min(rules.min_successful.get() as usize);
        prop_assert!(some.iter().filter(|stays| **stays).count() >= least);
        let mut more = rules;
        more.last += 1;
        more.weekly += 1;
        let older = Rules { max_age: rules.max_age.map(|age| age * 2), ..rules };
        // Without rules that count an age keeps what is younger; a count then takes over.
        if rules.counts() {
            for (few, many) in some.iter().zip(stays(&more)) {
                prop_assert!(!few || many);
            }
        }
        for (few, many) in some.iter().zip(stays(&older)) {
            prop_assert!(!few || many);
        }
    }

    /// What is left after a prune stays at once after it.
    #[test]
    fn a_second_prune_finds_nothing(history in history(), rules in rules(), of in 0usize..2) {
        let zone = zone(["UTC", "America/New_York"][of]);
        let now = Timestamp::from_second(1_772_000_000).unwrap();
        let verdicts = decide(&history, &rules, &zone, now);
        let rest: Vec<_> = history.iter().zip(verdicts)
            .filter(|(_, verdict)| !verdict.reasons.is_empty())
            .map(|(past, _)| past.clone()).collect();
        let again = decide(&rest, &rules, &zone, now);
        prop_assert!(again.iter().all(|verdict| !verdict.reasons.is_empty()));
    }

    #[test]
    fn the_order_of_versions_does_not_matter(history in history(), rules in rules()) {
        let now = Timestamp::from_second(1_772_000_000).unwrap();
        let verdicts = decide(&history, &rules, &TimeZone::UTC, now);
        let turned: Vec<_> = history.iter().rev().cloned().collect();
        let mut other = decide(&turned, &rules, &TimeZone::UTC, now);
        other.reverse();
        prop_assert_eq!(verdicts, other);
    }
}
