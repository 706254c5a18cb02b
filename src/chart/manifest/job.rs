//! Jobs: run after each install and upgrade, as a Job cannot be changed and would run only once.

use super::Draft;
use crate::app::{HOOK, HOOK_ANNOTATIONS};
use crate::chart::yaml::{Node, Row};

/// Makes a hook of a Job; one that is a hook already stays what it is.
pub(super) fn parameterise(draft: &mut Draft<'_>) {
    if draft.object.annotation(HOOK).is_some() {
        return;
    }
    let Some(metadata) = draft.body.get_mut("metadata") else { return };
    if metadata.get_mut("annotations").is_none() {
        let none = Row::field("annotations", Node::Map(Vec::new()));
        metadata.put_after("annotations", "labels", none);
    }
    if let Some(annotations) = metadata.get_mut("annotations") {
        for (key, value) in HOOK_ANNOTATIONS {
            annotations.set(key, Node::str(value));
        }
    }
}
