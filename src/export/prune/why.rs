//! Why a version stays, in words.

use crate::schedule::retention::{Reason, Span};

/// The reason of a rule.
pub(super) fn said(reason: Reason) -> String {
    match reason {
        Reason::Pinned => "pinned".to_owned(),
        Reason::Manual => "made by hand".to_owned(),
        Reason::Undated => "nothing tells its age".to_owned(),
        Reason::Newest => "always kept as one of the newest".to_owned(),
        Reason::Last => "one of the newest that are counted".to_owned(),
        Reason::Held(span, first) => format!("held at the end of the {} of {first}", name(span)),
        Reason::Young => "young enough".to_owned(),
    }
}

fn name(span: Span) -> &'static str {
    match span {
        Span::Hour => "hour",
        Span::Day => "day",
        Span::Week => "week",
        Span::Month => "month",
        Span::Year => "year",
    }
}
