//! Findings at which an export stops: before it pushes anything, and once more before it tags the
//! chart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::app::finding::UnknownCode;
use crate::app::{Code, Finding, Severity};

use super::Error;

/// Which findings stop an export. Too late for it comes an image alone that goes in the moment in
/// which its chart is tagged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Gate {
    /// What stops; empty: nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fail_on: Vec<Trigger>,
    /// Codes that do not, whatever `fail_on` says. They are reported all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Code>,
}

/// Findings of a severity, or of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Trigger {
    /// Every finding that matters as much, or more.
    Severity(Severity),
    /// Every finding of this code.
    Code(Code),
}

/// Text that is neither a severity nor a code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `error`, `warning`, `info` nor a code of docs/FINDINGS.md")]
pub struct UnknownTrigger(String);

impl Gate {
    /// The codes of those findings that stop the export, each once and in order.
    pub fn stops(&self, findings: &[Finding]) -> Vec<Code> {
        let stops = findings.iter().filter(|finding| {
            !self.accept.contains(&finding.code)
                && self.fail_on.iter().any(|trigger| trigger.holds(finding))
        });
        let mut codes: Vec<Code> = stops.map(|finding| finding.code).collect();
        codes.sort();
        codes.dedup();
        codes
    }

    /// # Errors
    /// [`Error::Stopped`] with the codes of those that stop the export.
    pub(super) fn check(&self, findings: &[Finding]) -> Result<(), Error> {
        let codes = self.stops(findings);
        if codes.is_empty() { Ok(()) } else { Err(Error::Stopped(codes)) }
    }
}

impl Trigger {
    fn holds(self, finding: &Finding) -> bool {
        match self {
            Self::Severity(least) => finding.severity >= least,
            Self::Code(code) => finding.code == code,
        }
    }
}

impl FromStr for Trigger {
    type Err = UnknownTrigger;

    fn from_str(text: &str) -> Result<Self, UnknownTrigger> {
        let severities = [Severity::Error, Severity::Warning, Severity::Info];
        match severities.into_iter().find(|severity| severity.to_string() == text) {
            Some(severity) => Ok(Self::Severity(severity)),
            None => text.parse().map(Self::Code).map_err(|UnknownCode(text)| UnknownTrigger(text)),
        }
    }
}

impl TryFrom<String> for Trigger {
    type Error = UnknownTrigger;

    fn try_from(text: String) -> Result<Self, UnknownTrigger> {
        text.parse()
    }
}

impl From<Trigger> for String {
    fn from(trigger: Trigger) -> Self {
        trigger.to_string()
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Severity(severity) => severity.fmt(f),
            Self::Code(code) => code.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(fail_on: &[&str], accept: &[Code]) -> Gate {
        let fail_on = fail_on.iter().map(|text| text.parse().unwrap()).collect();
        Gate { fail_on, accept: accept.to_vec() }
    }

    #[test]
    fn severities_mean_those_above_and_accepted_codes_never_stop() {
        let codes = [Code::PodSkipped, Code::HostPath, Code::HostPath, Code::ReferenceMissing];
        let findings = codes.map(|code| Finding::new(code, "seen"));
        for (fail_on, accept, expected) in [
            (&[][..], &[][..], &[][..]),
            (&["error"], &[], &[Code::ReferenceMissing]),
            (&["warning"], &[], &[Code::HostPath, Code::ReferenceMissing]),
            (&["info"], &[Code::HostPath], &[Code::PodSkipped, Code::ReferenceMissing]),
            (&["HOST_PATH"], &[], &[Code::HostPath]),
            (&["HOST_PATH"], &[Code::HostPath], &[]),
            (&["HOST_ACCESS"], &[], &[]),
        ] {
            let found = gate(fail_on, accept).stops(&findings);
            assert_eq!(found, expected, "{fail_on:?} {accept:?}");
        }
    }

    #[test]
    fn what_is_written_comes_back() {
        let gate = gate(&["warning", "HOST_PATH"], &[Code::ImageDrift]);
        let json = serde_json::to_value(&gate).unwrap();
        let expected = r#"{"failOn":["warning","HOST_PATH"],"accept":["IMAGE_DRIFT"]}"#;
        assert_eq!(json.to_string(), expected);
        assert_eq!(serde_json::from_value::<Gate>(json).unwrap(), gate);
        let unknown = "host_path".parse::<Trigger>().unwrap_err();
        assert!(unknown.to_string().starts_with("`host_path` is neither `error`"));
    }
}
