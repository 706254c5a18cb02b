//! Conditions of a record, in the form that `kubectl wait --for=condition=…` knows.

use jiff::Timestamp;

use crate::cluster::record::{Condition, ConditionStatus, Export, ExportStatus, MAX_HINT};

/// Whether the export may be carried out.
pub(super) const ACCEPTED: &str = "Accepted";

/// Whether the export is done.
pub(super) const COMPLETE: &str = "Complete";

/// Why the export was accepted, if it was.
pub(super) fn accepted(export: &Export) -> Option<&str> {
    let is_so = |it: &&Condition| it.kind == ACCEPTED && it.status == ConditionStatus::True;
    Some(&export.status.as_ref()?.conditions.iter().find(is_so)?.reason)
}

/// Sets the condition, and when it changed if it did.
pub(in crate::server) fn set(
    status: &mut ExportStatus,
    kind: &str,
    holds: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) {
    let holds = if holds { ConditionStatus::True } else { ConditionStatus::False };
    put(&mut status.conditions, kind, holds, (reason, message), now);
}

/// Sets one of these conditions, for a reason in a word and in a sentence, and when it changed if it did.
/// Says whether it did.
pub(super) fn put(
    conditions: &mut Vec<Condition>,
    kind: &str,
    holds: ConditionStatus,
    (reason, message): (&str, &str),
    now: Timestamp,
) -> bool {
    let old = conditions.iter().find(|old| old.kind == kind && old.status == holds);
    let since = old.map(|old| old.last_transition_time);
    let condition = Condition {
        kind: kind.to_owned(),
        status: holds,
        reason: reason.to_owned(),
        message: message[..message.floor_char_boundary(MAX_HINT)].to_owned(),
        last_transition_time: since.unwrap_or(now),
    };
    conditions.retain(|old| old.kind != kind);
    conditions.push(condition);
    since.is_none()
}
