//! Which run of a schedule is to be started now. Pure: the clock and what was done before are
//! handed over.
//!
//! Of times that have passed only the latest counts, as with CronJob. What is decided once is not
//! decided again, so a clock that goes back starts nothing twice.

mod jitter;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::schedule::cron::Schedule;

/// A run that begins within this time after it was due was not missed: another replica may have
/// had to take over (its lease lasts 15 s), and the API server may have been away for a minute.
pub const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// Missed runs are counted as far as this, as CronJob does.
pub const MOST_MISSED: u32 = 100;

/// A decision that lies further ahead than this was made by a clock that was wrong.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// How far back the latest time is looked for first. Most schedules have one in a day.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// So many of the next times tell how long the longest pause is: those of a week of working days, twice
/// a day.
const LOOK_AHEAD: usize = 11;

/// What a schedule says.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When it is due.
    pub schedule: Schedule,
    /// By the clock of which zone.
    pub zone: TimeZone,
    /// Runs begin up to so much later, each schedule at a moment of its own.
    pub jitter: SignedDuration,
    /// A run that cannot begin within this time, jitter not counted, is left out.
    pub deadline: Option<SignedDuration>,
    /// Whether the latest run is made up for if it was missed.
    pub catch_up: bool,
    /// Whether nothing is started.
    pub suspended: bool,
    /// Whether the first run is due at once.
    pub on_create: bool,
    /// What tells it from others, such as its uid.
    pub seed: u64,
}

/// What was before.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    /// When the schedule was made.
    pub created: Timestamp,
    /// Since when it says what it says: it was made, changed or resumed then.
    pub since: Timestamp,
    /// The latest due time that was started or left out.
    pub decided: Option<Timestamp>,
}

/// What to do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The due time whose run begins now.
    pub start: Option<Timestamp>,
    /// The due time whose run is left out, and why.
    pub skip: Option<(Timestamp, Skip)>,
    /// Due times before that one for which nothing was done, at most [`MOST_MISSED`].
    pub missed: u32,
    /// When to ask again. `None`: when something else changes.
    pub wake: Option<Timestamp>,
}

/// Why a run is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Its deadline is over.
    Late,
    /// It was missed, and missed runs are not made up for.
    Missed,
}

/// Decides. While `busy`, a run that is due waits, for as long as it may.
pub fn decide(plan: &Plan, before: Before, busy: bool, now: Timestamp) -> Decision {
    if plan.suspended {
        return Decision::default();
    }
    let wrong = |at: &Timestamp| now.checked_add(AHEAD).is_ok_and(|latest| *at > latest);
    let decided = before.decided.filter(|at| !wrong(at));
    let since = decided.map_or(before.since, |at| at.max(before.since));
    if plan.on_create && before.decided.is_none() {
        let (start, wake) = (Some(before.created), plan.wake(now, before));
        return Decision { start, wake, ..Decision::default() };
    }
    let Some(due) = plan.latest(since, before.created, now) else {
        return Decision { wake: plan.wake(now.max(since), before), ..Decision::default() };
    };
    let begins = plan.begins(due);
    let missed = plan.between(since, before.created, due);
    let wake = plan.wake(now, before);
    if now < begins {
        return Decision { missed, wake: wake.map(|wake| wake.min(begins)), ..Decision::default() };
    }
    let late = now.duration_since(begins);
    let skip = if plan.deadline.is_some_and(|deadline| late > deadline) {
        Some(Skip::Late)
    } else if !plan.catch_up && late > GRACE {
        Some(Skip::Missed)
    } else {
        None
    };
    let start = (skip.is_none() && !busy).then_some(due);
    Decision { start, skip: skip.map(|why| (due, why)), missed, wake }
}

impl Plan {
    /// Runs at these times, and nothing else.
    pub fn at(schedule: Schedule, zone: TimeZone) -> Self {
        Self {
            schedule,
            zone,
            jitter: SignedDuration::ZERO,
            deadline: None,
            catch_up: true,
            suspended: false,
            on_create: false,
            seed: 0,
        }
    }

    /// The first due time after `after`.
    pub fn next(&self, after: Timestamp, created: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after, created, &self.zone)
    }

    /// When the run of `due` begins.
    pub fn begins(&self, due: Timestamp) -> Timestamp {
        due.checked_add(jitter::of(self.seed, due, self.jitter)).unwrap_or(due)
    }

    /// The longest time between two of the next due times: a schedule of working days waits for three
    /// days each Friday.
    pub fn interval(&self, now: Timestamp, created: Timestamp) -> Option<SignedDuration> {
        let first = self.next(now, created)?;
        let times = std::iter::successors(Some(first), |due| self.next(*due, created));
        let times: Vec<Timestamp> = times.take(LOOK_AHEAD).collect();
        times.windows(2).map(|pair| pair[1].duration_since(pair[0])).max()
    }

    /// When the run after `now` begins.
    fn wake(&self, now: Timestamp, before: Before) -> Option<Timestamp> {
        self.next(now, before.created).map(|due| self.begins(due))
    }

    /// The latest due time after `since`, up to `now`. Looks back further and further, since all
    /// that have passed may be many.
    fn latest(&self, since: Timestamp, created: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let mut back = LOOK_BACK;
        loop {
            let from = now.checked_sub(back).unwrap_or(Timestamp::MIN).max(since);
            let mut latest = None;
            let mut after = from;
            while let Some(due) = self.next(after, created).filter(|due| *due <= now) {
                latest = Some(due);
                after = due;
            }
            if latest.is_some() || from == since {
                return latest;
            }
            back = back.saturating_mul(4);
        }
    }

    /// How many due times lie between.
    fn between(&self, since: Timestamp, created: Timestamp, due: Timestamp) -> u32 {
        let (mut count, mut after) = (0, since);
        while let Some(next) = self.next(after, created).filter(|next| *next < due) {
            if count == MOST_MISSED {
                break;
            }
            (count, after) = (count + 1, next);
        }
        count
    }
}

#[cfg(test)]
mod tests;
