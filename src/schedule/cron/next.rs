//! The next time that is due.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::field::HOUR;
use super::{Calendar, Schedule};

/// So many days ahead a calendar has a day: 29 February is eight years apart around 2100, and
/// schedules that no month fulfils are refused before.
const HORIZON_DAYS: usize = 366 * 9;

impl Schedule {
    /// The first time after `after` that is due in `zone`; intervals are counted from `anchor`.
    /// `None` at the end of time alone.
    pub fn next(&self, after: Timestamp, anchor: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Every(interval) => next_multiple(*interval, after, anchor),
            Self::Calendar(calendar) => calendar.next(after, zone),
        }
    }
}

fn next_multiple(
    interval: SignedDuration,
    after: Timestamp,
    anchor: Timestamp,
) -> Option<Timestamp> {
    let (length, since) = (interval.as_secs(), after.as_second() - anchor.as_second());
    let times = since.div_euclid(length).max(0) + 1;
    anchor
        .as_second()
        .checked_add(times.checked_mul(length)?)
        .and_then(|second| Timestamp::from_second(second).ok())
}

impl Calendar {
    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let now = zone.to_datetime(after);
        if self.hours.numbers().count() == usize::from(HOUR.size()) {
            return self.next_of_each_hour(after, zone);
        }
        let mut date = now.date();
        for _ in 0..HORIZON_DAYS {
            if self.has_day(date) {
                let due = self.times().map(|time| instant(date.to_datetime(time), zone));
                if let Some(due) = due.flatten().find(|due| *due > after) {
                    return Some(due);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// Goes through real hours, whatever the clock says of them.
    fn next_of_each_hour(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut at = whole_minute(after)?;
        let mut days = 0;
        while days < HORIZON_DAYS {
            let clock = zone.to_datetime(at);
            if !self.has_day(clock.date()) {
                days += 1;
                // Midnight may be left out, and the day with it.
                let midnight =
                    instant(clock.date().tomorrow().ok()?.to_datetime(Time::midnight()), zone)?;
                at = midnight.max(at + SignedDuration::from_mins(1));
                continue;
            }
            let (minute, second) = (clock.minute(), clock.second());
            let wait = match self.minutes.from(minute) {
                // Before 1972 some clocks were off by less than a minute.
                _ if second != 0 => i64::from(60 - second),
                Some(due) if due == minute => return Some(at),
                due => i64::from(due.unwrap_or(60) - minute) * 60,
            };
            at += SignedDuration::from_secs(wait);
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        if !self.months.has(date.month()) {
            return false;
        }
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        if self.both { day && weekday } else { day || weekday }
    }

    /// Times of a day, the earliest first.
    fn times(&self) -> impl Iterator<Item = Time> {
        let minutes = self.minutes;
        self.hours.numbers().flat_map(move |hour| {
            minutes.numbers().filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
        })
    }
}

/// When the clock of `zone` shows `time`: the first time, or, if it leaves it out, when it goes on.
fn instant(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(time).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // By the later offset it is before the clocks were changed.
            let before = after.to_timestamp(time).ok()?;
            zone.following(before).next().map(|change| change.timestamp())
        }
    }
}

/// The first whole minute after `after`.
fn whole_minute(after: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second((after.as_second().div_euclid(60) + 1) * 60).ok()
}
