//! The Secrets that an application uses, and which of their keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::makers::{Made, makers};
use super::refs::Reference;
use super::{Code, Finding, Index, SecretUse, Walk};
use crate::app::helm::SecretShape;
use crate::app::normalize::{Context, normalise};
use crate::app::secret::REDACTED;
use crate::app::view::View;
use crate::app::{FoundBy, Object, ObjectId, Origin, Requirement, kinds};

/// Annotation of a token that its controller writes.
const ACCOUNT_UID: &str = "kubernetes.io/service-account.uid";

/// Annotations of pull secrets that a controller of OpenShift makes for every account.
const OF_ACCOUNTS: [&str; 2] = [
    "kubernetes.io/service-account.name",
    "openshift.io/internal-registry-auth-token.service-account",
];

impl<'v> Walk<'v, '_> {
    /// `labelled`: Secrets that the selection itself names.
    pub(super) fn secrets(&mut self, labelled: &[Index]) -> Vec<SecretUse> {
        let pull = self.pull_secrets();
        for index in labelled.iter().copied() {
            let entry = &self.view.entries[index];
            if !entry.excluded && kinds::is_pull_secret(entry.object) {
                self.pull_secret(index);
                continue;
            }
            if entry.object.label(kinds::EPINIO_AREA).is_some() {
                if !self.secret_refs.contains_key(&entry.id.name) && !entry.excluded {
                    self.findings.push(super::roots::epinio_skipped(&entry.id));
                }
                continue;
            }
            let wanted =
                !kinds::is_cluster_secret(entry.object) && !pull.contains(entry.object.name());
            if wanted || entry.excluded {
                self.secret_refs.entry(entry.id.name.clone()).or_default();
            }
        }
        if !self.view.secrets_read {
            for (name, _) in self.recorded.iter().filter(|(_, shape)| !is_pull_shape(shape)) {
                self.secret_refs.entry((*name).to_owned()).or_default();
            }
        }
        let mut made = self.take_makers();
        let refs = std::mem::take(&mut self.secret_refs);
        let used = refs.into_iter();
        let used = used.filter_map(|(name, refs)| self.secret(made.remove(&name), name, &refs));
        let used = used.collect();
        self.sealed_secrets();
        used
    }

    /// Credentials of a registry are exported only where a container or volume refers to them.
    fn pull_secret(&mut self, index: Index) {
        let entry = &self.view.entries[index];
        let made = self.view.top(index) != Some(index)
            || OF_ACCOUNTS.iter().any(|key| entry.object.annotation(key).is_some());
        if made || self.secret_refs.contains_key(&entry.id.name) {
            return;
        }
        let id = self.id(index);
        let text = format!("{id} holds credentials of a registry, and is not exported");
        let remedy = "Give pull secrets for the new registry in `imagePullSecrets`.";
        self.findings.push(Finding::new(Code::PullSecretDropped, text).on(id).remedy(remedy));
    }

    /// What makes Secrets becomes a member, and what that refers to: a Certificate names an Issuer,
    /// that the Secret of its authority, and that one another Certificate makes. Secrets that were
    /// left out on request are not in the answer.
    fn take_makers(&mut self) -> BTreeMap<String, Made> {
        let makers = makers(self.view);
        let (mut made, mut asked) = (BTreeMap::new(), BTreeSet::new());
        loop {
            let names = self.secret_refs.keys().filter(|name| !asked.contains(*name));
            let new: Vec<String> = names.cloned().collect();
            if new.is_empty() {
                return made;
            }
            for name in new {
                if !self.is_left_out(&name) {
                    made.insert(name.clone(), self.made(&makers, &name));
                }
                asked.insert(name);
            }
            self.follow_members();
        }
    }

    fn is_left_out(&self, name: &str) -> bool {
        self.view.named(kinds::SECRET, name).map_or_else(
            || self.view.exclusions.names(kinds::SECRET, name),
            |index| self.view.entries[index].excluded,
        )
    }

    /// `made`: what makes it; `None` where it was left out on request.
    fn secret(
        &mut self,
        made: Option<Made>,
        name: String,
        refs: &[(Index, Reference)],
    ) -> Option<SecretUse> {
        let found = self.view.named(kinds::SECRET, &name);
        let optional = !refs.is_empty() && refs.iter().all(|(_, reference)| reference.optional);
        let made_by = match made {
            None => {
                self.excluded_secret(name, refs);
                return None;
            }
            Some(Made::Again) => return None,
            Some(Made::Required(reason)) => Some(reason),
            Some(Made::ByHand) => None,
        };
        let needing = refs.iter().find(|(_, reference)| reference.needed);
        if let (None, Some((from, reference)), true) = (found, needing, self.view.secrets_read) {
            self.missing(self.id(*from), reference);
        }
        let object = found.map(|index| self.view.entries[index].object);
        // An export wrote what references told it: they tell the same again.
        let told = !refs.is_empty() && self.view.installed.is_some();
        let recorded = self.recorded.get(name.as_str()).copied().filter(|_| !told);
        let is_token = object.and_then(|of| of.text("/type")) == Some(kinds::SERVICE_ACCOUNT_TOKEN);
        let (keys, complete) =
            if is_token { (Vec::new(), true) } else { keys(object, recorded, refs) };
        if !complete {
            self.unknown_keys(&name);
        }
        let users: BTreeSet<_> = refs.iter().map(|(from, _)| self.id(*from)).collect();
        let written = object.map(|object| written(object, self.view));
        let texts = |field: &str| {
            let map = written.as_ref().and_then(|of| of.at("/metadata")?.get(field)?.as_object());
            let texts =
                map.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), v.as_str()?)));
            let texts = texts.filter(|(key, text)| *text != REDACTED && key != ACCOUNT_UID);
            texts.map(|(k, v)| (k, v.to_owned())).collect()
        };
        Some(SecretUse {
            secret_type: self.secret_type(object, recorded, refs),
            immutable: object.is_some_and(|of| of.at("/immutable") == Some(&Value::Bool(true))),
            labels: texts("labels"),
            annotations: texts("annotations"),
            name,
            keys,
            complete,
            optional,
            made_by,
            used_by: users.into_iter().collect(),
        })
    }

    fn unknown_keys(&mut self, name: &str) {
        let text =
            format!("Secret {name} is used as a whole, and was not read: its keys are not known");
        let remedy = "Allow reading Secrets, or fill in the keys where the chart is installed.";
        self.findings.push(Finding::new(Code::SecretKeysUnknown, text).on(id(name)).remedy(remedy));
    }

    /// A Secret that was left out on request, be it read or not.
    fn excluded_secret(&mut self, name: String, refs: &[(Index, Reference)]) {
        let object = id(&name);
        self.left_out(object.clone());
        for (from, _) in refs {
            let reason = format!("{} refers to it; left out on request", self.id(*from));
            self.requirements.insert(Requirement { object: object.clone(), reason });
        }
        self.excluded_secrets.push(name);
    }

    /// Whoever chose objects by hand should know that Secrets were not among the objects.
    pub(super) fn unread_secrets(&mut self, found_by: &FoundBy) {
        let by_hand = matches!(found_by, FoundBy::Selector(_) | FoundBy::Namespace);
        let live = matches!(self.view.snapshot.origin, Origin::Cluster { .. });
        if by_hand && live && !self.view.secrets_read {
            let text = "no Secret was read: Secrets that nothing refers to are not known, and are \
                        not exported";
            let remedy = "Create them where the chart is installed, if something needs them.";
            self.findings.push(Finding::new(Code::SecretKeysUnknown, text).remedy(remedy));
        }
    }

    /// The type, as it was read, else as an Ingress wants it of its certificates: a Secret's type
    /// never changes, so a wrong one could not be put right later.
    fn secret_type(
        &self,
        object: Option<&Object>,
        recorded: Option<&SecretShape>,
        refs: &[(Index, Reference)],
    ) -> Option<String> {
        let Some(object) = object else {
            if let Some(secret_type) = recorded.and_then(|shape| shape.secret_type.clone()) {
                return Some(secret_type);
            }
            let certificate = refs.iter().any(|(from, reference)| {
                self.view.entries[*from].is(kinds::INGRESS)
                    && reference.field.starts_with("spec.tls[")
            });
            return certificate.then(|| "kubernetes.io/tls".to_owned());
        };
        object.text("/type").map(str::to_owned)
    }

    /// Names of pull secrets of the application's pods and accounts.
    fn pull_secrets(&self) -> BTreeSet<&'v str> {
        let view = self.view;
        let ours = self.workloads.all.iter().filter(|workload| workload.ours);
        let of_pods = ours.map(|w| view.entries[w.index].template_at("spec/imagePullSecrets"));
        let accounts = view.of_kind(kinds::SERVICE_ACCOUNT);
        let of_accounts = accounts.map(|(_, account)| account.object.at("/imagePullSecrets"));
        let lists = of_pods.chain(of_accounts).flatten().filter_map(Value::as_array).flatten();
        lists.filter_map(|secret| secret.get("name")?.as_str()).collect()
    }
}

