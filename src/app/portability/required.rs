//! What normalised objects need of the cluster: classes, volumes, definitions of custom resources.

use std::collections::{BTreeMap, HashMap};

use super::Portability;
use crate::app::graph::{CLUSTER_KINDS, references, shorten};
use crate::app::kinds;
use crate::app::view::View;
use crate::app::{Code, Finding, Object, ObjectId, Requirement};

/// Priority classes that are in every cluster.
const BUILTIN_PRIORITIES: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

const DEFINITION: kinds::Kind = ("apiextensions.k8s.io", "CustomResourceDefinition");

type Definitions<'a> = HashMap<(&'a str, &'a str), &'a str>;

/// What a target cluster must have for these objects.
pub(super) fn check(view: &View<'_>, objects: &[Object], found: &mut Portability) {
    let definitions = definitions(view);
    let mut needed: BTreeMap<ObjectId, Vec<String>> = BTreeMap::new();
    for object in objects {
        for of in classes(object).into_iter().chain(definition(&definitions, object)) {
            needed.entry(of).or_default().push(object.id().to_string());
        }
    }
    for (object, users) in needed {
        let users = shorten(users.iter());
        let remedy = "Make sure that the target cluster has it, or change the value.";
        let finding =
            Finding::new(Code::ClusterScopedRequired, format!("{object} is needed by {users}"));
        found.findings.push(finding.on(object.clone()).remedy(remedy));
        let reason = format!("needed by {users}; it belongs to the cluster");
        found.requirements.push(Requirement { object, reason });
    }
}

/// Names of the definitions that were read, by group and kind of what they define.
fn definitions<'a>(view: &View<'a>) -> Definitions<'a> {
    let all = view.of_kind(DEFINITION).filter_map(|(_, entry)| {
        let of: &'a Object = entry.object;
        Some(((of.text("/spec/group")?, of.text("/spec/names/kind")?), of.name()))
    });
    all.collect()
}

fn classes(object: &Object) -> Vec<ObjectId> {
    let named = references(object, "").into_iter().filter(|r| CLUSTER_KINDS.contains(&r.kind));
    let mut all: Vec<ObjectId> = named
        .filter(|r| {
            r.kind != kinds::PRIORITY_CLASS || !BUILTIN_PRIORITIES.contains(&r.name.as_str())
        })
        .map(|r| id(r.kind, r.name))
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The definition of a custom resource, by its real name if it was read. Else nobody knows the
/// plural of which the name is made, and what stands for the name says so.
fn definition(definitions: &Definitions<'_>, object: &Object) -> Option<ObjectId> {
    if kinds::is_builtin(object) {
        return None;
    }
    let read = definitions.get(&(object.group(), object.kind()));
    let name = read.map_or_else(
        || format!("for {} ({})", object.kind(), object.group()),
        |name| (*name).to_owned(),
    );
    Some(id(DEFINITION, name))
}

fn id((group, kind): kinds::Kind, name: String) -> ObjectId {
    ObjectId { group: group.to_owned(), kind: kind.to_owned(), namespace: None, name }
}
