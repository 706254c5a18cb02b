//! Flags about which versions stay.

use std::num::NonZeroU32;

use clap::Args;

use crate::error::Error;
use crate::schedule::declared;
use crate::schedule::retention::Rules;

/// Which versions stay
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which versions stay")]
pub(crate) struct KeepArgs {
    /// So many of the newest
    #[arg(long, value_name = "N", default_value_t)]
    pub(crate) keep_last: u32,
    /// What held at the end of each of so many hours
    #[arg(long, value_name = "N", default_value_t)]
    pub(crate) keep_hourly: u32,
    /// What held at the end of each of so many days
    #[arg(long, value_name = "N", default_value_t)]
    pub(crate) keep_daily: u32,
    /// What held at the end of each of so many weeks, which begin on Monday
    #[arg(long, value_name = "N", default_value_t)]
    pub(crate) keep_weekly: u32,
    /// What held at the end of each of so many months
    #[arg(long, value_name = "N", default_value_t)]
    pub(crate) keep_monthly: u32,
    /// What held at the end of each of so many years
    #[arg(long, value_name = "N", default_value_t)]
    pub(crate) keep_yearly: u32,
    /// No version that has not held for so long, such as 90d, 12w or 36h
    #[arg(long, value_name = "AGE")]
    pub(crate) max_age: Option<String>,
    /// So many of the newest, whatever their age
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) min_successful: u32,
    /// Let versions go that no schedule made, too
    #[arg(long)]
    pub(crate) include_manual: bool,
}

impl KeepArgs {
    /// Whether anything is said of what stays.
    pub(crate) fn is_given(&self) -> bool {
        let Self {
            keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, ..
        } = self;
        let counts = [keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly];
        self.max_age.is_some() || counts.into_iter().any(|count| *count > 0)
    }

    /// What is said of what stays.
    pub(crate) fn rules(&self) -> Result<Rules, Error> {
        let wrong = |flag: &str, error: &declared::Invalid| Error::Arguments {
            text: format!("--{flag}: {error}"),
            hint: "say how many versions stay, or for how long",
        };
        let min_successful = NonZeroU32::new(self.min_successful)
            .ok_or_else(|| wrong("min-successful", &declared::Invalid::NothingStays))?;
        let max_age = self.max_age.as_deref().map(declared::age).transpose();
        Ok(Rules {
            last: self.keep_last,
            hourly: self.keep_hourly,
            daily: self.keep_daily,
            weekly: self.keep_weekly,
            monthly: self.keep_monthly,
            yearly: self.keep_yearly,
            max_age: max_age.map_err(|error| wrong("max-age", &error))?,
            min_successful,
            include_manual: self.include_manual,
        })
    }
}
