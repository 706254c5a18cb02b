//! Names of the records of runs.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// Longest name of a record: it is to be the value of a label.
const LONGEST: usize = 63;

/// Digits of a digest.
const DIGITS: usize = 8;

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
    let app = hex(&format!("{namespace}/{app}"));
    format!("{}-{app}", requested_run(schedule, uid, request))
}

/// How the names of all records of a run begin that was asked for by `request`.
pub fn requested_run(schedule: &str, uid: &str, request: &str) -> String {
    format!("{schedule}-r{}", &hex(&format!("{uid}/{request}"))[1..])
}

/// The schedule of a run whose records' names begin so; `None`: that is no run.
pub fn schedule_of(run: &str) -> Option<&str> {
    run.rsplit_once('-').map(|(schedule, _)| schedule).filter(|name| is_name(name))
}

/// Whether a schedule can be called so: as Kubernetes has names of objects (RFC 1123), and of such a length
/// that those of its records can begin with it.
pub fn is_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let ends = [name.bytes().next(), name.bytes().next_back()];
    let ends_well = ends.iter().all(|b| b.is_some_and(|b| b.is_ascii_alphanumeric()));
    ends_well && name.bytes().all(is_plain) && name.len() <= LONGEST_NAME
}

/// Whether a record of this name is of the run whose records' names begin so.
pub fn is_of_run(name: &str, run: &str) -> bool {
    let app = name.strip_prefix(run).and_then(|rest| rest.strip_prefix('-'));
    app.is_some_and(|app| app.len() == DIGITS && app.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Its digest, as far as names have it.
fn hex(text: &str) -> String {
    Sha256::digest(text).iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
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
        let run = requested_run("nightly", "u", "now");
        assert_eq!(schedule_of(&run), Some("nightly"));
        assert!(
            ["", "nightly", "-r1", "a,b-r1", "A-r1"].iter().all(|it| schedule_of(it).is_none())
        );
        assert!(is_of_run(&asked, &run) && !is_of_run(&asked, "nightly"), "{run}");
        assert!(!is_of_run(&asked, &requested_run("nightly", "u", "later")));
        let longest = "a".repeat(LONGEST_NAME);
        assert_eq!(record_name(&longest, due, "shop", "web").len(), LONGEST);
    }
}
