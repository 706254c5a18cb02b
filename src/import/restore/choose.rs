//! Which version is meant, of those that are there. Pure.

use jiff::Timestamp;
use semver::Version;

use super::Selector;
use crate::export::version::moment;

/// Versions that an error names on each side of the time.
const NEAREST: usize = 3;

/// A version, as far as its tag tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The version.
    pub version: Version,
    /// When it was taken: what a calendar version says, else what its manifest does; `None`: neither.
    pub taken_at: Option<Timestamp>,
}

impl Candidate {
    /// What a version says by itself; `None` for one that helm would not pick.
    pub fn of(version: &Version) -> Option<Self> {
        let taken_at = moment(version);
        version.pre.is_empty().then(|| Self { version: version.clone(), taken_at })
    }
}

/// Those of `candidates` that the selector could mean, the best first. Whether one is an export of
/// ours is for its manifest to say.
pub fn choose(candidates: &[Candidate], selector: Selector) -> Vec<&Candidate> {
    let mut all: Vec<&Candidate> = match selector {
        Selector::Latest => candidates.iter().collect(),
        Selector::Before(time) => {
            let is_before = |of: &&Candidate| of.taken_at.is_some_and(|taken| taken <= time);
            candidates.iter().filter(is_before).collect()
        }
    };
    match selector {
        Selector::Latest => all.sort_by(|a, b| b.version.cmp(&a.version)),
        Selector::Before(_) => {
            all.sort_by(|a, b| (b.taken_at, &b.version).cmp(&(a.taken_at, &a.version)));
        }
    }
    all
}

/// What an error names where nothing is meant: those nearest to the time, the oldest first.
pub(super) fn nearest(candidates: &[Candidate], selector: Selector) -> Vec<String> {
    let mut all: Vec<&Candidate> = candidates.iter().collect();
    all.sort_by(|a, b| (a.taken_at, &a.version).cmp(&(b.taken_at, &b.version)));
    let place = match selector {
        Selector::Latest => all.len(),
        Selector::Before(time) => {
            all.partition_point(|of| of.taken_at.is_some_and(|taken| taken <= time))
        }
    };
    let (from, to) = (place.saturating_sub(NEAREST), (place + NEAREST).min(all.len()));
    let said = |of: &&Candidate| match of.taken_at {
        Some(taken) => format!("{} of {taken}", of.version),
        None => of.version.to_string(),
    };
    all[from..to].iter().map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn candidates(versions: &[&str]) -> Vec<Candidate> {
        let versions = versions.iter().map(|version| Version::parse(version).unwrap());
        versions.filter_map(|version| Candidate::of(&version)).collect()
    }

    fn chosen(candidates: &[Candidate], selector: Selector) -> Vec<String> {
        choose(candidates, selector).iter().map(|of| of.version.to_string()).collect()
    }

    #[test]
    fn in_force_is_the_newest_taken_at_or_before_the_time() {
        let all = candidates(&["2026.105.0", "2026.106.120000", "2026.107.5"]);
        let before = |time: &str| chosen(&all, Selector::Before(at(time)));
        assert_eq!(before("2026-01-06T12:00:00Z"), ["2026.106.120000", "2026.105.0"]);
        assert_eq!(before("2026-01-06T11:59:59Z"), ["2026.105.0"]);
        assert_eq!(before("2026-01-04T23:59:59Z"), [""; 0]);
        assert_eq!(chosen(&all, Selector::Latest)[0], "2026.107.5");
    }

    #[test]
    fn a_version_by_name_is_dated_by_its_manifest_and_undated_is_never_in_force() {
        let mut all = candidates(&["1.4.0", "9.0.0", "2026.105.0"]);
        all[0].taken_at = Some(at("2026-03-01T00:00:00Z"));
        let time = Selector::Before(at("2026-04-01T00:00:00Z"));
        assert_eq!(chosen(&all, time), ["1.4.0", "2026.105.0"]);
        assert_eq!(chosen(&all, Selector::Latest)[0], "2026.105.0");
    }

    #[test]
    fn what_helm_would_not_pick_is_no_candidate() {
        assert!(candidates(&["2026.105.0-rc.1"]).is_empty());
    }

    #[test]
    fn the_nearest_are_named_on_both_sides() {
        let all =
            candidates(&["2026.101.0", "2026.102.0", "2026.103.0", "2026.104.0", "2026.105.0"]);
        let named = nearest(&all, Selector::Before(at("2025-12-31T00:00:00Z")));
        assert_eq!(named.len(), 3);
        assert_eq!(named[0], "2026.101.0 of 2026-01-01T00:00:00Z");
        let named = nearest(&all, Selector::Before(at("2026-01-04T10:00:00Z")));
        assert_eq!(named.len(), 4);
    }
}
