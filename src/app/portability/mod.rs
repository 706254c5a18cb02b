//! What an application asks of the cluster that it comes to, and what it takes for granted of the
//! one that it came from.
//!
//! Pure, over normalised objects: each part is a table of fields and what they mean elsewhere.

mod namespace;
mod required;

use super::view::View;
use super::{Finding, Object, Requirement};

/// What was found.
#[derive(Default)]
pub(super) struct Portability {
    /// What a target cluster must have.
    pub(super) requirements: Vec<Requirement>,
    pub(super) findings: Vec<Finding>,
}

/// Looks at every normalised object of an application.
pub(super) fn check(view: &View<'_>, objects: &[Object]) -> Portability {
    let mut found = Portability::default();
    required::check(view, objects, &mut found);
    namespace::check(view, objects, &mut found);
    found
}
