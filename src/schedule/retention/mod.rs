//! Which versions of an application stay. Pure: everything that decides is handed over.
//!
//! A version holds from when it was taken until the next one was, the newest until now. So an
//! application that has not changed for a year has one version, which is a day old by this
//! measure, not a year.

mod bucket;

use std::fmt;
use std::num::NonZeroU32;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use semver::Version;

pub use bucket::Span;

use bucket::ends;

/// What stays. Rules add up: a version stays if one of them keeps it, unless it is older than
/// `max_age`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// So many of the newest.
    pub last: u32,
    /// The state at the end of each of the last hours, this one included.
    pub hourly: u32,
    /// Of the last days.
    pub daily: u32,
    /// Of the last weeks, which begin on Monday.
    pub weekly: u32,
    /// Of the last months.
    pub monthly: u32,
    /// Of the last years.
    pub yearly: u32,
    /// What has not held for so long goes. Without any of the rules above, everything younger
    /// stays.
    pub max_age: Option<SignedDuration>,
    /// So many of the newest stay whatever their age.
    pub min_successful: NonZeroU32,
    /// Whether versions that no schedule made may go as well.
    pub include_manual: bool,
}

/// A version in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Its version.
    pub version: Version,
    /// When the application was read; `None`: nothing tells.
    pub taken_at: Option<Timestamp>,
    /// Whether a schedule made it.
    pub scheduled: bool,
    /// Whether somebody has said that it stays.
    pub pinned: bool,
}

/// Why a version stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody has said so.
    Pinned,
    /// No schedule made it.
    Manual,
    /// Nothing tells how old it is.
    Undated,
    /// It is one of the newest, which always stay.
    Newest,
    /// It is one of the newest that are counted.
    Last,
    /// It held at the end of this hour, day, week, month or year, told by its first day.
    Held(Span, Date),
    /// It is younger than the oldest that stays, and nothing else is asked.
    Young,
}

/// What becomes of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why it stays. If empty, it goes.
    pub reasons: Vec<Reason>,
    /// Whether it would stay if it were not older than `max_age`.
    pub too_old: bool,
}

impl Rules {
    /// Whether any rule counts versions.
    pub(super) fn counts(&self) -> bool {
        let Self { last, hourly, daily, weekly, monthly, yearly, .. } = self;
        [last, hourly, daily, weekly, monthly, yearly].into_iter().any(|count| *count > 0)
    }

    fn spans(&self) -> [(Span, u32); 5] {
        [
            (Span::Hour, self.hourly),
            (Span::Day, self.daily),
            (Span::Week, self.weekly),
            (Span::Month, self.monthly),
            (Span::Year, self.yearly),
        ]
    }
}

/// What becomes of each version of `history`, in its order. Hours, days and so on are those of
/// `zone`.
pub fn decide(history: &[Past], rules: &Rules, zone: &TimeZone, now: Timestamp) -> Vec<Verdict> {
    let mut verdicts: Vec<_> = history
        .iter()
        .map(|past| Verdict { reasons: always(past, rules), too_old: false })
        .collect();
    let dated = by_age(history);
    for (place, (_, index)) in dated.iter().rev().enumerate() {
        if place < as_usize(rules.min_successful.get()) {
            verdicts[*index].reasons.push(Reason::Newest);
        }
    }
    for (index, reason) in counted(&dated, history, rules, zone, now) {
        verdicts[index].reasons.push(reason);
    }
    let Some(oldest) = rules.max_age.and_then(|age| now.checked_sub(age).ok()) else {
        return verdicts;
    };
    for (place, (_, index)) in dated.iter().enumerate() {
        let held_until = dated.get(place + 1).map_or(now, |(next, _)| *next);
        let verdict = &mut verdicts[*index];
        if held_until < oldest {
            verdict.too_old = verdict.reasons.iter().any(|reason| reason.is_bound_by_age());
            verdict.reasons.retain(|reason| !reason.is_bound_by_age());
        } else if !rules.counts() {
            verdict.reasons.push(Reason::Young);
        }
    }
    verdicts
}

/// What keeps a version whatever the others are.
fn always(past: &Past, rules: &Rules) -> Vec<Reason> {
    [
        (past.pinned, Reason::Pinned),
        (!past.scheduled && !rules.include_manual, Reason::Manual),
        (past.taken_at.is_none(), Reason::Undated),
    ]
    .into_iter()
    .filter_map(|(holds, reason)| holds.then_some(reason))
    .collect()
}

/// Time and index of what is dated, the oldest first.
fn by_age(history: &[Past]) -> Vec<(Timestamp, usize)> {
    let dated = history.iter().enumerate();
    let mut dated: Vec<_> = dated.filter_map(|(i, past)| Some((past.taken_at?, i))).collect();
    dated.sort_by(|(a, i), (b, j)| {
        a.cmp(b).then_with(|| history[*i].version.cmp(&history[*j].version))
    });
    dated
}

/// What the rules that count keep.
fn counted(
    dated: &[(Timestamp, usize)],
    history: &[Past],
    rules: &Rules,
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<(usize, Reason)> {
    let mut kept = Vec::new();
    // What stays anyway takes no place from what is counted.
    let counts = |index: &usize| history[*index].scheduled || rules.include_manual;
    let newest = dated.iter().rev().map(|(_, index)| *index).filter(counts);
    kept.extend(newest.take(as_usize(rules.last)).map(|index| (index, Reason::Last)));
    for (span, count) in rules.spans() {
        for (first, end) in ends(span, zone, now).take(as_usize(count)) {
            let before = dated.partition_point(|(at, _)| *at < end);
            let Some((_, index)) = before.checked_sub(1).map(|place| dated[place]) else { break };
            kept.push((index, Reason::Held(span, first)));
        }
    }
    kept
}

fn as_usize(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

impl Reason {
    /// Whether it ends at `max_age`.
    fn is_bound_by_age(self) -> bool {
        matches!(self, Self::Last | Self::Held(..))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pinned => "pinned",
            Self::Manual => "made by hand",
            Self::Undated => "nothing tells its age",
            Self::Newest => "always kept as one of the newest",
            Self::Last => "one of the newest that are counted",
            Self::Young => "young enough",
            Self::Held(span, first) => {
                return write!(f, "held at the end of the {span} of {first}");
            }
        })
    }
}

#[cfg(test)]
mod tests;
