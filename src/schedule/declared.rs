//! What an `ExportSchedule` says, as the rules take it. The API server has checked what a schema can
//! check; here is what it cannot: whether there is such a zone, and such a date.

use std::num::NonZeroU32;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::cron;
use super::retention::Rules;
use super::rules::Plan;
use crate::cluster::record::schedule::{CatchUp, ExportSchedule, ExportScheduleSpec, Retention};

/// Where a schedule says what cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// Its times.
    #[error("schedule: {0}")]
    Schedule(#[from] cron::Error),
    /// Its zone.
    #[error("timeZone: there is no time zone `{zone}`")]
    Zone {
        /// What was given.
        zone: String,
    },
    /// Its age.
    #[error("retention.maxAge: `{text}` is no age such as 90d, 12w or 36h")]
    Age {
        /// What was given.
        text: String,
    },
    /// How many stay whatever their age.
    #[error("retention.minSuccessful is at least 1")]
    NoneSuccessful,
    /// What stays.
    #[error("retention: no rule says what stays")]
    NothingStays,
}

impl Plan {
    /// When runs of this schedule are due.
    ///
    /// # Errors
    /// When its zone or its times cannot be.
    pub fn of(schedule: &ExportSchedule) -> Result<Self, Invalid> {
        let plan = Self::declared(&schedule.spec)?;
        Ok(Self { seed: seed(schedule.uid()), ..plan })
    }

    /// The same without a schedule of the cluster, so that nothing spreads it.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn declared(spec: &ExportScheduleSpec) -> Result<Self, Invalid> {
        let seconds = |seconds: u32| SignedDuration::from_secs(i64::from(seconds));
        Ok(Self {
            schedule: cron::parse(&spec.schedule)?,
            zone: zone(&spec.time_zone)?,
            jitter: seconds(spec.jitter_seconds),
            deadline: spec.starting_deadline_seconds.map(seconds),
            catch_up: spec.catch_up == CatchUp::Latest,
            suspended: spec.suspend,
            on_create: spec.run_on_create,
            seed: 0,
        })
    }
}

impl Rules {
    /// What a retention keeps.
    ///
    /// # Errors
    /// When its age is none, or nothing says what stays.
    pub fn of(retention: &Retention) -> Result<Self, Invalid> {
        let rules = Self {
            last: retention.keep_last,
            hourly: retention.keep_hourly,
            daily: retention.keep_daily,
            weekly: retention.keep_weekly,
            monthly: retention.keep_monthly,
            yearly: retention.keep_yearly,
            max_age: retention.max_age.as_deref().map(age).transpose()?,
            min_successful: NonZeroU32::new(retention.min_successful)
                .ok_or(Invalid::NoneSuccessful)?,
            include_manual: retention.include_manual,
        };
        if rules.counts() || rules.max_age.is_some() {
            Ok(rules)
        } else {
            Err(Invalid::NothingStays)
        }
    }
}

/// The zone of this IANA name. Those of the machine's own name are none: what a schedule means should
/// not depend on where it is read.
///
/// # Errors
/// When there is none.
pub fn zone(name: &str) -> Result<TimeZone, Invalid> {
    let unknown = || Invalid::Zone { zone: name.to_owned() };
    let is_local = name.eq_ignore_ascii_case("local") || name.is_empty();
    let zone = TimeZone::get(name).ok().filter(|_| !is_local);
    zone.ok_or_else(unknown)
}

/// An age such as `90d`, `12w` or `36h`. A day has 24 hours here, whatever clocks do.
///
/// # Errors
/// When it is none.
pub fn age(text: &str) -> Result<SignedDuration, Invalid> {
    let invalid = || Invalid::Age { text: text.to_owned() };
    let unit = text.chars().next_back().ok_or_else(invalid)?;
    let hours = match unit {
        'h' => 1,
        'd' => 24,
        'w' => 7 * 24,
        _ => return Err(invalid()),
    };
    let number: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| invalid())?;
    if number == 0 || text.starts_with('+') {
        return Err(invalid());
    }
    Ok(SignedDuration::from_hours(i64::from(number) * hours))
}

/// A number that every replica makes of a uid: FNV-1a, since it has to spread and nothing else.
fn seed(uid: &str) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    uid.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
