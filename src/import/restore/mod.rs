//! Which version of an application comes back: the newest, or the one that was in force at a time.
//! Told from the registry alone.
//!
//! ```text
//!  REF@latest, REF@before=TIME ─ Selector ─ choose (pure) ─► a version ─► import
//! ```

mod choose;
mod compare;
mod find;
mod set;

pub use choose::{Candidate, choose};
pub use compare::{Compared, compared};
pub use find::version;
pub use set::{Found, Wanted, set};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Which of all versions is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The greatest release, as helm picks it.
    Latest,
    /// The newest that was taken at or before this time.
    Before(Timestamp),
}

/// A selector that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time: write 2026-11-22T17:00:00Z, 2026-11-22T17:00 or 2026-11-22")]
pub struct InvalidTime(pub String);

impl Selector {
    /// Takes `@latest` or `@before=TIME` off the end of a reference. A digest is no selector, and
    /// stays.
    ///
    /// # Errors
    /// When the time is none.
    pub fn split<'t>(
        text: &'t str,
        zone: &TimeZone,
    ) -> Result<(&'t str, Option<Self>), InvalidTime> {
        let Some((reference, selector)) = text.rsplit_once('@') else { return Ok((text, None)) };
        if selector == "latest" {
            return Ok((reference, Some(Self::Latest)));
        }
        match selector.strip_prefix("before=") {
            Some(time) => Ok((reference, Some(Self::before(time, zone)?))),
            None => Ok((text, None)),
        }
    }

    /// The version in force at a time: RFC 3339, or a date with or without a time of day, which are
    /// read in `zone`. A date is its first moment.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn before(time: &str, zone: &TimeZone) -> Result<Self, InvalidTime> {
        let invalid = || InvalidTime(time.to_owned());
        if let Ok(moment) = time.parse::<Timestamp>() {
            return Ok(Self::Before(moment));
        }
        let local: DateTime = time.parse().map_err(|_| invalid())?;
        let zoned = local.to_zoned(zone.clone()).map_err(|_| invalid())?;
        Ok(Self::Before(zoned.timestamp()))
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Before(time) => write!(f, "before={time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<(&str, Option<Selector>), InvalidTime> {
        Selector::split(text, &TimeZone::get("Europe/Berlin").unwrap())
    }

    #[test]
    fn a_selector_stands_behind_the_reference_and_a_digest_is_none() {
        let before = |text: &str| Some(Selector::Before(text.parse().unwrap()));
        assert_eq!(split("r.example/a:1"), Ok(("r.example/a:1", None)));
        assert_eq!(split("r.example/a@latest"), Ok(("r.example/a", Some(Selector::Latest))));
        let digest = format!("r.example/a@sha256:{}", "0".repeat(64));
        assert_eq!(split(&digest), Ok((digest.as_str(), None)));
        let cases = [
            ("a@before=2026-11-22T17:00:00Z", "2026-11-22T17:00:00Z"),
            ("a@before=2026-11-22T17:00:00+05:30", "2026-11-22T11:30:00Z"),
            ("a@before=2026-11-22", "2026-11-21T23:00:00Z"),
            ("a@before=2026-07-22T17:00", "2026-07-22T15:00:00Z"),
        ];
        for (text, time) in cases {
            assert_eq!(split(text), Ok(("a", before(time))), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_by_its_text() {
        for text in ["", "yesterday", "2026-13-01", "2026-11-22T25:00"] {
            let error = split(&format!("a@before={text}")).unwrap_err();
            assert_eq!(error, InvalidTime(text.to_owned()));
        }
    }
}
