//! What is to be done about a record, by what it says alone. Whoever acts on it writes over the
//! version that was looked at; where somebody else was faster, it is read and decided again.

use super::job;
use crate::cluster::record::{Export, Phase};

/// How often an export is begun before it is given up: leaders die, but not each time.
pub const MOST_ATTEMPTS: u32 = 3;

/// What the leader knows besides the record.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Who the leader is.
    pub me: &'a str,
    /// Whether one of its workers has the record.
    pub working: bool,
    /// Whether it goes on with attempts in Jobs that an earlier leader began.
    pub adopts: bool,
    /// The record that does the same work, if there is one: that which this one has joined, or one
    /// that it can join.
    pub twin: Option<&'a Export>,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Wait,
    /// Ask whether it may be carried out.
    Accept,
    /// Let it wait for a worker, and begin it.
    Start,
    /// Let it wait for the twin.
    Join,
    /// The twin has come to an end, which is its own.
    Copy,
    /// Let it do its work itself: the twin was cancelled, or is gone.
    Part,
    /// The same once more: who ran it is gone.
    TakeOver,
    /// Go on with the attempt that is under way in a Job.
    Adopt,
    /// Give it up: who ran it was gone too often.
    GiveUp,
    /// End it.
    Cancel,
}

/// What is to be done about `export`.
pub fn next(export: &Export, world: World<'_>) -> Action {
    let Some(status) = &export.status else {
        return if export.is_cancelled() { Action::Cancel } else { Action::Accept };
    };
    let holder = status.holder.as_ref().map(|holder| holder.identity.as_str());
    let in_job = world.adopts && holder == Some(&*job::name(export.uid(), status.attempts));
    match status.phase {
        Some(phase) if phase.is_terminal() => Action::Wait,
        // Its Job has to be ended first, by a worker.
        Some(Phase::Running) if in_job && !world.working => Action::Adopt,
        _ if export.is_cancelled() => Action::Cancel,
        None => Action::Accept,
        Some(Phase::Pending) => waiting(status.joined_to.is_some(), world.twin),
        Some(_) => {
            let is_mine = in_job || holder == Some(world.me);
            match (is_mine && world.working, status.attempts >= MOST_ATTEMPTS) {
                (true, _) => Action::Wait,
                (false, false) => Action::TakeOver,
                (false, true) => Action::GiveUp,
            }
        }
    }
}

/// What is to be done about a record in turn.
fn waiting(has_joined: bool, twin: Option<&Export>) -> Action {
    match (has_joined, twin) {
        (false, None) => Action::Start,
        (false, Some(_)) => Action::Join,
        (true, None) => Action::Part,
        (true, Some(twin)) => match twin.phase() {
            Some(Phase::Succeeded | Phase::Failed) => Action::Copy,
            Some(Phase::Cancelled) => Action::Part,
            Some(Phase::Pending | Phase::Running) | None => Action::Wait,
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::cluster::record::{CANCEL, ExportSpec, ExportStatus, Holder};

    const MINE: World<'_> = World { me: "a", working: true, adopts: false, twin: None };

    fn export(phase: Option<Phase>, holder: &str, attempts: u32) -> Export {
        let mut export = Export::draft("shop", "shop-1", ExportSpec::new("shop", "team"));
        export.status = Some(ExportStatus {
            phase,
            holder: Some(Holder { identity: holder.into(), since: Timestamp::UNIX_EPOCH }),
            attempts,
            ..ExportStatus::default()
        });
        export
    }

    #[test]
    fn each_phase_has_its_next_step() {
        let new = Export::draft("shop", "shop-1", ExportSpec::new("shop", "team"));
        assert_eq!(next(&new, MINE), Action::Accept);
        assert_eq!(next(&export(None, "", 0), MINE), Action::Accept);
        assert_eq!(next(&export(Some(Phase::Pending), "", 0), MINE), Action::Start);
        assert_eq!(next(&export(Some(Phase::Running), "a", 1), MINE), Action::Wait);
    }

    #[test]
    fn who_has_joined_another_waits_for_its_end_and_no_longer() {
        let mut joined = export(Some(Phase::Pending), "", 0);
        let next = |export: &Export, twin: Option<Phase>| {
            let twin = twin.map(|phase| self::export(Some(phase), "a", 1));
            super::next(export, World { twin: twin.as_ref(), ..MINE })
        };
        assert_eq!(next(&joined, Some(Phase::Running)), Action::Join);
        joined.status.as_mut().unwrap().joined_to = Some("other".into());
        for (twin, action) in [
            (Some(Phase::Pending), Action::Wait),
            (Some(Phase::Running), Action::Wait),
            (Some(Phase::Succeeded), Action::Copy),
            (Some(Phase::Failed), Action::Copy),
            (Some(Phase::Cancelled), Action::Part),
            (None, Action::Part),
        ] {
            assert_eq!(next(&joined, twin), action, "{twin:?}");
        }
        let cancelled = joined.with_annotation(CANCEL, "");
        assert_eq!(next(&cancelled, Some(Phase::Running)), Action::Cancel);
    }

    #[test]
    fn what_a_dead_leader_ran_is_begun_again_but_not_for_ever() {
        let of_another = |attempts| next(&export(Some(Phase::Running), "b", attempts), MINE);
        assert_eq!(of_another(1), Action::TakeOver);
        assert_eq!(of_another(2), Action::TakeOver);
        assert_eq!(of_another(3), Action::GiveUp);
        // Of our own, but no worker of ours has it.
        let world = World { working: false, ..MINE };
        assert_eq!(next(&export(Some(Phase::Running), "a", 1), world), Action::TakeOver);
    }

    #[test]
    fn a_job_outlives_the_leader_that_began_it() {
        let world = World { adopts: true, ..MINE };
        let alone = World { working: false, ..world };
        for attempts in [1, 2, 3] {
            let held = export(Some(Phase::Running), &job::name("", attempts), attempts);
            assert_eq!(next(&held, world), Action::Wait);
            assert_eq!(next(&held, alone), Action::Adopt);
            // Whoever runs exports in its own process has no business with Jobs.
            let without = World { adopts: false, ..alone };
            let expected = if attempts < 3 { Action::TakeOver } else { Action::GiveUp };
            assert_eq!(next(&held, without), expected);
            let cancelled = held.with_annotation(CANCEL, "");
            assert_eq!(next(&cancelled, world), Action::Cancel);
            assert_eq!(next(&cancelled, alone), Action::Adopt);
        }
        // The Job of an earlier attempt, and a replica that ran it itself.
        let old = export(Some(Phase::Running), &job::name("", 1), 2);
        assert_eq!(next(&old, alone), Action::TakeOver);
        assert_eq!(next(&export(Some(Phase::Running), "b", 1), alone), Action::TakeOver);
    }

    #[test]
    fn what_is_finished_stays_as_it_is_and_all_else_can_be_cancelled() {
        for phase in [Phase::Succeeded, Phase::Failed, Phase::Cancelled] {
            let export = export(Some(phase), "b", 9).with_annotation(CANCEL, "");
            assert_eq!(next(&export, MINE), Action::Wait);
        }
        for phase in [None, Some(Phase::Pending), Some(Phase::Running)] {
            let export = export(phase, "b", 9).with_annotation(CANCEL, "");
            assert_eq!(next(&export, MINE), Action::Cancel);
        }
    }
}
