//! The application: what [`super::assemble()`] makes of a snapshot and what a chart is made of.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Finding, FoundBy, ImagePattern, Object, ObjectId, kinds};

/// An application: the objects and images that are exported together.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// Its name.
    pub name: String,
    /// The namespace it was read from.
    pub namespace: String,
    /// How the name was resolved.
    pub found_by: FoundBy,
    /// Its objects, normalised, in canonical order (kind as Helm installs, then name). Objects of
    /// the application's namespace carry no `metadata.namespace`. Secrets are not among them.
    pub objects: Vec<Object>,
    /// Definitions of its custom resources, in order of name, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<Object>,
    /// Its images, one entry for each distinct reference, in order of key.
    pub images: Vec<ImageUse>,
    /// The Secrets that it uses, in order of name; pull secrets are not among them unless a
    /// container or volume uses them as well.
    pub secrets: Vec<SecretUse>,
    /// Pull secrets that pods and service accounts named. They are dropped from `objects`, but where
    /// images stay.
    pub pull_secrets: Vec<String>,
    /// What a target cluster must have.
    pub requirements: Vec<Requirement>,
    /// What a user should know.
    pub findings: Vec<Finding>,
    /// Where the chart writes the release's namespace in place of the application's
    /// ([`Options::rewrite_namespace`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<NamespacePlace>,
}

/// What to leave out or change while assembling.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// Objects to leave out, as `(kind, name)`, compared without case. Kinds may also be written in
    /// the plural or short, as kubectl takes them (`deploy`, `svc`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<(String, String)>,
    /// Bring the definitions of custom resources along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_crds: bool,
    /// What becomes of Jobs that nothing owns.
    #[serde(default)]
    pub jobs: JobsPolicy,
    /// Whether the chart writes the release's namespace where users' text has an address in the
    /// application's.
    #[serde(default)]
    pub rewrite_namespace: bool,
    /// Images that are not exported: the chart refers to them where they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep_images: Vec<ImagePattern>,
}

/// What an export does with Jobs that nothing owns: they run once, and a chart that installs them
/// runs them again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobsPolicy {
    /// Leave them out, with a finding.
    #[default]
    Skip,
    /// Let the chart run them after each install and upgrade.
    Hook,
}

/// What stands for the release's namespace in the values of a chart. Templates replace it, and
/// nothing else: values are not templates.
pub const NAMESPACE_PLACEHOLDER: &str = "{{.Release.Namespace}}";

/// Text of an object in which the application's namespace is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamespacePlace {
    /// The object in [`App::objects`].
    pub object: ObjectId,
    /// JSON pointer to the text within that object.
    pub pointer: String,
    /// Where the name begins in the text, in bytes, in order.
    pub offsets: Vec<usize>,
}

/// One image reference as written in the objects, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageUse {
    /// Key in `values.yaml` and name in tags: the last segment of the repository, made unique by
    /// what stands before it. Derived from the reference alone, without tag and digest if possible.
    pub key: String,
    /// The reference as written.
    pub image: String,
    /// Where it is read, if that is not where the reference says: the release of an export pulls it
    /// from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The containers that use it.
    pub uses: Vec<ContainerRef>,
    /// What runs, as the pods of the current revision say; empty where no pod runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub running: Vec<Running>,
    /// Whether it stays where it is: [`Options::keep_images`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

impl ImageUse {
    /// The reference under which it is read.
    pub fn read_as(&self) -> &str {
        self.at.as_deref().unwrap_or(&self.image)
    }
}

/// One container of one object, or another place in it that names an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ContainerRef {
    /// The object in [`App::objects`].
    pub object: ObjectId,
    /// JSON pointer within that object: to the container, or to the field with the reference of a
    /// volume or a custom resource. Empty where no field names the image: an operator runs it for
    /// the object.
    pub pointer: String,
    /// Name of the container or volume, or the dotted path of the custom resource's field.
    pub container: String,
}

/// What the nodes say of an image: `status.containerStatuses[]` of the pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// `imageID` without its scheme: `repository@sha256:…`, or a bare `sha256:…`.
    pub image_id: String,
    /// How many containers say so.
    pub pods: usize,
    /// When the newest pod that says so was made, as the API server writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

/// A Secret that the application uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretUse {
    /// Its name.
    pub name: String,
    /// Its type, where it could be read or follows from what uses it.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub secret_type: Option<String>,
    /// Its keys: all of them where it could be read, else those that references name.
    pub keys: Vec<String>,
    /// Whether `keys` is known to be complete.
    pub complete: bool,
    /// Whether every reference to it is marked optional.
    pub optional: bool,
    /// Whether its data cannot be changed; known where it could be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub immutable: bool,
    /// Labels that a person set, where it could be read: things are found by them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations that a person set, where it could be read; none that quote a value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What made it where it ran and does not go along, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    /// Who refers to it.
    pub used_by: Vec<ObjectId>,
}

impl SecretUse {
    /// Whether a controller fills it, so that it has no values to export: a token of an account.
    pub fn is_filled(&self) -> bool {
        self.secret_type.as_deref() == Some(kinds::SERVICE_ACCOUNT_TOKEN)
    }
}

/// Something that must exist where the chart is installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// The object.
    pub object: ObjectId,
    /// Who needs it and why it is not in the chart, in a sentence.
    pub reason: String,
}
