//! The text of a schedule.

use jiff::SignedDuration;

use super::field::{DAY, HOUR, MINUTE, MONTH, Set, WEEKDAY};
use super::{Calendar, LONGEST, SHORTEST, Schedule};

/// Longest text: five fields with every number of each have fewer than 400.
const MAX_TEXT: usize = 512;

/// Most days that a month ever has, from January on.
const DAYS: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing, or too much to be one.
    #[error("a schedule is of 1 to {MAX_TEXT} characters")]
    Length,
    /// Other than five fields.
    #[error(
        "a schedule has five fields, minute, hour, day of month, month and day of week, not {0}"
    )]
    Fields(usize),
    /// Six fields, of which other programs read the first, or the last, as seconds.
    #[error(
        "a schedule has no seconds: five fields, minute, hour, day of month, month and day of week"
    )]
    Seconds,
    /// Part of a field that does not belong there.
    #[error("{field} `{part}`: {why}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// The part.
        part: String,
        /// What is wrong with it.
        why: String,
    },
    /// `@` and a word that is no descriptor.
    #[error(
        "there is no `{0}`, but @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly and @every"
    )]
    Descriptor(String),
    /// An interval that is none, or too short or long.
    #[error("`@every {0}` is not from 1m to 8784h, in units such as `90m` or `6h30m`")]
    Interval(String),
    /// A time zone in front of the fields.
    #[error("`{0}` belongs into the field timeZone")]
    Zone(String),
    /// Days that no month has.
    #[error("no month has such a day: it would never be due")]
    Never,
}

/// Reads a schedule.
///
/// # Errors
/// When it is none of the dialect, or would never be due.
pub fn parse(text: &str) -> Result<Schedule, Error> {
    if text.len() > MAX_TEXT {
        return Err(Error::Length);
    }
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    match fields[..] {
        [] => Err(Error::Length),
        ["@every", interval] => every(interval).map(Schedule::Every),
        [descriptor] if descriptor.starts_with('@') => {
            described(descriptor).map(Schedule::Calendar)
        }
        [zone, ..] if zone.starts_with("TZ=") || zone.starts_with("CRON_TZ=") => {
            Err(Error::Zone(zone.to_owned()))
        }
        [minute, hour, day, month, weekday] => {
            let [minutes, hours] = [MINUTE.parse(minute)?, HOUR.parse(hour)?];
            let [days, months] = [DAY.parse(day)?, MONTH.parse(month)?];
            let weekdays = WEEKDAY.parse(weekday)?;
            possible(Calendar::new([minutes, hours, days, months, weekdays]))
        }
        _ if fields.len() == 6 => Err(Error::Seconds),
        _ => Err(Error::Fields(fields.len())),
    }
}

/// Whether any month has such a day.
fn possible(calendar: Calendar) -> Result<Schedule, Error> {
    let Calendar { days, months, both, .. } = calendar;
    let least = days.from(1).unwrap_or(i8::MAX);
    let has = |month: i8| usize::try_from(month - 1).is_ok_and(|index| least <= DAYS[index]);
    match !both || months.numbers().any(has) {
        true => Ok(Schedule::Calendar(calendar)),
        false => Err(Error::Never),
    }
}

fn described(descriptor: &str) -> Result<Calendar, Error> {
    let (minutes, hour) = (MINUTE.only(0), HOUR.only(0));
    let (days, months, weekdays) = (DAY.all(), MONTH.all(), WEEKDAY.all());
    Ok(Calendar::new(match descriptor {
        "@yearly" | "@annually" => [minutes, hour, DAY.only(1), MONTH.only(1), weekdays],
        "@monthly" => [minutes, hour, DAY.only(1), months, weekdays],
        "@weekly" => [minutes, hour, days, months, WEEKDAY.only(0)],
        "@daily" | "@midnight" => [minutes, hour, days, months, weekdays],
        "@hourly" => [minutes, HOUR.all(), days, months, weekdays],
        _ => return Err(Error::Descriptor(descriptor.to_owned())),
    }))
}

/// An interval as Go writes it: numbers with `h`, `m` and `s`, in this order.
fn every(text: &str) -> Result<SignedDuration, Error> {
    let wrong = || Error::Interval(text.to_owned());
    let (mut rest, mut seconds) = (text, 0_i64);
    for (unit, of) in [('h', 3600), ('m', 60), ('s', 1)] {
        let Some((number, behind)) = rest.split_once(unit) else { continue };
        if number.is_empty() || number.len() > 9 || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        seconds += number.parse::<i64>().map_err(|_| wrong())? * of;
        rest = behind;
    }
    let interval = SignedDuration::from_secs(seconds);
    match rest.is_empty() && (SHORTEST..=LONGEST).contains(&interval) {
        true => Ok(interval),
        false => Err(wrong()),
    }
}

impl Calendar {
    fn new([minutes, hours, days, months, weekdays]: [Set; 5]) -> Self {
        Self { minutes, hours, days, months, weekdays, both: days.any || weekdays.any }
    }
}
