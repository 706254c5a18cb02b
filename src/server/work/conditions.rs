//! Conditions of a record, in the form that `kubectl wait --for=condition=…` knows.

use jiff::Timestamp;

use crate::cluster::record::{Condition, ConditionStatus, Export, ExportStatus};

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
    let old = status.conditions.iter().find(|old| old.kind == kind && old.status == holds);
    let condition = Condition {
        kind: kind.to_owned(),
        status: holds,
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_transition_time: old.map_or(now, |old| old.last_transition_time),
    };
    status.conditions.retain(|old| old.kind != kind);
    status.conditions.push(condition);
}
