//! Times the plan of a retention: 10 000 versions of an application, one each hour, under all rules at
//! once. Prints the milliseconds of each of twenty plans. `make bench` calls it.

#![allow(clippy::print_stdout, reason = "it is a tool for builders, and prints what it measures")]

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Instant;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use outhaul::schedule::retention::{Past, Rules, decide};
use semver::Version;

const VERSIONS: u64 = 10_000;
const ROUNDS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let zone = TimeZone::get("Europe/Berlin")?;
    let first: Timestamp = "2025-01-01T00:30:00Z".parse()?;
    let past = |number: u64| Past {
        version: Version::new(2025, number, 0),
        taken_at: Some(first + SignedDuration::from_hours(number.cast_signed())),
        scheduled: !number.is_multiple_of(100),
        pinned: number.is_multiple_of(1000),
    };
    let history: Vec<Past> = (0..VERSIONS).map(past).collect();
    let rules = Rules {
        last: 10,
        hourly: 48,
        daily: 31,
        weekly: 52,
        monthly: 24,
        yearly: 10,
        max_age: Some(SignedDuration::from_hours(24 * 400)),
        min_successful: NonZeroU32::MIN,
        include_manual: false,
    };
    let now = first + SignedDuration::from_hours(VERSIONS.cast_signed());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let verdicts = decide(&history, &rules, &zone, now);
        let took = started.elapsed();
        let stay = verdicts.iter().filter(|verdict| !verdict.reasons.is_empty()).count();
        if stay == 0 || stay == verdicts.len() {
            return Err(format!("{stay} of {VERSIONS} stay").into());
        }
        println!("{:.3}", took.as_secs_f64() * 1000.0);
    }
    Ok(())
}
