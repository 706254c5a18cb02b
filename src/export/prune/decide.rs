//! Which versions go, from what is known of each. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use semver::Version;

use super::Claim;
use crate::export::history::Published;
use crate::export::version::moment;
use crate::registry::Tag;
use crate::schedule::retention::{self, Past, Reason};

/// A version, as far as it is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) version: Version,
    /// What its manifest says; `None`: it was not read.
    pub(super) read: Option<Published>,
    /// Whether there is a tag that pins it.
    pub(super) pinned: bool,
    /// Tags of others on its manifest.
    pub(super) tagged: Vec<Tag>,
}

/// What becomes of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Why it stays. If empty, it goes.
    pub(super) reasons: Vec<String>,
    /// Whether it goes for its age alone.
    pub(super) too_old: bool,
    /// Whether the verdict, or that of another version, rests on it.
    pub(super) matters: bool,
}

impl Known {
    /// When it was taken: as its manifest says, else as its version does.
    pub(super) fn taken_at(&self) -> Option<Timestamp> {
        let written = self.read.as_ref().and_then(|read| read.taken_at);
        written.or_else(|| moment(&self.version))
    }

    /// As long as nobody has looked, as if a schedule had made it: what then goes is looked at.
    fn past(&self) -> Past {
        Past {
            version: self.version.clone(),
            taken_at: self.taken_at(),
            scheduled: self.read.as_ref().is_none_or(|read| read.schedule.is_some()),
            pinned: self.pinned,
        }
    }
}

/// What becomes of each of `versions`, which are all of one origin, in their order. A version goes if
/// every claim lets it go; without a claim none does.
pub(super) fn decide(versions: &[Known], claims: &[Claim], now: Timestamp) -> Vec<Verdict> {
    let history: Vec<Past> = versions.iter().map(Known::past).collect();
    let mut verdicts: Vec<Verdict> = versions.iter().map(of_tags).collect();
    if claims.is_empty() {
        verdicts.iter_mut().for_each(|of| of.reasons.push("no rule lets it go".to_owned()));
    }
    for claim in claims {
        let prefix = if claims.len() > 1 { format!("{}: ", claim.schedule) } else { String::new() };
        let Some(rules) = &claim.rules else {
            let reason = format!("{prefix}its schedule keeps all");
            verdicts.iter_mut().for_each(|verdict| verdict.reasons.push(reason.clone()));
            continue;
        };
        let decided = retention::decide(&history, rules, &claim.zone, now);
        for (verdict, of) in verdicts.iter_mut().zip(decided) {
            verdict.matters |= of.reasons.iter().any(|reason| is_counted(*reason));
            verdict.reasons.extend(of.reasons.into_iter().map(|of| format!("{prefix}{of}")));
            verdict.too_old |= of.too_old;
        }
    }
    mark(&history, &mut verdicts);
    verdicts
}

/// What no rule is asked about.
fn of_tags(version: &Known) -> Verdict {
    let tagged = version.tagged.iter().map(|tag| format!("tag {tag} is on it"));
    Verdict { reasons: tagged.collect(), ..Verdict::default() }
}

/// Whether a version that is kept for this takes the place of another.
fn is_counted(reason: Reason) -> bool {
    matches!(reason, Reason::Newest | Reason::Last | Reason::Held(..))
}

/// What goes is looked at, and what came after it, since that ends how long it held; and what nothing
/// dates, as its manifest may.
fn mark(history: &[Past], verdicts: &mut [Verdict]) {
    let mut dated: Vec<_> = history
        .iter()
        .enumerate()
        .filter_map(|(index, past)| Some((past.taken_at?, index)))
        .collect();
    dated.sort_unstable();
    let mut after: BTreeSet<usize> = BTreeSet::new();
    for (place, (_, index)) in dated.iter().enumerate() {
        if verdicts[*index].reasons.is_empty() {
            after.extend(dated.get(place + 1).map(|(_, next)| *next));
        }
    }
    for (index, verdict) in verdicts.iter_mut().enumerate() {
        let undated = history[index].taken_at.is_none();
        verdict.matters |= verdict.reasons.is_empty() || undated || after.contains(&index);
    }
}
