//! Records that ask for the same: two replicas that were asked at once have each made one. One does
//! the work, the other gets its result. Pure.

use std::sync::Arc;

use jiff::Timestamp;

use super::conditions;
use crate::cluster::record::{Export, ExportStatus, Phase, RequestedBy};

/// The record whose work `export` waits for or, if it is in turn, may wait for: the one that it has
/// joined, if that is still there, else one that is under way and asks for the same.
pub(super) fn twin<'e>(export: &Export, exports: &'e [Arc<Export>]) -> Option<&'e Export> {
    let status = export.status.as_ref().filter(|it| it.phase == Some(Phase::Pending))?;
    let mut others = exports.iter().map(Arc::as_ref);
    match &status.joined_to {
        Some(name) => others.find(|of| of.namespace() == export.namespace() && of.name() == name),
        None => others.find(|other| is_joinable(export, other)),
    }
}

/// Whether `other` will do what `export` asks for: it runs, or it was there first. Each has been
/// accepted for itself, and asks with the same rights, so that a result says nothing new to anyone.
fn is_joinable(export: &Export, other: &Export) -> bool {
    let status = other.status.as_ref();
    let goes_ahead = match other.phase() {
        Some(Phase::Running) => true,
        Some(Phase::Pending) => (other.created(), other.name()) < (export.created(), export.name()),
        _ => false,
    };
    goes_ahead
        && other.uid() != export.uid()
        && other.namespace() == export.namespace()
        && !other.is_cancelled()
        && status.is_some_and(|status| status.joined_to.is_none())
        && is_same(export, other)
}

fn is_same(one: &Export, other: &Export) -> bool {
    let who = |of: &Export| {
        let by = of.spec.requested_by.clone();
        by.map(|RequestedBy { user, groups, .. }| (user, groups))
    };
    let mut asked = other.spec.clone();
    asked.requested_by.clone_from(&one.spec.requested_by);
    asked == one.spec && who(one) == who(other)
}

/// Lets it wait for the record of this name.
pub(super) fn join(status: &mut ExportStatus, name: &str) {
    status.joined_to = Some(name.to_owned());
    status.message = Some(format!("the same is under way as `{name}`"));
}

/// Lets it do its work itself.
pub(super) fn part(status: &mut ExportStatus) {
    status.joined_to = None;
    status.message = None;
}

/// Makes its end that of the record which did the work.
pub(super) fn copy(status: &mut ExportStatus, done: &ExportStatus, now: Timestamp) {
    let ExportStatus { phase, reason, message, hint, exit_code, planned, result, .. } =
        done.clone();
    let progress = done.progress.clone().unwrap_or_default();
    let sequence = status.progress.as_ref().map_or(0, |progress| progress.sequence);
    let complete = phase == Some(Phase::Succeeded);
    let word = reason.clone().unwrap_or_default();
    let text = message.clone().unwrap_or_default();
    conditions::set(status, conditions::COMPLETE, complete, &word, &text, now);
    *status = ExportStatus {
        phase,
        step: None,
        reason,
        message,
        hint,
        exit_code,
        planned,
        result,
        progress: Some(crate::cluster::record::Progress { sequence, ..progress }),
        finished_at: Some(now),
        ..std::mem::take(status)
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::record::{CANCEL, Door, ExportSpec};

    fn export(name: &str, phase: Phase) -> Export {
        let mut spec = ExportSpec::new("shop", "team");
        spec.requested_by = Some(RequestedBy::new("alice", &["dev".to_owned()], Door::Native));
        let mut export = Export::draft("shop", name, spec);
        export.metadata.uid = Some(name.to_owned());
        export.status = Some(ExportStatus { phase: Some(phase), ..ExportStatus::default() });
        export
    }

    fn joins(export: &Export, other: Export) -> bool {
        twin(export, &[Arc::new(export.clone()), Arc::new(other)]).is_some()
    }

    #[test]
    fn the_later_of_two_that_ask_for_the_same_waits_for_the_other() {
        let (a, b) = (export("a", Phase::Pending), export("b", Phase::Pending));
        assert!(joins(&b, a.clone()) && !joins(&a, b.clone()));
        assert!(joins(&a, export("b", Phase::Running)));
        assert!(!joins(&export("b", Phase::Running), a.clone()));
        assert!(!joins(&b, export("a", Phase::Succeeded)));
        assert!(!joins(&b, a.clone().with_annotation(CANCEL, "")));
        let mut joined = a.clone();
        join(joined.status.as_mut().unwrap(), "first");
        assert!(!joins(&b, joined));
    }

    #[test]
    fn whoever_asks_for_something_else_or_with_other_rights_does_not() {
        let b = export("b", Phase::Pending);
        let other = |change: fn(&mut Export)| {
            let mut other = export("a", Phase::Running);
            change(&mut other);
            joins(&b, other)
        };
        assert!(other(|of| of.spec.requested_by.as_mut().unwrap().request_id = Some("r".into())));
        assert!(!other(|of| of.spec.requested_by.as_mut().unwrap().user = "bob".into()));
        assert!(!other(|of| of.spec.requested_by.as_mut().unwrap().groups.clear()));
        assert!(!other(|of| of.spec.requested_by = None));
        assert!(!other(|of| of.spec.options.include_crds = true));
        assert!(!other(|of| of.metadata.namespace = Some("blog".into())));
    }

    #[test]
    fn who_has_joined_knows_the_other_until_that_is_gone() {
        let mut b = export("b", Phase::Pending);
        join(b.status.as_mut().unwrap(), "a");
        assert!(joins(&b, export("a", Phase::Failed)));
        assert!(!joins(&b, export("c", Phase::Running)));
        part(b.status.as_mut().unwrap());
        assert!(joins(&b, export("c", Phase::Running)));
    }

    #[test]
    fn the_end_is_the_other_s_and_its_own_history_stays() {
        let now = Timestamp::from_second(9).unwrap();
        let mut done = export("a", Phase::Failed).status.unwrap();
        done.reason = Some("Foreign".into());
        done.exit_code = Some(11);
        done.attempts = 2;
        let mut status = export("b", Phase::Pending).status.unwrap();
        status.queued_at = Some(Timestamp::UNIX_EPOCH);
        join(&mut status, "a");
        copy(&mut status, &done, now);
        assert_eq!((status.phase, status.exit_code), (Some(Phase::Failed), Some(11)));
        assert_eq!((status.reason.as_deref(), status.attempts), (Some("Foreign"), 0));
        assert_eq!(
            (status.finished_at, status.queued_at),
            (Some(now), Some(Timestamp::UNIX_EPOCH))
        );
        assert_eq!(status.joined_to.as_deref(), Some("a"));
        assert_eq!(status.conditions[0].reason, "Foreign");
    }
}
