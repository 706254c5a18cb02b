//! Rights: bindings that name the application's service accounts, and the roles behind them.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::Walk;
use super::outward::account;
use crate::app::kinds::{self, CLUSTER_ROLE, CLUSTER_ROLE_BINDING, Kind, ROLE, ROLE_BINDING};
use crate::app::view::{Entry, Index, View};
use crate::app::{Code, Finding, Object, ObjectId, Requirement};

/// ClusterRoles that are in every cluster, besides `system:…`.
const BUILTIN_ROLES: [&str; 4] = ["admin", "cluster-admin", "edit", "view"];

/// Label of roles that the API server keeps itself.
const BOOTSTRAPPING: &str = "kubernetes.io/bootstrapping";

/// Whom a binding binds.
enum Subjects {
    Ours,
    Mixed,
    Others,
}

/// Names of service accounts.
struct Accounts<'v> {
    /// Those that only the application uses.
    own: BTreeSet<&'v str>,
    /// Those that it uses, and others do as well.
    shared: BTreeSet<&'v str>,
}

impl<'v> Walk<'v, '_> {
    /// `labelled`: cluster-scoped objects that carry the application's label.
    pub(super) fn rbac(&mut self, labelled: &[Index]) {
        let accounts = self.accounts();
        for kind in [ROLE_BINDING, CLUSTER_ROLE_BINDING] {
            let bindings: Vec<Index> = self.view.of_kind(kind).map(|(index, _)| index).collect();
            for index in bindings {
                self.binding(index, &accounts);
            }
        }
        let taken: Vec<Index> = self
            .members
            .iter()
            .copied()
            .filter(|index| is_binding(&self.view.entries[*index]))
            .collect();
        for index in taken {
            self.role_of(index);
        }
        for index in labelled.iter().copied().filter(|index| !self.ours(*index)).collect::<Vec<_>>()
        {
            self.labelled_cluster_object(index);
        }
    }

    /// The service accounts that the application's pods run as.
    fn accounts(&self) -> Accounts<'v> {
        let view = self.view;
        let used = |ours: bool| {
            let of = self.workloads.all.iter().filter(move |workload| workload.ours == ours);
            of.map(|workload| account(&view.entries[workload.index])).collect::<BTreeSet<_>>()
        };
        let members = self.members.iter().map(|index| &view.entries[*index]);
        let own = members.filter(|entry| entry.is(kinds::SERVICE_ACCOUNT)).map(|e| e.object.name());
        let (ours, others) = (used(true), used(false));
        let own = &(&ours - &others) | &own.collect();
        Accounts { shared: &ours - &own, own }
    }

    fn binding(&mut self, index: Index, accounts: &Accounts<'_>) {
        let entry = &self.view.entries[index];
        let cluster = entry.is(CLUSTER_ROLE_BINDING);
        if self.ours(index) {
            return;
        }
        match self.subjects(entry.object, accounts) {
            Subjects::Ours => {
                self.take(index);
            }
            Subjects::Mixed => {
                let reason = "it gives rights to the application's service accounts and to others";
                if cluster {
                    self.cluster_required(index, reason);
                } else {
                    self.require(index, reason.to_owned());
                    self.not_exported(index, format!("{} also binds others", self.id(index)));
                }
            }
            Subjects::Others => {}
        }
    }

    fn subjects(&self, binding: &Object, accounts: &Accounts<'_>) -> Subjects {
        let subjects = binding.at("/subjects").and_then(Value::as_array);
        let is_of = |subject: &Value, accounts: &BTreeSet<&str>| {
            let text = |key: &str| subject.get(key).and_then(Value::as_str);
            text("kind") == Some("ServiceAccount")
                && text("namespace").is_none_or(|of| of == self.view.snapshot.namespace)
                && text("name").is_some_and(|name| accounts.contains(name))
        };
        let all = subjects.map_or(&[][..], Vec::as_slice);
        let own = all.iter().filter(|subject| is_of(subject, &accounts.own)).count();
        if own > 0 && own == all.len() {
            Subjects::Ours
        } else if own > 0 || all.iter().any(|subject| is_of(subject, &accounts.shared)) {
            Subjects::Mixed
        } else {
            Subjects::Others
        }
    }

    /// Takes the role of a binding that is a member.
    fn role_of(&mut self, binding: Index) {
        let object = self.view.entries[binding].object;
        let Some(name) = object.text("/roleRef/name") else { return };
        let kind = if object.text("/roleRef/kind") == Some("Role") { ROLE } else { CLUSTER_ROLE };
        if kind == CLUSTER_ROLE && is_builtin_role(name) {
            return;
        }
        match self.view.named(kind, name) {
            Some(role) if self.ours(role) || is_bootstrapped(self.view.entries[role].object) => {}
            Some(role) => self.role(role, kind, name),
            None if kind == CLUSTER_ROLE => self.absent_cluster_role(binding, name),
            None if self.view.is_unreadable(ROLE) => {}
            None => {
                let id = self.id(binding);
                let text = format!("{id} refers to Role {name}, which does not exist");
                let finding =
                    Finding::new(Code::ReferenceMissing, text).on(id).field("roleRef.name");
                self.findings.push(finding.remedy(format!("Create the Role {name}.")));
            }
        }
    }

    fn role(&mut self, role: Index, kind: Kind, name: &str) {
        let others = self.other_bindings(kind, name);
        if others.is_empty() {
            self.take(role);
            return;
        }
        let others = self.names(&others);
        if kind == CLUSTER_ROLE {
            self.cluster_required(role, &format!("{others} refers to it as well"));
        } else {
            self.require(
                role,
                format!("a role binding of the application refers to it, and {others}"),
            );
            self.not_exported(role, format!("{others} refers to {} as well", self.id(role)));
        }
    }

    /// Bindings of a role that are not the application's.
    fn other_bindings(&self, kind: Kind, name: &str) -> Vec<Index> {
        let all = self.bound.get(&(kind.1, name)).into_iter().flatten().copied();
        all.filter(|index| !self.ours(*index)).collect()
    }

    fn absent_cluster_role(&mut self, binding: Index, name: &str) {
        let (group, kind) = CLUSTER_ROLE;
        let object = ObjectId {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        let reason = format!("{} refers to it, and it could not be read", self.id(binding));
        self.findings.push(
            Finding::new(Code::ClusterScopedRequired, format!("{object} is needed: {reason}"))
                .on(object.clone())
                .remedy("Create it in the target cluster."),
        );
        self.requirements.insert(Requirement { object, reason });
    }

    /// A cluster-scoped object that carries the application's label and that nothing took.
    fn labelled_cluster_object(&mut self, index: Index) {
        let entry = &self.view.entries[index];
        let (name, unbound) = (entry.id.name.clone(), entry.is(CLUSTER_ROLE));
        if unbound && self.other_bindings(CLUSTER_ROLE, &name).is_empty() {
            self.take(index);
        } else if entry.excluded {
            self.excluded(index);
        } else {
            self.cluster_required(index, "it carries the application's label");
        }
    }

    fn cluster_required(&mut self, index: Index, reason: &str) {
        let id = self.id(index);
        let finding =
            Finding::new(Code::ClusterScopedRequired, format!("{id} is not exported: {reason}"))
                .on(id)
                .remedy("Create it in the target cluster.");
        self.findings.push(finding);
        self.require(index, reason.to_owned());
    }
}

/// Bindings by kind and name of the role that they refer to.
pub(super) fn bound<'a>(view: &View<'a>) -> HashMap<(&'a str, &'a str), Vec<Index>> {
    let mut bound: HashMap<_, Vec<Index>> = HashMap::new();
    for (index, entry) in
        [ROLE_BINDING, CLUSTER_ROLE_BINDING].into_iter().flat_map(|kind| view.of_kind(kind))
    {
        let binding: &'a Object = entry.object;
        let role = binding.text("/roleRef/kind").zip(binding.text("/roleRef/name"));
        if let Some(role) = role {
            bound.entry(role).or_default().push(index);
        }
    }
    bound
}

fn is_binding(entry: &Entry<'_>) -> bool {
    entry.is(ROLE_BINDING) || entry.is(CLUSTER_ROLE_BINDING)
}

fn is_builtin_role(name: &str) -> bool {
    name.starts_with("system:") || BUILTIN_ROLES.contains(&name)
}

fn is_bootstrapped(role: &Object) -> bool {
    role.label(BOOTSTRAPPING).is_some()
}
