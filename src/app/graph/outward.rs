//! What members refer to by name: taken if only they use it, else required; absent, a finding.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::refs::{Reference, references};
use super::{Taken, Walk, custom};
use crate::app::kinds::{self, Kind};
use crate::app::normalize::{is_foreign_annotation, pull_secrets_dropped};
use crate::app::path;
use crate::app::view::{Entry, Index, Place, View};
use crate::app::{Code, Finding, Object, ObjectId, Requirement};

/// Kinds without a namespace. Whether they are needed is known only after normalising, as
/// admission fills in classes: see [`crate::app::portability`].
pub(in crate::app) const CLUSTER_KINDS: [Kind; 4] =
    [kinds::INGRESS_CLASS, kinds::PRIORITY_CLASS, kinds::RUNTIME_CLASS, kinds::STORAGE_CLASS];

impl<'v> Walk<'v, '_> {
    pub(super) fn outward(&mut self) {
        self.follow_members();
        // What a custom resource makes is not exported, but needs what a person gave it.
        let made: Vec<Index> =
            self.workloads.all.iter().filter(|of| of.ours).map(|of| of.index).collect();
        for index in made {
            if let Some(top) = self.view.top(index).filter(|top| *top != index) {
                self.outward_of(index, top);
            }
        }
        self.default_account();
    }

    /// Follows the members that were not yet, and what they bring in: a route refers to a gateway,
    /// that to a certificate.
    pub(super) fn follow_members(&mut self) {
        loop {
            let new: Vec<Index> = self.members.difference(&self.followed).copied().collect();
            if new.is_empty() {
                return;
            }
            for from in new {
                self.followed.insert(from);
                self.outward_of(from, from);
            }
        }
    }

    /// Follows the references of an object for the member that stands for it.
    fn outward_of(&mut self, object: Index, member: Index) {
        for reference in references(self.view.entries[object].object, &self.view.snapshot.namespace)
        {
            let target = self.view.named(reference.kind, &reference.name);
            let made = target.is_some_and(|to| self.view.top(to) == Some(member));
            if object == member || !made {
                self.follow(member, reference);
            }
        }
    }

    fn follow(&mut self, from: Index, reference: Reference) {
        if CLUSTER_KINDS.contains(&reference.kind) {
            return;
        }
        if reference.kind == kinds::SECRET {
            self.secret_refs.entry(reference.name.clone()).or_default().push((from, reference));
            return;
        }
        match self.view.named(reference.kind, &reference.name) {
            Some(to) => self.refer(from, to, &reference),
            None if reference.needed && !is_everywhere(&reference) => {
                self.absent(from, &reference);
            }
            None => {}
        }
    }

    fn refer(&mut self, from: Index, to: Index, reference: &Reference) {
        if self.ours(to) || is_everywhere(reference) {
            return;
        }
        let taken = if reference.kind == kinds::SERVICE {
            self.take_service(to).map_err(|others| self.names(&others))
        } else {
            match self.others_using(reference).as_slice() {
                [] => Ok(self.take(to)),
                others => Err(self.names(others)),
            }
        };
        let from = self.id(from);
        match taken {
            Ok(Taken::Yes | Taken::Never) => {}
            Ok(Taken::Excluded) => {
                self.require(to, format!("{from} refers to it; left out on request"));
            }
            Ok(Taken::Foreign) => {
                self.require(to, format!("{from} refers to it; another application makes it"));
                let text = format!("{} is made by another application", self.id(to));
                self.not_exported(to, text);
            }
            Err(others) => {
                self.require(to, format!("{from} refers to it; it belongs to {others} as well"));
                let text = format!("{} is used by {others} as well", self.id(to));
                self.not_exported(to, text);
            }
        }
    }

    /// What else refers to the same, and is not the application's.
    fn others_using(&self, reference: &Reference) -> Vec<Index> {
        let workloads = self.workloads.others_using(reference.kind, &reference.name);
        let custom = self.referring.get(&(reference.kind, reference.name.clone()));
        let custom = custom.into_iter().flatten().filter(|index| !self.ours(**index));
        workloads.iter().chain(custom).copied().collect()
    }

    fn absent(&mut self, from: Index, reference: &Reference) {
        let object = target(reference);
        let from = self.id(from);
        if self.view.is_unreadable(reference.kind) {
            let reason = format!("{from} refers to it, and it could not be read");
            self.requirements.insert(Requirement { object, reason });
            return;
        }
        self.missing(from, reference);
    }

    /// Says that a reference leads nowhere.
    pub(super) fn missing(&mut self, from: ObjectId, reference: &Reference) {
        let object = target(reference);
        let text = format!("{from} refers to {object}, which does not exist");
        let or = if reference.may_be_optional { ", or mark the reference as optional" } else { "" };
        let finding = Finding::new(Code::ReferenceMissing, text)
            .on(from)
            .field(reference.field.clone())
            .remedy(format!("Create {object}{or}."));
        self.findings.push(finding);
    }

    /// The account that every namespace has is not exported, so changes to it get lost.
    fn default_account(&mut self) {
        let Some(index) = self.view.named(kinds::SERVICE_ACCOUNT, "default") else { return };
        let used = self.used_accounts().contains("default");
        if used && is_customised(self.view.entries[index].object) {
            let text = "ServiceAccount default has annotations or settings of its own, and is not exported";
            let finding = Finding::new(Code::NotExported, text)
                .on(self.id(index))
                .remedy("Give the pods a service account of their own.");
            self.findings.push(finding);
        }
    }

    /// Names of the service accounts of the application's pods.
    fn used_accounts(&self) -> BTreeSet<&'v str> {
        let view = self.view;
        let ours = self.workloads.all.iter().filter(|workload| workload.ours);
        ours.map(|workload| account(&view.entries[workload.index])).collect()
    }

    /// Pull secrets of accounts that the pods use and that are not exported.
    pub(super) fn left_behind(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for account in self.used_accounts() {
            let Some(index) = self.view.named(kinds::SERVICE_ACCOUNT, account) else { continue };
            if self.ours(index) {
                continue;
            }
            let object = self.view.entries[index].object;
            let secrets = path::find(object.fields(), "imagePullSecrets[].name");
            let of_account = secrets.into_iter().filter_map(|(_, name)| name.as_str());
            let before = names.len();
            names.extend(of_account.map(str::to_owned));
            if names.len() > before {
                self.findings.push(pull_secrets_dropped(&self.id(index), &names[before..]));
            }
        }
        names
    }
}

