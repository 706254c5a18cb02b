use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;

/// Zones by their rules of today, as a machine may have no database of them.
pub(crate) const ZONES: [(&str, &str); 6] = [
    ("UTC", "UTC0"),
    ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
    ("Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"),
    ("Africa/Cairo", "EET-2EEST,M4.5.5/0,M10.5.4/24"),
    ("Asia/Kathmandu", "<+0545>-5:45"),
];

pub(crate) fn zone(name: &str) -> TimeZone {
    let (_, rule) = ZONES.iter().find(|(zone, _)| *zone == name).unwrap();
    TimeZone::posix(rule).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next `count` times, as the clock of `zone` shows them.
fn times(schedule: &str, from: &str, name: &str, count: usize) -> Vec<String> {
    let (schedule, zone, anchor) = (parse(schedule).unwrap(), zone(name), at(from));
    let mut after = anchor;
    (0..count)
        .map(|_| {
            after = schedule.next(after, anchor, &zone).unwrap();
            after.to_zoned(zone.clone()).strftime("%a %F %H:%M:%S %:z").to_string()
        })
        .collect()
}

#[test]
fn fields_descriptors_and_intervals() {
    let from = "2026-11-26T07:30:00Z";
    for (schedule, due) in [
        ("* * * * *", ["Thu 2026-11-26 07:31:00 +00:00", "Thu 2026-11-26 07:32:00 +00:00"]),
        ("30 7 * * *", ["Fri 2026-11-27 07:30:00 +00:00", "Sat 2026-11-28 07:30:00 +00:00"]),
        ("*/20 8 * * ?", ["Thu 2026-11-26 08:00:00 +00:00", "Thu 2026-11-26 08:20:00 +00:00"]),
        ("5/30 * * * *", ["Thu 2026-11-26 07:35:00 +00:00", "Thu 2026-11-26 08:05:00 +00:00"]),
        ("0 0 1,15 * *", ["Tue 2026-12-01 00:00:00 +00:00", "Tue 2026-12-15 00:00:00 +00:00"]),
        (
            "0 9-17/4 * * mon-FRI",
            ["Thu 2026-11-26 09:00:00 +00:00", "Thu 2026-11-26 13:00:00 +00:00"],
        ),
        // Both days say something: one of them is enough.
        ("0 0 13 * fri", ["Fri 2026-11-27 00:00:00 +00:00", "Fri 2026-12-04 00:00:00 +00:00"]),
        // A step of days says something, too.
        ("0 0 */10 * sun", ["Sun 2026-11-29 00:00:00 +00:00", "Tue 2026-12-01 00:00:00 +00:00"]),
        ("0 0 29 feb *", ["Tue 2028-02-29 00:00:00 +00:00", "Sun 2032-02-29 00:00:00 +00:00"]),
        ("0 0 31 * *", ["Thu 2026-12-31 00:00:00 +00:00", "Sun 2027-01-31 00:00:00 +00:00"]),
        ("@yearly", ["Fri 2027-01-01 00:00:00 +00:00", "Sat 2028-01-01 00:00:00 +00:00"]),
        ("@monthly", ["Tue 2026-12-01 00:00:00 +00:00", "Fri 2027-01-01 00:00:00 +00:00"]),
        ("@weekly", ["Sun 2026-11-29 00:00:00 +00:00", "Sun 2026-12-06 00:00:00 +00:00"]),
        ("@midnight", ["Fri 2026-11-27 00:00:00 +00:00", "Sat 2026-11-28 00:00:00 +00:00"]),
        ("@hourly", ["Thu 2026-11-26 08:00:00 +00:00", "Thu 2026-11-26 09:00:00 +00:00"]),
        ("@every 1h30m", ["Thu 2026-11-26 09:00:00 +00:00", "Thu 2026-11-26 10:30:00 +00:00"]),
        ("0 */24 * * *", ["Fri 2026-11-27 00:00:00 +00:00", "Sat 2026-11-28 00:00:00 +00:00"]),
        ("@every 90s", ["Thu 2026-11-26 07:31:30 +00:00", "Thu 2026-11-26 07:33:00 +00:00"]),
    ] {
        assert_eq!(times(schedule, from, "UTC", 2), due, "{schedule}");
    }
}

#[test]
fn a_century_without_a_leap_day_is_bridged() {
    let due = times("0 0 29 2 *", "2096-03-01T00:00:00Z", "UTC", 1);
    assert_eq!(due, ["Fri 2104-02-29 00:00:00 +00:00"]);
}

/// What is due in the hour that is left out is due when the clock goes on, once.
#[test]
fn a_day_of_23_hours() {
    for (name, eve, gone) in [
        ("Europe/Berlin", "2026-03-28T12:00:00Z", "Sun 2026-03-29 03:00:00 +02:00"),
        ("America/New_York", "2026-03-07T12:00:00Z", "Sun 2026-03-08 03:00:00 -04:00"),
        ("Australia/Lord_Howe", "2026-10-03T00:00:00Z", "Sun 2026-10-04 02:30:00 +11:00"),
    ] {
        for schedule in ["15 2 * * *", "0,15,20 2 * * *"] {
            let due = times(schedule, eve, name, 2);
            assert_eq!(due[0], gone, "{name} {schedule}");
            assert!(due[1].starts_with("Mon"), "{name} {schedule}: {}", due[1]);
        }
    }
    // There is no midnight.
    let due = times("@daily", "2026-04-23T12:00:00Z", "Africa/Cairo", 2);
    assert_eq!(due, ["Fri 2026-04-24 01:00:00 +03:00", "Sat 2026-04-25 00:00:00 +03:00"]);
    let due = times("0 * * * *", "2026-03-29T00:30:00Z", "Europe/Berlin", 2);
    assert_eq!(due, ["Sun 2026-03-29 03:00:00 +02:00", "Sun 2026-03-29 04:00:00 +02:00"]);
}

/// What the clock shows twice is due the first time; of every hour, each hour.
#[test]
fn a_day_of_25_hours() {
    let due = times("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", 2);
    assert_eq!(due, ["Sun 2026-10-25 02:30:00 +02:00", "Mon 2026-10-26 02:30:00 +01:00"]);
    let due = times("30 1 * * *", "2026-11-01T00:00:00Z", "America/New_York", 2);
    assert_eq!(due, ["Sun 2026-11-01 01:30:00 -04:00", "Mon 2026-11-02 01:30:00 -05:00"]);
    let due = times("30 * * * *", "2026-10-25T00:00:00Z", "Europe/Berlin", 3);
    assert_eq!(
        due,
        [
            "Sun 2026-10-25 02:30:00 +02:00",
            "Sun 2026-10-25 02:30:00 +01:00",
            "Sun 2026-10-25 03:30:00 +01:00",
        ]
    );
    // Asked in the second of the two hours.
    let due = times("45 2 * * *", "2026-10-25T01:10:00Z", "Europe/Berlin", 1);
    assert_eq!(due, ["Mon 2026-10-26 02:45:00 +01:00"]);
}

#[test]
fn what_is_no_schedule_is_refused_by_name() {
    let refused = |text: &str| parse(text).unwrap_err().to_string();
    for (text, says) in [
        ("", "1 to 512 characters"),
        ("0 3 * *", "five fields, minute, hour, day of month, month and day of week, not 4"),
        ("0 0 3 * * *", "a schedule has no seconds: five fields"),
        ("0 0 3 * * * 2026", "not 7"),
        ("60 * * * *", "minute `60`: `60` is no number from 0 to 59"),
        ("* 24 * * *", "hour `24`"),
        ("* * 0 * *", "day of month `0`"),
        ("* * * 13 *", "month `13`: `13` is no number from 1 to 12, or a name from jan to dec"),
        ("* * * * 7", "day of week `7`"),
        ("* * * foo *", "month `foo`"),
        ("5-1 * * * *", "minute `5-1`: the range ends before it begins"),
        ("*/0 * * * *", "a step is a number from 1 to 60"),
        ("*/90 * * * *", "a step is a number from 1 to 60"),
        ("0 */25 * * *", "a step is a number from 1 to 24"),
        ("1,,2 * * * *", "minute ``"),
        ("+5 * * * *", "minute `+5`"),
        ("* * L * *", "day of month `L`"),
        ("* * * * 5#2", "day of week `5#2`"),
        ("0 0 31 2 *", "no month has such a day"),
        ("0 0 30,31 feb *", "no month has such a day"),
        ("0 0 31 4,6,9,11 ?", "no month has such a day"),
        ("@fortnightly", "there is no `@fortnightly`"),
        ("@every", "there is no `@every`"),
        ("@every 59s", "`@every 59s` is not from 1m"),
        ("@every 9000h", "is not from 1m to 8784h"),
        ("@every 1m30", "`@every 1m30`"),
        ("@every 99999999999h", "`@every"),
        ("@every -5m", "`@every -5m`"),
        ("CRON_TZ=Asia/Tokyo 0 3 * * *", "`CRON_TZ=Asia/Tokyo` belongs into the field timeZone"),
        ("TZ=UTC @daily", "`TZ=UTC` belongs"),
    ] {
        assert!(refused(text).contains(says), "{text}: {}", refused(text));
    }
    assert_eq!(parse(&"1,".repeat(300)), Err(Error::Length));
    // A weekday saves it.
    assert!(parse("0 0 31 2 mon").is_ok());
}

fn part(first: u8, last: u8) -> impl Strategy<Value = String> {
    let number = first..=last;
    prop_oneof![
        4 => Just("*".to_owned()),
        2 => (2..=last).prop_map(|step| format!("*/{step}")),
        3 => number.clone().prop_map(|number| number.to_string()),
        2 => (number.clone(), number.clone()).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        2 => (number.clone(), number).prop_map(|(a, b)| format!("{a},{b}")),
    ]
}

fn schedule() -> impl Strategy<Value = String> {
    (part(0, 59), part(0, 23), part(1, 31), part(1, 12), part(0, 6))
        .prop_map(|(m, h, d, o, w)| format!("{m} {h} {d} {o} {w}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_next_time_is_later_and_is_due(
        text in schedule(), second in 0i64..4_000_000_000, (name, _) in prop::sample::select(&ZONES[..]),
    ) {
        let Ok(schedule) = parse(&text) else { return Ok(()) };
        let (zone, after) = (zone(name), Timestamp::from_second(second).unwrap());
        let next = schedule.next(after, after, &zone).unwrap();
        prop_assert!(next > after);
        // Nothing is due in between.
        let middle = Timestamp::from_second((after.as_second() + next.as_second()) / 2).unwrap();
        if middle > after && middle < next {
            prop_assert_eq!(schedule.next(middle, after, &zone), Some(next));
        }
        prop_assert_eq!(schedule.next(next - SignedDuration::from_secs(1), after, &zone), Some(next));
    }

    /// Another reader of the same dialect, away from changes of the clock. (It takes `*/1` in a
    /// day's field for a restriction, which CronJob does not.)
    #[test]
    fn croner_says_the_same(text in schedule(), second in 0i64..4_000_000_000) {
        let Ok(schedule) = parse(&text) else { return Ok(()) };
        let Ok(other) = CronParser::builder().seconds(Seconds::Disallowed).build().parse(&text) else {
            return Ok(());
        };
        let (zone, after) = (TimeZone::UTC, Timestamp::from_second(second).unwrap());
        let theirs = other.find_next_occurrence(&after.to_zoned(zone.clone()), false);
        let Ok(theirs) = theirs else { return Ok(()) };
        prop_assert_eq!(schedule.next(after, after, &zone), Some(theirs.timestamp()), "{}", text);
    }
}
