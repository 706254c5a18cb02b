//! What runs: the pods of a workload's current revision, and what their nodes say.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::places::Place;
use super::reference;
use crate::app::kinds;
use crate::app::view::{Entry, Index, Owner, View};
use crate::app::{Code, Finding, Object};

/// Labels by which controllers mark the revision of a pod.
const TEMPLATE_HASH: &str = "pod-template-hash";
const REVISION_HASH: &str = "controller-revision-hash";

/// Annotation in which a Deployment and its ReplicaSets count revisions.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// What every object makes.
pub(super) struct Pods<'a> {
    made: HashMap<Index, Vec<Index>>,
    /// Pods of ReplicaSets that could not be read, by name of their Deployment.
    of_unread_sets: HashMap<&'a str, Vec<Index>>,
}

/// What the node of one pod says of a container's image.
pub(super) struct Said {
    /// `imageID` without its scheme.
    pub(super) image_id: String,
    /// When the pod was made, as the API server writes it.
    pub(super) created: String,
}

/// Pods of the current revision of one workload.
pub(super) struct Current<'v, 'a> {
    pods: Vec<&'v Entry<'a>>,
    /// Whether pods of other revisions run as well.
    rolling: bool,
}

impl<'a> Pods<'a> {
    pub(super) fn new(view: &View<'a>) -> Self {
        let mut made: HashMap<Index, Vec<Index>> = HashMap::new();
        for (index, entry) in view.all() {
            if let Owner::There(owner) = entry.owner {
                made.entry(owner).or_default().push(index);
            }
        }
        Self { made, of_unread_sets: of_unread_sets(view) }
    }

    /// Pods of the workload's current revision.
    pub(super) fn current<'v>(&self, view: &'v View<'a>, workload: Index) -> Current<'v, 'a> {
        let entry = &view.entries[workload];
        if entry.is(kinds::POD) {
            return Current { pods: vec![entry], rolling: false };
        }
        if entry.is(kinds::CRON_JOB) {
            return Current { pods: self.of_newest_job(view, workload), rolling: false };
        }
        let pods = self.pods(view, workload);
        let hash = match () {
            () if entry.is(kinds::DEPLOYMENT) => self.replica_set_hash(view, workload, entry),
            () if entry.is(kinds::STATEFUL_SET) => {
                entry.object.text("/status/updateRevision").map(str::to_owned)
            }
            () if entry.is(kinds::DAEMON_SET) => self.daemon_hash(view, workload),
            () => return Current { pods, rolling: false },
        };
        let hash = hash.or_else(|| newest(&pods).and_then(revision).map(str::to_owned));
        let all = pods.len();
        let pods: Vec<_> =
            pods.into_iter().filter(|pod| revision(pod) == hash.as_deref()).collect();
        Current { rolling: pods.len() < all, pods }
    }

    fn made<'v>(
        &self,
        view: &'v View<'a>,
        by: Index,
        kind: kinds::Kind,
    ) -> impl Iterator<Item = (Index, &'v Entry<'a>)> {
        let made = self.made.get(&by).map_or(&[][..], Vec::as_slice);
        made.iter().map(|index| (*index, &view.entries[*index])).filter(move |(_, e)| e.is(kind))
    }

    /// Pods that the workload makes itself or by its ReplicaSets, and that are not going.
    fn pods<'v>(&self, view: &'v View<'a>, workload: Index) -> Vec<&'v Entry<'a>> {
        let mut pods: Vec<_> = self.made(view, workload, kinds::POD).map(|(_, pod)| pod).collect();
        for (set, _) in self.made(view, workload, kinds::REPLICA_SET) {
            pods.extend(self.made(view, set, kinds::POD).map(|(_, pod)| pod));
        }
        if view.entries[workload].is(kinds::DEPLOYMENT) && pods.is_empty() {
            let name = view.entries[workload].id.name.as_str();
            let unread = self.of_unread_sets.get(name).into_iter().flatten();
            pods = unread.map(|index| &view.entries[*index]).collect();
        }
        pods.retain(|pod| pod.object.at("/metadata/deletionTimestamp").is_none());
        pods
    }

    /// Label of the ReplicaSet that has the Deployment's revision.
    fn replica_set_hash(
        &self,
        view: &View<'a>,
        index: Index,
        deployment: &Entry<'_>,
    ) -> Option<String> {
        let number = |entry: &Entry<'_>| entry.object.annotation(REVISION)?.parse::<u64>().ok();
        let sets: Vec<_> = self.made(view, index, kinds::REPLICA_SET).map(|(_, set)| set).collect();
        let wanted = number(deployment);
        let set = sets
            .iter()
            .find(|set| wanted.is_some() && number(set) == wanted)
            .or_else(|| sets.iter().max_by_key(|set| number(set)))?;
        set.object.label(TEMPLATE_HASH).map(str::to_owned)
    }

    /// Label of the newest ControllerRevision.
    fn daemon_hash(&self, view: &View<'a>, index: Index) -> Option<String> {
        let number = |entry: &Entry<'_>| entry.object.at("/revision").and_then(Value::as_i64);
        let revisions = self.made(view, index, kinds::CONTROLLER_REVISION).map(|(_, of)| of);
        revisions.max_by_key(|of| number(of))?.object.label(REVISION_HASH).map(str::to_owned)
    }

    fn of_newest_job<'v>(&self, view: &'v View<'a>, cron_job: Index) -> Vec<&'v Entry<'a>> {
        let jobs = self.made(view, cron_job, kinds::JOB);
        let newest = jobs.max_by_key(|(_, job)| (created(job), job.id.name.clone()));
        newest
            .map(|(job, _)| self.made(view, job, kinds::POD).map(|(_, pod)| pod).collect())
            .unwrap_or_default()
    }
}

