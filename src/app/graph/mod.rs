//! What belongs to an application: from its roots up to owners, back from what points at its pods,
//! and out to what they refer to.
//!
//! ```text
//!  roots ─► workloads ─► Services, budgets, policies, scalers ─► Ingresses     (back)
//!                   └──► service accounts ─► bindings ─► roles                 (back, then out)
//!                   └──► ConfigMaps, Secrets, claims, …                        (out)
//! ```
//!
//! Workloads are members by selection alone: nothing that is followed brings another one in. So
//! whether something is shared is the question whether a workload that is not a member uses it.

mod custom;
mod epinio;
mod makers;
mod outward;
mod rbac;
mod refs;
mod release;
mod roots;
mod secrets;
mod shared;
mod traffic;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) use outward::{CLUSTER_KINDS, account};
pub(super) use refs::{Reference, references};
pub(super) use roots::{claim_stems, is_made_from_template};
pub(super) use shared::is_idle_pod;
pub(super) use traffic::scales_replicas;

use super::kinds::{self, Kind};
use super::select::Roots;
use super::view::{Index, View};
use super::{Code, Finding, ObjectId, Requirement, SecretUse};
use release::Recorded;
use shared::Workloads;

/// What was found.
pub(super) struct Members {
    /// Objects to export; no Secrets.
    pub(super) objects: BTreeSet<Index>,
    pub(super) secrets: Vec<SecretUse>,
    /// Names of Secrets that something refers to and that were left out on request.
    pub(super) excluded_secrets: Vec<String>,
    /// Pull secrets of service accounts that are used but not exported.
    pub(super) pull_secrets: Vec<String>,
    pub(super) requirements: BTreeSet<Requirement>,
    pub(super) findings: Vec<Finding>,
}

/// Follows everything from the roots.
pub(super) fn members<'a>(view: &View<'a>, roots: &Roots<'a>) -> Members {
    let mut walk = Walk::new(view);
    walk.recorded = release::recorded(roots);
    let labelled = walk.roots(roots);
    walk.workloads = Workloads::new(view, |index| walk.ours(index));
    walk.traffic();
    walk.rbac(&labelled.cluster);
    walk.outward();
    walk.manual_endpoints();
    let secrets = walk.secrets(&labelled.secrets);
    walk.unread_secrets(&roots.found_by);
    walk.release(roots, &secrets);
    walk.epinio_services(&secrets);
    let pull_secrets = walk.left_behind();
    Members {
        objects: walk.members,
        secrets,
        excluded_secrets: walk.excluded_secrets,
        pull_secrets,
        requirements: walk.requirements,
        findings: walk.findings,
    }
}

/// The state of following.
struct Walk<'v, 'a> {
    view: &'v View<'a>,
    members: BTreeSet<Index>,
    /// Members whose references were followed.
    followed: BTreeSet<Index>,
    workloads: Workloads<'a>,
    /// References of members to Secrets.
    secret_refs: BTreeMap<String, Vec<(Index, Reference)>>,
    excluded_secrets: Vec<String>,
    /// Secrets that the record of the release names.
    recorded: Recorded<'a>,
    /// Custom resources by what they refer to.
    referring: HashMap<(Kind, String), Vec<Index>>,
    /// Bindings by kind and name of the role that they refer to.
    bound: HashMap<(&'a str, &'a str), Vec<Index>>,
    requirements: BTreeSet<Requirement>,
    findings: Vec<Finding>,
}

/// What became of an object that was to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It, or its owner, is a member now.
    Yes,
    /// It was left out on request.
    Excluded,
    /// It is made by something that is not the application's.
    Foreign,
    /// It is of a kind that is never exported.
    Never,
}

impl<'v, 'a> Walk<'v, 'a> {
    fn new(view: &'v View<'a>) -> Self {
        Self {
            view,
            members: BTreeSet::new(),
            followed: BTreeSet::new(),
            workloads: Workloads::default(),
            secret_refs: BTreeMap::new(),
            excluded_secrets: Vec::new(),
            recorded: Recorded::new(),
            referring: outward::referring(view),
            bound: rbac::bound(view),
            requirements: BTreeSet::new(),
            findings: Vec::new(),
        }
    }

    fn id(&self, index: Index) -> ObjectId {
        self.view.entries[index].id.clone()
    }

    /// Whether the object, or what makes it, is a member.
    fn ours(&self, index: Index) -> bool {
        self.members.contains(&index)
            || self.view.top(index).is_some_and(|top| self.members.contains(&top))
    }

    /// Makes an object a member, or its owner in its place.
    fn take(&mut self, index: Index) -> Taken {
        if self.ours(index) {
            return Taken::Yes;
        }
        let Some(top) = self.view.top(index) else { return Taken::Never };
        for at in [index, top] {
            if self.view.entries[at].excluded {
                self.excluded(at);
                return Taken::Excluded;
            }
        }
        if kinds::is_derived(self.view.entries[top].object) {
            return Taken::Never;
        }
        if top != index && self.workloads.makes_others(top) {
            return Taken::Foreign;
        }
        self.members.insert(top);
        Taken::Yes
    }

    fn excluded(&mut self, index: Index) {
        self.left_out(self.id(index));
    }

    fn left_out(&mut self, id: ObjectId) {
        let text = format!("{id} was left out on request");
        self.findings.push(Finding::new(Code::Excluded, text).on(id));
    }

    /// Something that a member refers to exists, but is not exported.
    fn require(&mut self, index: Index, reason: String) {
        self.requirements.insert(Requirement { object: self.id(index), reason });
    }

    /// An object that is not only this application's.
    fn not_exported(&mut self, index: Index, text: String) {
        let remedy =
            "Create it where the chart is installed, or export both applications together.";
        let finding = Finding::new(Code::NotExported, text).on(self.id(index)).remedy(remedy);
        self.findings.push(finding);
    }

    /// Names of a few objects, for a sentence.
    fn names(&self, of: &[Index]) -> String {
        let all = of.iter().map(|index| &self.view.entries[*index].id);
        shorten(all)
    }
}

/// The first few of a list, and how many more there are.
pub(super) fn shorten(names: impl ExactSizeIterator<Item = impl ToString>) -> String {
    const SHOWN: usize = 3;
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.take(SHOWN).map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