/// The Secret without what servers and controllers wrote.
fn written(secret: &Object, view: &View<'_>) -> Object {
    let installed = view.installed.as_ref();
    normalise(secret, Context { installed, ..Context::of(&view.snapshot.namespace) }).object
}

/// Keys of a Secret, and whether they are all: as it was read, else as references name them.
fn keys(
    object: Option<&Object>,
    recorded: Option<&SecretShape>,
    refs: &[(Index, Reference)],
) -> (Vec<String>, bool) {
    if let Some(secret) = object {
        let data = secret.at("/data").and_then(Value::as_object);
        let keys: BTreeSet<String> =
            data.into_iter().flat_map(|data| data.keys().cloned()).collect();
        return (keys.into_iter().collect(), true);
    }
    let named = refs.iter().filter_map(|(_, reference)| reference.keys.as_ref()).flatten();
    let of_record = recorded.into_iter().flat_map(|shape| &shape.keys);
    let keys: BTreeSet<String> = named.chain(of_record).cloned().collect();
    let complete = recorded.is_some() || refs.iter().all(|(_, reference)| reference.keys.is_some());
    (keys.into_iter().collect(), complete)
}

fn is_pull_shape(shape: &SecretShape) -> bool {
    shape.secret_type.as_deref().is_some_and(kinds::is_pull_secret_type)
}

fn id(name: &str) -> ObjectId {
    let (group, kind) = kinds::SECRET;
    ObjectId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}
