//! What is on its way out: a namespace that is being deleted, objects that are.

use super::graph::Members;
use super::view::View;
use super::{Code, Finding, Object, Snapshot, kinds};

impl Snapshot {
    /// Whether its namespace is being deleted: what was read is what is left by chance.
    pub fn is_terminating(&self) -> bool {
        let namespace = self
            .objects
            .iter()
            .find(|object| kinds::is(object, kinds::NAMESPACE) && object.name() == self.namespace);
        namespace.is_some_and(is_going)
    }
}

/// Whether someone has deleted the object, and something still holds it.
fn is_going(object: &Object) -> bool {
    object.text("/metadata/deletionTimestamp").is_some()
}

/// Says what is going. In a namespace that goes everything does, which is said once.
pub(super) fn findings(view: &View<'_>, members: &Members) -> Vec<Finding> {
    if view.snapshot.is_terminating() {
        let namespace = &view.snapshot.namespace;
        let text = format!("namespace `{namespace}` is being deleted: some objects may be gone");
        let remedy = "Compare with an earlier export before you rely on this one.";
        return vec![Finding::new(Code::NamespaceTerminating, text).remedy(remedy)];
    }
    let entries = members.objects.iter().map(|index| &view.entries[*index]);
    let going = entries.filter(|entry| is_going(entry.object)).map(|entry| {
        let text = format!("{} is being deleted; it is exported as it still is", entry.id);
        let remedy = "Leave it out with `--exclude`, or find out what its finalizers wait for.";
        Finding::new(Code::BeingDeleted, text).on(entry.id.clone()).remedy(remedy)
    });
    going.collect()
}
