//! `index.json`: which manifest is called how.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{at, blobs};
use crate::registry::manifest::{OCI_INDEX, nullable};
use crate::registry::{Descriptor, Digest, Error, RepositoryName, Tag};

/// Name of an entry (image-spec, "Pre-Defined Annotation Keys").
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Name that containerd gives to the imported image (containerd, `images.AnnotationImageName`).
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// Largest `index.json` that is read: room for 40,000 tags.
const MAX_INDEX_BYTES: usize = 16 << 20;

/// The file. What we do not know of it is written back as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexFile {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    manifests: Vec<Entry>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// One line of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    descriptor: Descriptor,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Default for IndexFile {
    fn default() -> Self {
        let media_type = Some(OCI_INDEX.to_owned());
        Self { schema_version: 2, media_type, manifests: Vec::new(), rest: Map::new() }
    }
}

impl IndexFile {
    /// # Errors
    /// When the file cannot be read, is too large or is no index.
    pub(super) fn read(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("index.json");
        let file = fs::File::open(&path).map_err(at(&path))?;
        let mut bytes = Vec::new();
        file.take(MAX_INDEX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(at(&path))?;
        if bytes.len() > MAX_INDEX_BYTES {
            let (host, what) = (dir.display().to_string(), "index.json".to_owned());
            return Err(Error::TooLarge { host, what, limit: MAX_INDEX_BYTES });
        }
        serde_json::from_slice(&bytes).map_err(|error| Error::NotALayout {
            path: dir.to_owned(),
            reason: format!("index.json: {error}"),
        })
    }

    /// Replaces the file at once. Entries are sorted, so that the same content gives the same
    /// bytes in whichever order it was written.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, dir: &Path) -> Result<(), Error> {
        let mut sorted = self.clone();
        sorted.manifests.sort_by(|a, b| a.order().cmp(&b.order()));
        let bytes = serde_json::to_vec(&sorted)
            .map_err(|error| at(&dir.join("index.json"))(error.into()))?;
        blobs::replace(dir, "index.json", &bytes)
    }

    /// What the tag of the repository points to: an entry of that full name before one that is
    /// named by the tag alone.
    pub(super) fn find(&self, repository: &RepositoryName, tag: &Tag) -> Option<&Descriptor> {
        let named = |wanted: Option<&str>| {
            self.manifests.iter().find(|entry| entry.name() == Some((wanted, tag.as_str())))
        };
        named(Some(repository.as_str())).or_else(|| named(None)).map(|entry| &entry.descriptor)
    }

    /// The repository's tags, sorted.
    pub(super) fn tags(&self, repository: &RepositoryName) -> Vec<Tag> {
        let names = self.manifests.iter().filter_map(Entry::name);
        let own = names.filter(|(of, _)| of.is_none_or(|of| of == repository.as_str()));
        let mut tags: Vec<Tag> = own.filter_map(|(_, tag)| tag.parse().ok()).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    /// All repositories, sorted.
    pub(super) fn repositories(&self) -> Vec<RepositoryName> {
        let names = self.manifests.iter().filter_map(Entry::name);
        let mut all: Vec<RepositoryName> =
            names.filter_map(|(repository, _)| repository?.parse().ok()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// What all entries point to.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = &Descriptor> {
        self.manifests.iter().map(|entry| &entry.descriptor)
    }

    /// Points a tag to a manifest. What it pointed to before stays, unnamed.
    pub(super) fn tag(&mut self, repository: &RepositoryName, tag: &Tag, to: &Descriptor) {
        let name = (Some(repository.as_str()), tag.as_str());
        let before = self.manifests.iter().position(|entry| entry.name() == Some(name));
        let before = before.map(|at| self.manifests.remove(at).unnamed());
        self.forget_unnamed(std::slice::from_ref(&to.digest));
        self.manifests.push(Entry::named(to, &format!("{repository}:{tag}")));
        before.into_iter().for_each(|old| self.keep(old));
    }

    /// Makes sure that a manifest has an entry.
    pub(super) fn keep(&mut self, manifest: Descriptor) {
        if self.manifests.iter().all(|entry| entry.descriptor.digest != manifest.digest) {
            self.manifests.push(Entry { descriptor: manifest, rest: Map::new() });
        }
    }

    /// Drops unnamed entries: something else leads to these manifests now.
    pub(super) fn forget_unnamed(&mut self, digests: &[Digest]) {
        self.manifests
            .retain(|entry| entry.name().is_some() || !digests.contains(&entry.descriptor.digest));
    }

    /// Which of the unnamed entries are among `digests`.
    pub(super) fn unnamed<'a>(&'a self, digests: &'a [Digest]) -> impl Iterator<Item = &'a Digest> {
        let unnamed = self.manifests.iter().filter(|entry| entry.name().is_none());
        unnamed.map(|entry| &entry.descriptor.digest).filter(|digest| digests.contains(digest))
    }
}

impl Entry {
    fn named(descriptor: &Descriptor, name: &str) -> Self {
        let mut descriptor = descriptor.clone();
        for key in [REF_NAME, CONTAINERD_NAME] {
            descriptor.annotations.insert(key.to_owned(), name.to_owned());
        }
        Self { descriptor, rest: Map::new() }
    }

    fn unnamed(mut self) -> Descriptor {
        self.descriptor.annotations.retain(|key, _| key != REF_NAME && key != CONTAINERD_NAME);
        self.descriptor
    }

    /// Repository, unless it belongs to all, and tag. A name of another kind (with a host and its
    /// port) counts by its tag alone.
    fn name(&self) -> Option<(Option<&str>, &str)> {
        let annotations = &self.descriptor.annotations;
        let full = |name: &'_ &String| name.contains(':');
        let name = annotations
            .get(REF_NAME)
            .filter(full)
            .or_else(|| annotations.get(CONTAINERD_NAME).filter(full))
            .or_else(|| annotations.get(REF_NAME))?;
        match name.rsplit_once(':') {
            Some((repository, tag)) if repository.parse::<RepositoryName>().is_ok() => {
                Some((Some(repository), tag))
            }
            Some((_, tag)) => Some((None, tag)),
            None => Some((None, name)),
        }
    }

    fn order(&self) -> (Option<&String>, &Digest) {
        (self.descriptor.annotations.get(REF_NAME), &self.descriptor.digest)
    }
}