/// Pods of Deployments whose ReplicaSets could not be read: by the name of their owner, which is
/// the Deployment's with the revision's hash.
fn of_unread_sets<'a>(view: &View<'a>) -> HashMap<&'a str, Vec<Index>> {
    let mut found: HashMap<&'a str, Vec<Index>> = HashMap::new();
    for (index, entry) in view.of_kind(kinds::POD).filter(|(_, pod)| pod.owner == Owner::Gone) {
        let pod: &'a Object = entry.object;
        let hash = pod.label(TEMPLATE_HASH).unwrap_or_default();
        let owners = pod.at("/metadata/ownerReferences").and_then(Value::as_array);
        for set in owners.into_iter().flatten().filter_map(|owner| owner.get("name")?.as_str()) {
            let deployment = set.strip_suffix(hash).and_then(|name| name.strip_suffix('-'));
            let Some(pods) = deployment.map(|name| found.entry(name).or_default()) else {
                continue;
            };
            if pods.last() != Some(&index) {
                pods.push(index);
            }
        }
    }
    found
}

fn revision<'a>(pod: &Entry<'a>) -> Option<&'a str> {
    let object: &'a Object = pod.object;
    object.label(TEMPLATE_HASH).or_else(|| object.label(REVISION_HASH))
}

fn newest<'v, 'a>(pods: &[&'v Entry<'a>]) -> Option<&'v Entry<'a>> {
    pods.iter().copied().max_by_key(|pod| (created(pod), revision(pod).map(str::to_owned)))
}

/// When it was made: RFC 3339 in UTC, as servers write it, sorts as text.
fn created(entry: &Entry<'_>) -> String {
    entry.object.text("/metadata/creationTimestamp").unwrap_or_default().to_owned()
}

impl Current<'_, '_> {
    /// What nodes say of the image, once for each pod. The pod must ask for the same image: the
    /// pods of a CronJob may be of an older template.
    pub(super) fn said(&self, place: &Place) -> Vec<Said> {
        let (name, image) = (place.at.container.as_str(), place.image.as_str());
        let pods = self.pods.iter();
        match place.is_volume {
            true => pods.filter_map(|pod| of_volume(pod, name, image)).collect(),
            false => pods.filter_map(|pod| said(pod, name, image)).collect(),
        }
    }

