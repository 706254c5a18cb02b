//! Which digest of each image is exported: what runs, as far as it can be known.
//!
//! A kubelet reports *a* repository digest that the node knows for the content, not the one that
//! the pod was started with: another repository, or an index where a manifest was asked for. So a
//! reported digest identifies content, by the digest of the image's configuration, and is
//! compared with what the reference points to now.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use crate::app::{App, Code, ContainerRef, Finding, ImageUse};
use crate::registry::copy;
use crate::registry::manifest::PlatformFields;
use crate::registry::{Digest, Located, Manifest, Platform, Reference, Revision, Store};

use super::{Error, Sources};

/// Children of an index that are read to compare contents. Official images have about 20, with
/// attestations; an index of more is compared by digest only.
const MAX_COMPARED_CHILDREN: usize = 32;

/// Images looked up at once: enough to hide the way to the registry, few enough to stay far below
/// the requests that a host is sent at once.
const MAX_AT_ONCE: usize = 8;

/// An image with the digest that is exported.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedImage {
    /// Key in `values.yaml`.
    pub key: String,
    /// The reference as the objects write it.
    pub written: String,
    /// Where it is read: the reference with the digest of the source's root.
    pub source: Reference,
    /// Digest that the destination will have: the source's unless platforms are selected.
    pub digest: Digest,
    /// Whether `digest` is an index made from a part of the source's.
    pub subset: bool,
    /// `os/arch[/variant]` of the index's children; empty for a single manifest.
    pub platforms: Vec<String>,
    /// Digests of the index's children.
    pub children: Vec<Digest>,
    /// The containers that use it.
    pub uses: Vec<ContainerRef>,
}

/// One image at its source.
struct Found {
    reference: Reference,
    manifest: Manifest,
}

/// Finds the digest of every image of the application.
///
/// # Errors
/// When an image cannot be read anywhere, or a registry cannot be reached.
pub async fn resolve_images(
    app: &App,
    sources: &Sources,
    platforms: &[Platform],
) -> Result<(Vec<ResolvedImage>, Vec<Finding>), Error> {
    let each = app.images.iter().map(|image| async move {
        let mut findings = Vec::new();
        let found = find(image, sources, &mut findings).await?;
        let image = resolved(image, found, sources, platforms, &mut findings).await?;
        Ok::<_, Error>((image, findings))
    });
    let all: Vec<_> = stream::iter(each).buffered(MAX_AT_ONCE).try_collect().await?;
    let (images, findings): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    Ok((images, findings.into_iter().flatten().collect()))
}

async fn resolved(
    image: &ImageUse,
    found: Found,
    sources: &Sources,
    platforms: &[Platform],
    findings: &mut Vec<Finding>,
) -> Result<ResolvedImage, Error> {
    let mut source = found.reference;
    source.digest = Some(found.manifest.digest.clone());
    let from = Located {
        store: open(&image.image, &source, sources)?,
        repository: source.repository.clone(),
    };
    let (root, subset) = copy::root(&from, found.manifest, platforms)
        .await
        .map_err(|source| Error::Copy { image: image.image.clone(), source })?;
    if subset {
        let text = format!("`{}` was cut down to the platforms asked for", image.image);
        findings.push(Finding::new(Code::PlatformSubset, text));
    }
    let children = root.links().map_err(|error| read(&image.image, error))?.manifests;
    Ok(ResolvedImage {
        key: image.key.clone(),
        written: image.image.clone(),
        source,
        digest: root.digest,
        subset,
        platforms: children
            .iter()
            .filter_map(|child| child.platform.as_ref())
            .filter_map(name)
            .collect(),
        children: children.into_iter().map(|child| child.digest).collect(),
        uses: image.uses.clone(),
    })
}

/// `os/arch[/variant]`; attestations have the platform `unknown/unknown`.
fn name(platform: &PlatformFields) -> Option<String> {
    let PlatformFields { os, architecture, variant, .. } = platform;
    let variant = variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    (os != "unknown").then(|| format!("{os}/{architecture}{variant}"))
}

async fn find(
    image: &ImageUse,
    sources: &Sources,
    findings: &mut Vec<Finding>,
) -> Result<Found, Error> {
    let reference: Reference = image.image.parse()?;
    let store = open(&image.image, &reference, sources)?;
    let tagged = store
        .manifest(&reference.repository, &reference.revision())
        .await
        .map_err(|error| read(&image.image, error))?;
    let running = match (&reference.digest, most_run(image, findings)) {
        (None, Some(id)) => id,
        // A digest in the reference is what runs, whatever the node reports.
        _ => return found(image, reference, tagged),
    };
    let id = RunningId::parse(&running);
    if let Some(manifest) = &tagged {
        let content = same_content(manifest, &store, &reference, &id, sources).await;
        match content.map_err(|error| read(&image.image, error))? {
            Content::Same => return found(image, reference, tagged),
            Content::SameElsewhere(elsewhere) => {
                let text = format!("the node reports `{}` as `{elsewhere}`", image.image);
                findings.push(Finding::new(Code::ImageReportedElsewhere, text));
                return found(image, reference, tagged);
            }
            Content::Different => {}
        }
    }
    drifted(image, &reference, id, tagged.as_ref(), sources, findings).await
}

fn found(
    image: &ImageUse,
    reference: Reference,
    manifest: Option<Manifest>,
) -> Result<Found, Error> {
    match manifest {
        Some(manifest) => Ok(Found { reference, manifest }),
        None => Err(Error::ImageMissing { image: image.image.clone(), uses: image.uses.clone() }),
    }
}

