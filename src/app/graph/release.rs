//! A Helm release against its record: what its record names and is not there, what only says that
//! it is the release's, and hooks.

use std::collections::{BTreeMap, HashSet};

use super::{Walk, shorten};
use crate::app::helm::{Hook, Lookup, RELEASE_NAME, Release, Rendered, SecretShape};
use crate::app::kinds::{self, Kind};
use crate::app::select::Roots;
use crate::app::view::{Index, Place};
use crate::app::{Code, Finding, FoundBy, ObjectId, Requirement, SecretUse};

/// Secrets of the record, by name.
pub(super) type Recorded<'a> = BTreeMap<&'a str, &'a SecretShape>;

/// Kinds that are never read, so that their absence says nothing.
const UNSEEN: [Kind; 3] =
    [("coordination.k8s.io", "Lease"), kinds::ENDPOINTS, kinds::ENDPOINT_SLICE];

/// The Secrets that the record names in the release's namespace.
pub(super) fn recorded<'a>(roots: &Roots<'a>) -> Recorded<'a> {
    let objects = roots.release.into_iter().flat_map(|release| &release.objects);
    let here = objects.filter(|rendered| rendered.object.namespace.is_none());
    here.filter_map(|of| Some((of.object.name.as_str(), of.secret.as_ref()?))).collect()
}

impl Walk<'_, '_> {
    /// Says what is to be said of a release, once everything else is known.
    pub(super) fn release(&mut self, roots: &Roots<'_>, secrets: &[SecretUse]) {
        match self.view.snapshot.release_of(&roots.name) {
            Lookup::Forbidden { reason } if self.holds_release(roots) => {
                self.record_not_read(reason);
            }
            Lookup::Broken { record, reason } if roots.found_by != FoundBy::Namespace => {
                let text = format!("helm's record `{record}` cannot be used: {reason}");
                self.findings.push(Finding::new(Code::HelmRecordBroken, text).remedy(
                    "Objects go by annotation alone; `helm status` should be able to read it.",
                ));
            }
            _ => {}
        }
        let Some(release) = roots.release else { return };
        self.unfinished(release);
        let found: HashSet<_> =
            roots.objects.iter().map(|index| key(&self.view.entries[*index].id)).collect();
        for rendered in &release.objects {
            if !found.contains(&key(&rendered.object)) {
                self.unseen(release, rendered);
            }
        }
        let objects = release.objects.iter().map(|of| &of.object);
        let named: HashSet<_> =
            objects.chain(release.hooks.iter().map(|of| &of.object)).map(key).collect();
        for index in roots.objects.iter().copied() {
            if !named.contains(&key(&self.view.entries[index].id)) {
                self.only_annotated(release, index);
            }
        }
        for hook in &release.hooks {
            self.hook(hook, secrets);
        }
    }

    /// Whether helm installed anything of it as a release of its name.
    fn holds_release(&self, roots: &Roots<'_>) -> bool {
        let mut objects = roots.objects.iter().map(|index| self.view.entries[*index].object);
        objects.any(|object| object.annotation(RELEASE_NAME) == Some(&roots.name))
    }

    fn record_not_read(&mut self, reason: &str) {
        let text = format!("helm's record of the release may not be read: {reason}");
        let remedy = "Allow listing Secrets to know of hooks, of Secrets that nothing refers to, and \
                      of what the images of an imported export were called: it gets new names for \
                      them, and is another content.";
        self.findings.push(Finding::new(Code::HelmRecordNotRead, text).remedy(remedy));
    }

    fn unfinished(&mut self, release: &Release) {
        let Release { revision, status, newer, broken_documents, .. } = release;
        let mut say = |code, text| {
            let remedy = "Finish or roll back with helm, and export again.";
            self.findings.push(Finding::new(code, text).remedy(remedy));
        };
        if status != "deployed" {
            say(
                Code::HelmReleaseUnfinished,
                format!("revision {revision} of the release is {status}"),
            );
        }
        if let Some(last) = newer.last() {
            let text = format!(
                "revision {} of the release is {}, and revision {revision} counts as installed: \
                 what runs may be a mixture",
                last.revision, last.status
            );
            say(Code::HelmReleaseUnfinished, text);
        }
        if *broken_documents > 0 {
            let text = format!(
                "{broken_documents} documents of the release's manifest are no objects; what they \
                 stand for goes by annotation alone"
            );
            self.findings.push(Finding::new(Code::HelmRecordBroken, text));
        }
    }

    /// Something that the record names, and that is not among what was read.
    fn unseen(&mut self, release: &Release, rendered: &Rendered) {
        let ObjectId { group, kind, namespace, .. } = &rendered.object;
        let id = rendered.object.clone();
        let is = |of: &Kind| of.0 == group && of.1 == kind;
        if (rendered.secret.is_some() && !self.view.secrets_read) || UNSEEN.iter().any(is) {
            return;
        }
        if namespace.is_some() {
            let text = format!("{id} is of the release, and in another namespace");
            let remedy = "Export it from its own namespace, or move it.";
            self.findings.push(Finding::new(Code::NotExported, text).on(id).remedy(remedy));
        } else if kinds::is_cluster_scoped_kind(group, kind) || !kinds::is_builtin_group(group) {
            let reason = format!("the chart {} has it", release.chart);
            let text =
                format!("{id} is not exported: it is of the release, and not in the namespace");
            let finding = Finding::new(Code::ClusterScopedRequired, text).on(id.clone());
            self.findings.push(finding.remedy("Create it in the target cluster."));
            self.requirements.insert(Requirement { object: id, reason });
        } else if !self.view.is_unreadable_kind(group, kind) {
            let text =
                format!("revision {} of the release has {id}, which is gone", release.revision);
            let remedy = "Nothing, if that is meant; else upgrade the release, and export again.";
            self.findings.push(Finding::new(Code::HelmReleaseDiffers, text).on(id).remedy(remedy));
        }
    }

    /// Something that says it is the release's, and that its record does not know: kept by a
    /// policy when the chart lost it, or copied.
    fn only_annotated(&mut self, release: &Release, index: Index) {
        let entry = &self.view.entries[index];
        let derived = self.view.top(index) != Some(index) || kinds::is_derived(entry.object);
        if derived || entry.excluded || entry.place != Place::Here {
            return;
        }
        let id = self.id(index);
        let text = format!(
            "{id} says that it is the release's, and revision {} does not have it: it is exported",
            release.revision
        );
        let finding = Finding::new(Code::HelmReleaseDiffers, text).on(id);
        self.findings.push(finding.remedy("Leave it out with `--exclude` if it was left behind."));
    }

    /// A hook is exported only where something refers to it.
    fn hook(&mut self, hook: &Hook, secrets: &[SecretUse]) {
        let ObjectId { group, kind, name, .. } = &hook.object;
        let index = self.view.named_as(group, kind, name);
        let used = index.is_some_and(|index| self.ours(index))
            || (kind == kinds::SECRET.1 && secrets.iter().any(|secret| secret.name == *name));
        if used {
            return;
        }
        let events = shorten(hook.events.iter());
        let text =
            format!("{} is a hook ({events}) of the release, and is not exported", hook.object);
        let remedy = "Run it by hand where the chart is installed, if the application needs it.";
        let finding = Finding::new(Code::HelmHookSkipped, text).on(hook.object.clone());
        self.findings.push(finding.remedy(remedy));
    }
}

/// What tells objects of a release apart; groups change over the years.
fn key(id: &ObjectId) -> (&str, &str, Option<&str>) {
    (&id.kind, &id.name, id.namespace.as_deref())
}
