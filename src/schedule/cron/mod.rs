//! When a schedule is due: the five fields, descriptors and intervals that Kubernetes' CronJob takes
//! (the standard parser of `robfig/cron` v3), in a time zone.
//!
//! Where clocks are put forward or back, a time of day happens once a day: what the clock leaves out
//! is due when it goes on, and what it shows twice is due the first time. A schedule of every hour
//! follows real hours instead. CronJob leaves out the first and does the second twice; who keeps one
//! backup a day wants neither.

mod field;
mod next;
mod parse;

use jiff::SignedDuration;

pub use parse::{Error, parse};

use field::Set;

/// Shortest interval of `@every`: what is exported is compared with what runs each time.
pub const SHORTEST: SignedDuration = SignedDuration::from_mins(1);

/// Longest interval of `@every`: CronJob's own have an end as well, and a thousand years are a
/// mistake.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// When something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At times of the clock.
    Calendar(Calendar),
    /// After each such interval, of whole seconds, since an anchor.
    Every(SignedDuration),
}

/// Minutes, hours and days that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    /// Whether a day has to be in `days` and in `weekdays`; else in one of them: as soon as both
    /// fields say something.
    both: bool,
}

#[cfg(test)]
pub(crate) mod tests;