/// What runs is not what the tag points to: export what runs, from where the node has it.
async fn drifted(
    image: &ImageUse,
    reference: &Reference,
    id: RunningId,
    tagged: Option<&Manifest>,
    sources: &Sources,
    findings: &mut Vec<Finding>,
) -> Result<Found, Error> {
    let only_on_nodes = |reason: Option<String>| Error::ImageOnlyOnNodes {
        image: image.image.clone(),
        image_id: id.text.clone(),
        reason: reason.unwrap_or_else(|| "no registry has it".to_owned()),
    };
    let Some(running) = &id.reference else { return Err(only_on_nodes(None)) };
    let manifest = match pull(running, sources).await {
        Ok(Some(manifest)) => manifest,
        Ok(None) => return Err(only_on_nodes(None)),
        Err(error) => return Err(only_on_nodes(Some(error.to_string()))),
    };
    let now = tagged.map_or_else(|| "nothing".to_owned(), |manifest| manifest.digest.to_string());
    let text = format!(
        "`{}` points to {now} now, but {} runs and was exported",
        image.image, manifest.digest
    );
    let remedy = "Restart the workload if the newer image is wanted, or pin the digest.";
    findings.push(Finding::new(Code::ImageDrift, text).remedy(remedy));
    let tag = (running.repository == reference.repository).then(|| reference.tag.clone());
    Ok(Found { reference: Reference { tag: tag.flatten(), ..running.clone() }, manifest })
}

/// The image id that most containers report.
fn most_run(image: &ImageUse, findings: &mut Vec<Finding>) -> Option<String> {
    let most = image.running.iter().max_by_key(|running| running.pods)?;
    if image.running.len() > 1 {
        let ids: Vec<&str> =
            image.running.iter().map(|running| running.image_id.as_str()).collect();
        let text = format!(
            "`{}` runs as {}; {} was exported",
            image.image,
            ids.join(" and "),
            most.image_id
        );
        findings.push(Finding::new(Code::ImageMixed, text));
    }
    Some(most.image_id.clone())
}

/// `imageID` of a container status.
struct RunningId {
    text: String,
    digest: Option<Digest>,
    /// Unset where the node knows the image by its configuration's digest alone.
    reference: Option<Reference>,
}

enum Content {
    Same,
    SameElsewhere(Reference),
    Different,
}

impl RunningId {
    fn parse(text: &str) -> Self {
        if let Ok(digest) = text.parse::<Digest>() {
            return Self { text: text.to_owned(), digest: Some(digest), reference: None };
        }
        let reference = text.parse::<Reference>().ok().filter(|r| r.digest.is_some());
        let digest = reference.as_ref().and_then(|reference| reference.digest.clone());
        Self { text: text.to_owned(), digest, reference }
    }
}

/// Whether the content that runs is what `tagged` holds, for at least one platform.
async fn same_content(
    tagged: &Manifest,
    store: &Arc<dyn Store>,
    reference: &Reference,
    id: &RunningId,
    sources: &Sources,
) -> Result<Content, crate::registry::Error> {
    let Some(digest) = &id.digest else { return Ok(Content::Different) };
    let children = tagged.links()?.manifests;
    if *digest == tagged.digest || children.iter().any(|child| child.digest == *digest) {
        return Ok(Content::Same);
    }
    let now = configs(tagged, store, reference).await?;
    if now.contains(digest) {
        return Ok(Content::Same);
    }
    let Some(running) = &id.reference else { return Ok(Content::Different) };
    // A repository of the node's that we cannot read proves nothing; `drifted` reports it.
    let Ok(Some(manifest)) = pull(running, sources).await else { return Ok(Content::Different) };
    let there = sources.store(&running.host)?;
    let runs = configs(&manifest, &there, running).await?;
    Ok(match (runs.is_disjoint(&now), running.repository == reference.repository) {
        (true, _) => Content::Different,
        (false, true) => Content::Same,
        (false, false) => Content::SameElsewhere(running.clone()),
    })
}

/// Digests of the configurations that a manifest, or the children of an index, name.
async fn configs(
    manifest: &Manifest,
    store: &Arc<dyn Store>,
    reference: &Reference,
) -> Result<BTreeSet<Digest>, crate::registry::Error> {
    let links = manifest.links()?;
    let mut configs: BTreeSet<Digest> = links.config.into_iter().map(|c| c.digest).collect();
    for child in links.manifests.iter().take(MAX_COMPARED_CHILDREN) {
        let revision = Revision::Digest(child.digest.clone());
        if let Some(child) = store.manifest(&reference.repository, &revision).await? {
            configs.extend(child.links()?.config.map(|config| config.digest));
        }
    }
    Ok(configs)
}

async fn pull(
    reference: &Reference,
    sources: &Sources,
) -> Result<Option<Manifest>, crate::registry::Error> {
    let store = sources.store(&reference.host)?;
    store.manifest(&reference.repository, &reference.revision()).await
}

fn open(image: &str, reference: &Reference, sources: &Sources) -> Result<Arc<dyn Store>, Error> {
    sources.store(&reference.host).map_err(|error| read(image, error))
}

fn read(image: &str, source: crate::registry::Error) -> Error {
    Error::ImageUnreadable { image: image.to_owned(), source }
}
