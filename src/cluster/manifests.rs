//! Manifests as a source: a file, a directory, a stream, or a snapshot that was saved.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Read;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::document::{self, Document, Located, malformed};
use super::files::{self, FileDocument, STDIN, Text};
use super::{Error, Records, Scope, SecretObject, SecretRead, SecretReader, Source};
use crate::app::helm::{self, Lookup};
use crate::app::snapshot::Plaintext;
use crate::app::{Object, Origin, Snapshot};

/// Objects that were read from files. Values of Secrets among them cannot be printed.
pub struct Manifests {
    /// What messages call it.
    name: String,
    taken_at: Timestamp,
    contents: Contents,
}

enum Contents {
    /// Objects, each with the file and the line where it stands.
    Objects(Vec<Placed>),
    /// A snapshot, as it was when it was saved.
    Saved(Box<Snapshot>),
}

struct Placed {
    file: String,
    located: Located,
}

/// Namespace of objects that name none, if the user does not, either: kubectl's.
const DEFAULT_NAMESPACE: &str = "default";

/// Groups of which we know which kinds have a namespace.
const KNOWN_GROUPS: [&str; 8] = [
    "",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
];

/// The kinds of these groups that have none.
const CLUSTER_SCOPED: [&str; 11] = [
    "CSIDriver",
    "CSINode",
    "ClusterRole",
    "ClusterRoleBinding",
    "IPAddress",
    "IngressClass",
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
    "VolumeAttachment",
];

impl Manifests {
    /// Reads a file, a directory with all folders below it, or standard input (`-`). Blocks.
    ///
    /// `taken_at` is the time of the reading; a saved snapshot keeps its own.
    ///
    /// # Errors
    /// When a file cannot be read, does not parse (with its line), holds something that is no
    /// object, or is too large.
    pub fn from_path(path: &Path, taken_at: Timestamp) -> Result<Self, Error> {
        if path == Path::new("-") {
            return Self::from_reader(files::standard_input()?, STDIN, taken_at);
        }
        Self::from_texts(path.display().to_string(), files::read(path)?, taken_at)
    }

    /// Reads a stream, which messages call `name`. Blocks.
    ///
    /// # Errors
    /// As [`Manifests::from_path`].
    pub fn from_reader(stream: impl Read, name: &str, taken_at: Timestamp) -> Result<Self, Error> {
        let text = files::read_stream(name, stream)?;
        Self::from_texts(name.to_owned(), vec![text], taken_at)
    }

    /// Objects of documents that were read by [`super::placed`]; messages call them all `name`.
    ///
    /// # Errors
    /// [`Error::Malformed`] where one is no object.
    pub fn from_documents(
        name: String,
        documents: Vec<FileDocument>,
        taken_at: Timestamp,
    ) -> Result<Self, Error> {
        let mut objects = Vec::new();
        for FileDocument { file, line, value } in documents {
            let located = document::objects(&file, Document { value, line })?.into_iter();
            objects.extend(located.map(|located| Placed { file: file.clone(), located }));
        }
        Ok(Self { name, taken_at, contents: Contents::Objects(objects) })
    }

    fn from_texts(name: String, texts: Vec<Text>, taken_at: Timestamp) -> Result<Self, Error> {
        let single = texts.len() == 1;
        let mut objects = Vec::new();
        for Text { name: file, text } in texts {
            let mut documents = document::parse(&file, &text)?;
            if single && documents.len() == 1 && is_snapshot(&documents[0]) {
                let saved = saved(&file, documents.remove(0))?;
                return Ok(Self { name, taken_at, contents: Contents::Saved(Box::new(saved)) });
            }
            for document in documents {
                let located = document::objects(&file, document)?.into_iter();
                objects.extend(located.map(|located| Placed { file: file.clone(), located }));
            }
        }
        Ok(Self { name, taken_at, contents: Contents::Objects(objects) })
    }

    fn objects(&self) -> impl Iterator<Item = &Object> {
        let objects = match &self.contents {
            Contents::Objects(objects) => objects.as_slice(),
            Contents::Saved(_) => &[],
        };
        objects.iter().map(|placed| &placed.located.object)
    }

