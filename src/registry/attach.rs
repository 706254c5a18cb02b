//! Small artefacts of our own (image-spec, "Guidelines for Artifact Usage"): attached to a manifest
//! as a referrer, and in the fallback tag of registries that list no referrers by themselves; or
//! under a tag.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::blob::InMemory;
use super::manifest::{OCI_INDEX, OCI_MANIFEST};
use super::referrers::fallback_tag;
use super::{Descriptor, Digest, Error, Manifest, RepositoryName, Revision, Store, Tag};

/// Media type of the configuration that says nothing, and its only content (image-spec, "Guidance
/// for an Empty Descriptor").
const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// Pushes `content` as an artefact that refers to the manifest `subject`, which must be there. The
/// answer is the artefact's digest.
///
/// # Errors
/// When the store refuses one of the parts. What was pushed until then refers to nothing.
pub async fn attach(
    store: &dyn Store,
    repository: &RepositoryName,
    subject: &Descriptor,
    artifact_type: &str,
    annotations: &BTreeMap<String, String>,
    content: &[u8],
) -> Result<Digest, Error> {
    let mut manifest = artefact(store, repository, artifact_type, content).await?;
    manifest["subject"] = json!(subject);
    manifest["annotations"] = json!(annotations);
    let manifest = Manifest::new(OCI_MANIFEST, manifest.to_string());
    let revision = Revision::Digest(manifest.digest.clone());
    store.put_manifest(repository, &revision, &manifest).await?;
    let listed = store.referrers(repository, &subject.digest).await?;
    if listed.iter().all(|referrer| referrer.digest != manifest.digest) {
        let mut entry = manifest.descriptor();
        entry.artifact_type = Some(artifact_type.to_owned());
        entry.annotations.clone_from(annotations);
        let tag = Revision::Tag(fallback_tag(&subject.digest));
        let existing = store.manifest(repository, &tag).await?;
        let list = extended(existing.as_ref(), &[&entry]);
        store.put_manifest(repository, &tag, &list).await?;
    }
    Ok(manifest.digest)
}

/// Pushes `content` as an artefact under a tag. The answer is the artefact's digest.
///
/// # Errors
/// When the store refuses one of the parts.
pub async fn put(
    store: &dyn Store,
    repository: &RepositoryName,
    tag: Tag,
    artifact_type: &str,
    content: &[u8],
) -> Result<Digest, Error> {
    let manifest = artefact(store, repository, artifact_type, content).await?;
    let manifest = Manifest::new(OCI_MANIFEST, manifest.to_string());
    store.put_manifest(repository, &Revision::Tag(tag), &manifest).await?;
    Ok(manifest.digest)
}

/// Pushes `content` and gives the manifest of an artefact that has it as its one layer.
async fn artefact(
    store: &dyn Store,
    repository: &RepositoryName,
    artifact_type: &str,
    content: &[u8],
) -> Result<Value, Error> {
    let config = push(store, repository, EMPTY.0, EMPTY.1).await?;
    let layer = push(store, repository, artifact_type, content).await?;
    Ok(json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": config,
        "layers": [layer],
    }))
}

/// The manifest of an artefact of which the annotations are all that it says.
pub(super) fn plain(artifact_type: &str, annotations: &BTreeMap<String, String>) -> Manifest {
    let empty = Descriptor::new(EMPTY.0, Digest::of(EMPTY.1), EMPTY.1.len() as u64);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": empty,
        "layers": [empty],
        "annotations": annotations,
    });
    Manifest::new(OCI_MANIFEST, manifest.to_string())
}

/// Pushes the blob that such a manifest refers to.
///
/// # Errors
/// When the store refuses it.
pub(super) async fn push_empty(
    store: &dyn Store,
    repository: &RepositoryName,
) -> Result<(), Error> {
    push(store, repository, EMPTY.0, EMPTY.1).await.map(drop)
}

/// Puts an artefact under a tag, of which the annotations are all that it says. Where it is there
/// already, nothing is pushed.
///
/// # Errors
/// When the store refuses one of the parts.
pub async fn mark(
    store: &dyn Store,
    repository: &RepositoryName,
    tag: Tag,
    artifact_type: &str,
    annotations: &BTreeMap<String, String>,
) -> Result<(), Error> {
    let manifest = plain(artifact_type, annotations);
    let tag = Revision::Tag(tag);
    if store.manifest_digest(repository, &tag).await? == Some(manifest.digest.clone()) {
        return Ok(());
    }
    push_empty(store, repository).await?;
    store.put_manifest(repository, &tag, &manifest).await
}

async fn push(
    store: &dyn Store,
    repository: &RepositoryName,
    media_type: &str,
    content: &[u8],
) -> Result<Descriptor, Error> {
    let blob = Descriptor::new(media_type, Digest::of(content), content.len() as u64);
    if !store.has_blob(repository, &blob).await? {
        let source = InMemory(Bytes::copy_from_slice(content));
        store.push_blob(repository, &blob, None, &source).await?;
    }
    Ok(blob)
}

/// The list in the fallback tag with more entries; a new one if there is none.
pub(super) fn extended(existing: Option<&Manifest>, missing: &[&Descriptor]) -> Manifest {
    let parsed = existing.and_then(|list| serde_json::from_slice::<Value>(&list.bytes).ok());
    let mut list = parsed
        .filter(|list| list["manifests"].is_array())
        .unwrap_or_else(|| json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }));
    if let Some(entries) = list["manifests"].as_array_mut() {
        entries.extend(missing.iter().map(|referrer| json!(referrer)));
    }
    Manifest::new(OCI_INDEX, list.to_string())
}
