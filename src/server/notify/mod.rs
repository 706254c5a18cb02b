//! Tells the webhook of a destination how exports to it have ended.
//!
//! ```text
//!  end of an export ─► condition Notified: False, Pending ─► Outbox ─► Courier ─► sign ─► POST
//!                                 ▲                                      │
//!                                 └──── Notified: True, or why not ◄─────┘
//! ```
//!
//! The condition is written together with the end, so that nothing is lost with a leader: the next one
//! finds it. What was sent by a leader that died before it could write so is sent again, with the same
//! `ce-id`.

mod courier;
mod event;
mod hook;
mod outbox;
mod send;
mod sign;

use jiff::Timestamp;

pub(super) use courier::Courier;
pub(super) use outbox::Outbox;

use super::work::conditions;
use crate::cluster::record::{Condition, Export, ExportStatus};

/// Condition of a record whose destination has a webhook: whether its end was told there.
const NOTIFIED: &str = "Notified";

/// Reason of an end that is still to be told.
const PENDING: &str = "Pending";

/// Notes in a status that its end is to be told.
pub(super) fn owe(status: &mut ExportStatus, now: Timestamp) {
    conditions::set(status, NOTIFIED, false, PENDING, "", now);
}

/// Whether the end of the export is still to be told.
pub(super) fn is_owed(export: &Export) -> bool {
    let owes = |it: &Condition| it.kind == NOTIFIED && it.reason == PENDING;
    export.is_terminal() && export.status.iter().flat_map(|status| &status.conditions).any(owes)
}