    /// What a user should know of these pods.
    pub(super) fn findings(&self, object: &Object, places: &[Place]) -> Vec<Finding> {
        let mut findings = Vec::new();
        let id = object.id();
        if self.rolling {
            let known = |place: &Place| !self.said(place).is_empty();
            let text = if places.iter().any(known) {
                format!("{id} was rolling out: what its newest pods run was taken")
            } else {
                format!(
                    "{id} was rolling out, and no pod of its newest revision runs: the images of \
                     its template were taken"
                )
            };
            let remedy = "Wait for the rollout and export again.";
            findings
                .push(Finding::new(Code::RolloutInProgress, text).on(id.clone()).remedy(remedy));
        }
        for name in self.containers(["ephemeralContainers"]) {
            let text = format!(
                "container `{name}` was added to a pod of {id} to look into it, and is not exported"
            );
            findings.push(Finding::new(Code::EphemeralContainer, text).on(id.clone()));
        }
        if kinds::is(object, kinds::POD) {
            return findings;
        }
        let own: BTreeSet<&str> = places
            .iter()
            .filter(|place| !place.is_volume)
            .map(|place| place.at.container.as_str())
            .collect();
        let running = self.containers(["containers", "initContainers"]);
        for name in running.difference(&own) {
            let text = format!("container `{name}` is in the pods of {id}, not in its template");
            let remedy = "Set up what injects it in the target cluster.";
            findings
                .push(Finding::new(Code::InjectedContainer, text).on(id.clone()).remedy(remedy));
        }
        findings
    }
}

impl<'a> Current<'_, 'a> {
    /// Names of the containers in these lists of the pods.
    fn containers<const N: usize>(&self, lists: [&'static str; N]) -> BTreeSet<&'a str> {
        let all = self.pods.iter().flat_map(|pod| in_lists(pod, "/spec", lists));
        all.filter_map(|container| container.get("name")?.as_str()).collect()
    }
}

/// What the node says of a container of the pod: its `imageID`, or the digest that admission
/// pinned the image of the template to.
pub(super) fn said(pod: &Entry<'_>, name: &str, image: &str) -> Option<Said> {
    let asked = in_lists(pod, "/spec", ["containers", "initContainers"])
        .find(|container| named(container, name))?
        .get("image")?
        .as_str()?;
    if asked != image {
        return Some(Said { image_id: reference::pinned(asked, image)?, created: created(pod) });
    }
    let mut statuses = in_lists(pod, "/status", ["containerStatuses", "initContainerStatuses"]);
    Said::new(pod, statuses.find(|status| named(status, name))?.get("imageID")?)
}

/// What the node says of a volume of an image, as kubelets from 1.36 on do with each mount.
fn of_volume(pod: &Entry<'_>, name: &str, image: &str) -> Option<Said> {
    let volume = in_lists(pod, "/spec", ["volumes"]).find(|volume| named(volume, name))?;
    if volume.pointer("/image/reference")? != image {
        return None;
    }
    let statuses = in_lists(pod, "/status", ["containerStatuses", "initContainerStatuses"]);
    let mounts = statuses.filter_map(|status| status.get("volumeMounts")?.as_array()).flatten();
    let mut ids = mounts
        .filter(|mount| named(mount, name))
        .filter_map(|mount| mount.pointer("/volumeStatus/image/imageRef"));
    Said::new(pod, ids.next()?)
}

impl Said {
    /// Unless the node does not know yet.
    fn new(pod: &Entry<'_>, id: &Value) -> Option<Self> {
        let id = id.as_str()?;
        let id = id.split_once("://").map_or(id, |(_, id)| id);
        (!id.is_empty()).then(|| Self { image_id: id.to_owned(), created: created(pod) })
    }
}

fn in_lists<'a, const N: usize>(
    pod: &Entry<'a>,
    at: &str,
    lists: [&'static str; N],
) -> impl Iterator<Item = &'a Value> + use<'a, N> {
    let object: &'a Object = pod.object;
    let lists = lists.map(|list| object.at(&format!("{at}/{list}")).and_then(Value::as_array));
    lists.into_iter().flatten().flatten()
}

fn named(item: &Value, name: &str) -> bool {
    item.get("name").is_some_and(|of| of == name)
}
