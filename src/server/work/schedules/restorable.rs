//! Whether what a schedule makes is enough to have the application again.

use crate::cluster::record::{ExportResult, SecretsPolicy};

/// Findings by which the chart alone is not enough, and what is missing then.
const MISSING: [(&str, &str); 4] = [
    ("VOLUME_DATA_NOT_EXPORTED", "the data of its volumes"),
    ("SECRET_NOT_INCLUDED", "values of Secrets that could not be read"),
    ("SECRET_REQUIRED", "values of its Secrets"),
    ("VOLUME_EXTERNAL", "storage outside of the chart"),
];

/// What is missing in the registry, in a sentence, if anything.
pub(super) fn why_not(result: Option<&ExportResult>, secrets: SecretsPolicy) -> Option<String> {
    let codes = &result?.findings.codes;
    let is_found = |code: &str| codes.iter().any(|found| found == code);
    let has_secrets = matches!(secrets, SecretsPolicy::Encrypt | SecretsPolicy::Include);
    let counts = |code: &str| is_found(code) && !(code == "SECRET_REQUIRED" && has_secrets);
    let missing: Vec<&str> =
        MISSING.iter().filter(|(code, _)| counts(code)).map(|(_, what)| *what).collect();
    (!missing.is_empty()).then(|| format!("not in the registry: {}", missing.join(", ")))
}