/// Custom resources of this namespace by what they refer to.
pub(super) fn referring(view: &View<'_>) -> HashMap<(Kind, String), Vec<Index>> {
    let mut referring: HashMap<_, Vec<Index>> = HashMap::new();
    for (index, entry) in view.all() {
        if entry.place != Place::Here || entry.excluded || !custom::is_known(entry.object) {
            continue;
        }
        for reference in references(entry.object, &view.snapshot.namespace) {
            let from = referring.entry((reference.kind, reference.name)).or_default();
            if from.last() != Some(&index) {
                from.push(index);
            }
        }
    }
    referring
}

/// Name of the service account that the pods of a workload run as.
pub(in crate::app) fn account<'a>(workload: &Entry<'a>) -> &'a str {
    let name = workload.template_at("spec/serviceAccountName").and_then(Value::as_str);
    name.filter(|name| !name.is_empty()).unwrap_or("default")
}

/// Whether the target is in every namespace.
fn is_everywhere(reference: &Reference) -> bool {
    let name = reference.name.as_str();
    (reference.kind == kinds::CONFIG_MAP && kinds::CLUSTER_CONFIG_MAPS.contains(&name))
        || (reference.kind == kinds::SERVICE_ACCOUNT && name == "default")
}

fn is_customised(account: &Object) -> bool {
    // Pull secrets are a finding of their own.
    let annotated = account.at("/metadata/annotations").and_then(Value::as_object);
    annotated.is_some_and(|of| of.keys().any(|key| !is_foreign_annotation(key)))
        || account.at("/automountServiceAccountToken").is_some()
}

fn target(reference: &Reference) -> ObjectId {
    let (group, kind) = reference.kind;
    ObjectId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: None,
        name: reference.name.clone(),
    }
}
