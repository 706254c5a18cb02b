//! Names of the records of runs.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Longest name of a record: it is to be the value of a label.
const LONGEST: usize = 63;

/// Longest name of a schedule, so that the names of its records need not be cut: a hyphen and the minutes
/// since 1970, which have eight digits until the year 2160, and a hyphen and eight of a digest.
pub const LONGEST_NAME: usize = LONGEST - 2 * 9;

/// The name of the record of one application's run, which is the same whoever makes it: the schedule's,
/// the minute in which the run was due, and eight digits for the application (design §12.14).
pub fn record_name(schedule: &str, due: Timestamp, namespace: &str, app: &str) -> String {
    let minutes = due.as_second().div_euclid(60);
    format!("{schedule}-{minutes}-{}", hex(&format!("{namespace}/{app}")))
}

/// The name of the record of one application's run that was asked for by `request`, whatever that is:
/// with the schedule's uid, so that one of the same name does not find those of an earlier one. The
/// letter is in no number of minutes.
pub fn requested_name(
    schedule: &str,
    uid: &str,
    request: &str,
    namespace: &str,
    app: &str,
) -> String {
    let (request, app) = (hex(&format!("{uid}/{request}")), hex(&format!("{namespace}/{app}")));
    format!("{schedule}-r{}-{app}", &request[1..])
}

/// Eight digits of its digest.
fn hex(text: &str) -> String {
    Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_an_application_has_one_name_and_it_is_a_label() {
        let due: Timestamp = "2026-11-26T02:30:59Z".parse().unwrap();
        let name =
            |minute: &str, app: &str| record_name("nightly", minute.parse().unwrap(), "shop", app);
        assert_eq!(record_name("nightly", due, "shop", "web"), name("2026-11-26T02:30:00Z", "web"));
        assert_ne!(name("2026-11-26T02:30:00Z", "web"), name("2026-11-26T02:31:00Z", "web"));
        assert_ne!(name("2026-11-26T02:30:00Z", "web"), name("2026-11-26T02:30:00Z", "api"));
        let asked = requested_name("nightly", "u", "now", "shop", "web");
        assert!(
            asked.starts_with("nightly-r")
                && asked.len() == name("2026-11-26T02:30:00Z", "web").len()
        );
        assert_ne!(asked, requested_name("nightly", "v", "now", "shop", "web"));
        let longest = "a".repeat(LONGEST_NAME);
        assert_eq!(record_name(&longest, due, "shop", "web").len(), LONGEST);
    }
}
