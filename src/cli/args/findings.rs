//! Flags about findings.

use clap::Args;

use crate::app::{Code, Severity};
use crate::export::{Gate, Trigger};

/// Findings that stop an export
#[derive(Debug, Args)]
#[command(next_help_heading = "Findings")]
pub(crate) struct FindingsArgs {
    /// Push nothing if there are findings of this severity (error, warning, info) or above, or of
    /// these codes
    #[arg(long, value_name = "SEVERITY|CODE,…", value_delimiter = ',')]
    fail_on: Vec<Trigger>,
    /// As `--fail-on warning`
    #[arg(long, conflicts_with = "fail_on")]
    fail_on_findings: bool,
    /// Codes that do not stop the export; they are reported all the same
    #[arg(long, value_name = "CODE,…", value_delimiter = ',')]
    accept: Vec<Code>,
}

impl FindingsArgs {
    /// What they ask for.
    pub(crate) fn gate(&self) -> Gate {
        let mut fail_on = self.fail_on.clone();
        if self.fail_on_findings {
            fail_on.push(Trigger::Severity(Severity::Warning));
        }
        Gate { fail_on, accept: self.accept.clone() }
    }
}
