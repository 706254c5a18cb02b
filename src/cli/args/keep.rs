//! Flags about which versions of an application stay.

use clap::Args;

use crate::cluster::record::schedule::{MAX_KEPT, Retention};
use crate::error::Error;
use crate::schedule::retention::Rules;

/// Which versions stay
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which versions stay")]
pub(crate) struct KeepArgs {
    /// So many of the newest
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) keep_last: Option<u32>,
    /// What held at the end of each of so many hours
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) keep_hourly: Option<u32>,
    /// What held at the end of each of so many days
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) keep_daily: Option<u32>,
    /// What held at the end of each of so many weeks, which begin on Monday
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) keep_weekly: Option<u32>,
    /// What held at the end of each of so many months
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) keep_monthly: Option<u32>,
    /// What held at the end of each of so many years
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) keep_yearly: Option<u32>,
    /// None that has not held for so long, such as 90d, 12w or 36h
    #[arg(long, value_name = "AGE")]
    pub(crate) max_age: Option<String>,
    /// So many of the newest, whatever their age [default: 1]
    #[arg(long, value_name = "N", value_parser = kept())]
    pub(crate) min_successful: Option<u32>,
    /// Let versions go that no schedule made, too
    #[arg(long)]
    pub(crate) include_manual: bool,
}

fn kept() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(..=i64::from(MAX_KEPT))
}

impl KeepArgs {
    /// What is asked for; `None`: everything stays. It may be that nothing would stay, which whoever
    /// makes rules of it refuses.
    pub(crate) fn retention(&self) -> Option<Retention> {
        let Self {
            keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, ..
        } = *self;
        let counts = [keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly];
        let is_given = self.max_age.is_some()
            || self.min_successful.is_some()
            || self.include_manual
            || counts.iter().any(Option::is_some);
        is_given.then(|| Retention {
            keep_last: keep_last.unwrap_or_default(),
            keep_hourly: keep_hourly.unwrap_or_default(),
            keep_daily: keep_daily.unwrap_or_default(),
            keep_weekly: keep_weekly.unwrap_or_default(),
            keep_monthly: keep_monthly.unwrap_or_default(),
            keep_yearly: keep_yearly.unwrap_or_default(),
            max_age: self.max_age.clone(),
            min_successful: self.min_successful.unwrap_or(1),
            include_manual: self.include_manual,
            dry_run: false,
        })
    }

    /// The same as rules.
    ///
    /// # Errors
    /// When nothing would stay, or an age is none.
    pub(crate) fn rules(&self) -> Result<Option<Rules>, Error> {
        Ok(self.retention().as_ref().map(Rules::of).transpose()?)
    }
}