    /// The namespace that all objects are of which name one.
    fn only_namespace(&self) -> Result<String, Error> {
        let named: BTreeSet<&str> = self.objects().filter_map(Object::namespace).collect();
        let created = self.objects().filter(|o| o.kind() == "Namespace" && o.group().is_empty());
        let created: BTreeSet<&str> = created.map(Object::name).collect();
        let found = if named.is_empty() { created } else { named };
        let mut names = found.iter();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok((*only).to_owned()),
            (None, _) => Ok(DEFAULT_NAMESPACE.to_owned()),
            _ => {
                Err(Error::ManyNamespaces { found: found.into_iter().map(str::to_owned).collect() })
            }
        }
    }

    fn snapshot_of(&self, objects: &[Placed], scope: &Scope) -> Result<Snapshot, Error> {
        let namespace = match &scope.namespace {
            Some(namespace) => namespace.clone(),
            None => self.only_namespace()?,
        };
        let plaintext = match scope.secrets {
            SecretRead::Values => Plaintext::Keep,
            SecretRead::Nothing | SecretRead::Keys => Plaintext::Drop,
        };
        let mut snapshot = Snapshot::new(self.taken_at, Origin::Manifests, namespace);
        let records = records(objects, &snapshot.namespace);
        match &scope.releases {
            Records::None => {}
            Records::Of(name) => snapshot.release = Lookup::among(records.into_iter(), name),
            Records::All => {
                let names = records.iter().filter_map(|record| record.label("name"));
                for name in names.collect::<BTreeSet<&str>>() {
                    let found = Lookup::among(records.iter().copied(), name);
                    snapshot.releases.add(name.to_owned(), found);
                }
            }
        }
        for Placed { file, located } in objects {
            let mut object = located.object.clone();
            settle(&mut object, &snapshot.namespace);
            snapshot
                .push(object, plaintext)
                .map_err(|error| malformed(file, located.line, 0, &error.to_string()))?;
        }
        Ok(snapshot)
    }

    fn saved_snapshot(&self, saved: &Snapshot, scope: &Scope) -> Result<Snapshot, Error> {
        match &scope.namespace {
            Some(wanted) if *wanted != saved.namespace => Err(Error::NamespaceMissing {
                namespace: wanted.clone(),
                place: format!("{}, a snapshot of namespace `{}`", self.name, saved.namespace),
            }),
            _ => Ok(saved.clone()),
        }
    }
}

#[async_trait]
impl Source for Manifests {
    async fn snapshot(&self, scope: &Scope) -> Result<Snapshot, Error> {
        match &self.contents {
            Contents::Objects(objects) => self.snapshot_of(objects, scope),
            Contents::Saved(saved) => self.saved_snapshot(saved, scope),
        }
    }
}

#[async_trait]
impl SecretReader for Manifests {
    /// Whether an object is of this namespace, or is this namespace. Where no object names any, all of
    /// them may be of this one.
    async fn has_namespace(&self, name: &str) -> Result<bool, Error> {
        let mut named = self.objects().filter(|of| of.namespace().is_some()).peekable();
        let is_open = named.peek().is_none();
        let is_it = |of: &Object| of.kind() == "Namespace" && of.name() == name;
        Ok(is_open || named.any(|of| of.namespace() == Some(name)) || self.objects().any(is_it))
    }

    /// Secrets that name no namespace are of every one.
    async fn labelled_secrets(
        &self,
        namespace: &str,
        label: &str,
    ) -> Result<Vec<SecretObject>, Error> {
        let secrets = self.objects().filter(|o| is_secret_of(o, namespace));
        let labelled = secrets.filter(|object| object.label(label) == Some("true"));
        let by_name: BTreeMap<_, _> = labelled.map(|object| (object.name(), object)).collect();
        Ok(by_name.into_values().map(SecretObject::new).collect())
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<SecretObject>, Error> {
        let mut secrets = self.objects().filter(|o| is_secret_of(o, namespace));
        Ok(secrets.find(|object| object.name() == name).map(SecretObject::new))
    }
}

/// Helm's records among the objects.
fn records<'a>(objects: &'a [Placed], namespace: &str) -> Vec<&'a Object> {
    let here = |of: &&Object| of.namespace().is_none_or(|own| own == namespace);
    let objects = objects.iter().map(|placed| &placed.located.object);
    objects.filter(|of| helm::is_record(of)).filter(here).collect()
}

fn is_secret_of(object: &Object, namespace: &str) -> bool {
    let is_secret = object.kind() == "Secret" && object.group().is_empty();
    is_secret && object.namespace().is_none_or(|own| own == namespace)
}

/// A saved snapshot has a format where objects have a kind.
fn is_snapshot(document: &Document) -> bool {
    let field = |key: &str| document.value.get(key);
    field("kind").is_none()
        && field("format").is_some_and(Value::is_u64)
        && field("objects").is_some()
}

fn saved(file: &str, document: Document) -> Result<Snapshot, Error> {
    let snapshot = |source| Error::Snapshot { place: file.to_owned(), source };
    // Through its own door, which checks the format and redacts whatever was put in since.
    let json = document.value.to_string();
    drop(document);
    Snapshot::from_json(json.as_bytes()).map_err(snapshot)
}

/// Fills in the namespace of an object that names none, if its kind is known to have one.
fn settle(object: &mut Object, namespace: &str) {
    let has_one =
        KNOWN_GROUPS.contains(&object.group()) && !CLUSTER_SCOPED.contains(&object.kind());
    if has_one
        && object.namespace().is_none_or(str::is_empty)
        && let Some(Value::Object(metadata)) = object.fields_mut().get_mut("metadata")
    {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
}

impl fmt::Debug for Manifests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.objects().count();
        f.debug_struct("Manifests").field("name", &self.name).field("objects", &objects).finish()
    }
}

#[cfg(test)]
#[path = "manifests_tests.rs"]
mod tests;
