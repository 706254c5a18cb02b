//! Versions of charts: calendar versions in UTC, and which one comes next. Pure.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use semver::Version;

/// `YYYY.MDD.HMMSS` in UTC: integers without leading zeros, so that it is SemVer and sorts.
pub fn calendar(at: Timestamp) -> Version {
    let at = at.to_zoned(TimeZone::UTC);
    let day = u64::from(at.month().unsigned_abs()) * 100 + u64::from(at.day().unsigned_abs());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let time = u64::from(hour.unsigned_abs()) * 10_000
        + u64::from(minute.unsigned_abs()) * 100
        + u64::from(second.unsigned_abs());
    Version::new(u64::from(at.year().unsigned_abs()), day, time)
}

/// The moment that a calendar version names; `None` for any other version.
pub fn moment(version: &Version) -> Option<Timestamp> {
    if !version.pre.is_empty() || !version.build.is_empty() {
        return None;
    }
    let small = |number: u64| i8::try_from(number).ok();
    let year = i16::try_from(version.major).ok().filter(|year| *year >= 1970)?;
    let date = Date::new(year, small(version.minor / 100)?, small(version.minor % 100)?).ok()?;
    let (hour, rest) = (version.patch / 10_000, version.patch % 10_000);
    let time = Time::new(small(hour)?, small(rest / 100)?, small(rest % 100)?, 0).ok()?;
    DateTime::from_parts(date, time).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A version for new content, and whether the clock is behind the newest one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// The version.
    pub version: Version,
    /// Whether the newest version is later than the clock.
    pub clock_behind: bool,
}

/// The version that follows `newest` at `at`: the calendar version of that moment, moved on by
/// whole seconds past the newest and past every version that is taken.
pub fn next(at: Timestamp, newest: Option<&Version>, taken: &BTreeSet<Version>) -> Next {
    let mut moment_now = at;
    let mut clock_behind = false;
    if let Some(newest) = newest.filter(|newest| **newest >= calendar(at)) {
        clock_behind = *newest > calendar(at);
        match moment(newest) {
            Some(later) => moment_now = later + SignedDuration::from_secs(1),
            // A greater version that is no calendar version: the next patch is still greater.
            None => {
                let version = Version::new(newest.major, newest.minor, newest.patch + 1);
                return Next { version, clock_behind };
            }
        }
    }
    while taken.contains(&calendar(moment_now)) {
        moment_now += SignedDuration::from_secs(1);
    }
    Next { version: calendar(moment_now), clock_behind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_have_no_leading_zeros() {
        assert_eq!(calendar(at("2026-01-05T00:00:05Z")).to_string(), "2026.105.5");
        assert_eq!(calendar(at("2026-11-22T17:35:01Z")).to_string(), "2026.1122.173501");
    }

    #[test]
    fn a_taken_second_moves_on_and_a_late_newest_is_followed() {
        let now = at("2026-01-05T00:00:59Z");
        let taken = BTreeSet::from([calendar(now)]);
        let next_second = next(now, taken.first(), &taken);
        assert_eq!(next_second.version.to_string(), "2026.105.100");
        assert!(!next_second.clock_behind);
        let future = Version::new(2027, 101, 0);
        let follows = next(now, Some(&future), &BTreeSet::new());
        assert_eq!(
            (follows.version.to_string().as_str(), follows.clock_behind),
            ("2027.101.1", true)
        );
        let foreign = Version::new(9000, 1, 99);
        assert_eq!(next(now, Some(&foreign), &BTreeSet::new()).version.to_string(), "9000.1.100");
    }

    proptest! {
        #[test]
        fn calendar_versions_read_back_and_sort(a in 0i64..4_102_444_800, b in 0i64..4_102_444_800) {
            let (a, b) = (Timestamp::from_second(a).unwrap(), Timestamp::from_second(b).unwrap());
            prop_assert_eq!(moment(&calendar(a)), Some(a));
            prop_assert_eq!(calendar(a).cmp(&calendar(b)), a.cmp(&b));
        }
    }
}
