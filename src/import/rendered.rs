//! What the chart renders, read as objects. Values of Secrets are forgotten on the way, unless they
//! are asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Error;
use crate::app::{Object, ObjectId};
use crate::cluster::{Manifests, Scope, SecretRead, Source as _};

/// The objects of a release.
pub(super) struct Rendered {
    pub(super) objects: Vec<Object>,
}

/// Where containers are below the `spec` of a pod.
pub(super) const CONTAINERS: [&str; 2] = ["containers", "initContainers"];

/// Where pods are in the kinds that helm renders.
pub(super) const PODS: [&str; 3] =
    ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec", "/spec"];

impl Rendered {
    /// Reads what helm printed; the text of its refusal if it did not.
    pub(super) async fn new(
        printed: Result<Vec<u8>, Error>,
        namespace: &str,
    ) -> Result<Self, String> {
        Self::read(printed, Scope::new(Some(namespace.to_owned()))).await
    }

    /// As [`Self::new`], and values of Secrets stay.
    pub(super) async fn with_values(
        printed: Result<Vec<u8>, Error>,
        namespace: &str,
    ) -> Result<Self, String> {
        let scope = Scope::new(Some(namespace.to_owned()));
        Self::read(printed, Scope { secrets: SecretRead::Values, ..scope }).await
    }

    async fn read(printed: Result<Vec<u8>, Error>, scope: Scope) -> Result<Self, String> {
        let yaml = printed.map_err(|error| error.to_string())?;
        let (name, now) = ("the rendered chart", Timestamp::UNIX_EPOCH);
        let read = |error: crate::cluster::Error| error.to_string();
        let manifests = Manifests::from_reader(yaml.as_slice(), name, now).map_err(read)?;
        let snapshot = manifests.snapshot(&scope).await.map_err(read)?;
        Ok(Self { objects: snapshot.objects })
    }

    /// What the objects need and do not bring, with those that need it.
    pub(super) fn needs(&self) -> BTreeMap<ObjectId, Vec<ObjectId>> {
        let mut needs = crate::app::needs(&self.objects);
        for object in &self.objects {
            for name in pull_secrets(object) {
                let (group, kind) = (String::new(), "Secret".to_owned());
                let secret = ObjectId { group, kind, namespace: None, name: name.to_owned() };
                needs.entry(secret).or_default().push(object.id());
            }
        }
        for object in &self.objects {
            needs.remove(&ObjectId { namespace: None, ..object.id() });
        }
        needs
    }

    /// Whether a Secret of this name is among them.
    pub(super) fn makes_secret(&self, name: &str) -> bool {
        let is = |object: &Object| object.group().is_empty() && object.kind() == "Secret";
        self.objects.iter().any(|object| is(object) && object.name() == name)
    }

    /// The images of all containers, each once.
    pub(super) fn images(&self) -> Vec<String> {
        let containers = self.objects.iter().flat_map(|object| {
            let lists = PODS.iter().flat_map(|pod| CONTAINERS.map(|list| format!("{pod}/{list}")));
            lists.filter_map(|list| object.at(&list)?.as_array()).flatten()
        });
        let images = containers.filter_map(|container| container.get("image")?.as_str());
        let mut images: Vec<String> = images.map(str::to_owned).collect();
        images.sort();
        images.dedup();
        images
    }
}

/// Names of the pull secrets of an object's pods.
fn pull_secrets(object: &Object) -> Vec<&str> {
    let pods = PODS.iter().map(|pod| format!("{pod}/imagePullSecrets"));
    let places = pods.chain(std::iter::once("/imagePullSecrets".to_owned()));
    let lists = places.filter_map(|list| object.at(&list)?.as_array());
    let names: Vec<&str> =
        lists.flatten().filter_map(|secret| secret.get("name")?.as_str()).collect();
    names
}
