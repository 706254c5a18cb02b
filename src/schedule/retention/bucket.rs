//! Hours, days, weeks, months and years of a time zone, backwards.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

/// A part of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// 60 minutes.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        })
    }
}

/// The parts of the calendar from the one with `now` backwards: first day, and the moment in which
/// each is over.
pub(super) fn ends(
    span: Span,
    zone: &TimeZone,
    now: Timestamp,
) -> impl Iterator<Item = (Date, Timestamp)> {
    let mut current = Some(first(span, &now.to_zoned(zone.clone())));
    let zone = zone.clone();
    std::iter::from_fn(move || {
        let (date, hour) = current?;
        let end = match span {
            Span::Hour => hour.checked_add(SignedDuration::from_hours(1)).ok()?,
            _ => shifted(span, date, 1)?.to_zoned(zone.clone()).ok()?.timestamp(),
        };
        current = match span {
            Span::Hour => hour
                .checked_sub(SignedDuration::from_hours(1))
                .ok()
                .map(|hour| (hour.to_zoned(zone.clone()).date(), hour)),
            _ => shifted(span, date, -1).map(|date| (date, hour)),
        };
        Some((date, end))
    })
}

/// The first day of the part with `now`, and the beginning of its hour.
fn first(span: Span, now: &Zoned) -> (Date, Timestamp) {
    let date = now.date();
    let first = match span {
        Span::Hour | Span::Day => date,
        Span::Week => date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days()),
        Span::Month => date.first_of_month(),
        Span::Year => date.first_of_year(),
    };
    let into = i64::from(now.minute()) * 60 + i64::from(now.second());
    let second = now.timestamp().as_second().saturating_sub(into);
    (first, Timestamp::from_second(second).unwrap_or(Timestamp::MIN))
}

fn shifted(span: Span, date: Date, by: i64) -> Option<Date> {
    date.checked_add(match span {
        Span::Hour | Span::Day => by.days(),
        Span::Week => by.weeks(),
        Span::Month => by.months(),
        Span::Year => by.years(),
    })
    .ok()
}
