//! Which digest of each image is exported: what runs, as far as it can be known.
//!
//! ```text
//!  App.images ─ find ─► the root at the source ─ platforms ─► ResolvedImage
//!               └ running (what nodes report), content (whether two are the same)
//! ```

mod content;
mod find;
mod name;
mod platforms;
mod running;
mod single;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::{App, Code, ContainerRef, Finding, ImageUse};
use crate::registry::copy;
use crate::registry::manifest::PlatformFields;
use crate::registry::{Digest, Located, Manifest, Platform, Reference};

use super::{Error, Sources};

pub use name::ImageName;
pub use platforms::lacking;
pub use single::{Single, single};

/// Images looked up at once: enough to hide the way to the registry, few enough to stay far below
/// the requests that a host is sent at once.
const MAX_AT_ONCE: usize = 8;

/// An image with the digest that is exported.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
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
    /// Whether it stays where it is, and is not copied.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
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
        let image = match find::find(image, sources, &mut findings).await {
            Ok(found) => resolved(image, found, sources, platforms, &mut findings).await?,
            Err(error) => unread(image, error, &mut findings)?,
        };
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
    if let Some(Reference { host, repository, .. }) = sources.mapped(&source) {
        let text = format!("`{}` was read at {host}/{repository}", image.image);
        findings.push(Finding::new(Code::ImageMapped, text));
    }
    let from = open(image, &source, sources)?;
    let platforms = if image.kept { &[] } else { platforms };
    let (root, subset) = copy::root(&from, found.manifest, platforms)
        .await
        .map_err(|source| Error::Copy { image: image.into(), vendor: None, source })?;
    if subset {
        let text = format!("`{}` was cut down to the platforms asked for", image.image);
        findings.push(Finding::new(Code::PlatformSubset, text));
    }
    let children = root.links().map_err(|error| unreadable(image, error))?.manifests;
    Ok(ResolvedImage {
        key: image.key.clone(),
        written: image.image.clone(),
        source,
        digest: root.digest,
        subset,
        platforms: children
            .iter()
            .filter_map(|child| child.platform.as_ref())
            .filter_map(platform)
            .collect(),
        children: children.into_iter().map(|child| child.digest).collect(),
        uses: image.uses.clone(),
        kept: image.kept,
    })
}

/// An image that stays where it is, of which no more is known than what nodes report.
fn unread(
    image: &ImageUse,
    error: Error,
    findings: &mut Vec<Finding>,
) -> Result<ResolvedImage, Error> {
    let (true, Error::ImageUnreadable { source, .. }) = (image.kept, &error) else {
        return Err(error);
    };
    let reported = image.read_as().parse().ok().and_then(|written| running::there(image, &written));
    let Some((reference, digest)) = reported else { return Err(error) };
    let text = format!(
        "`{}` stays where it is and could not be read ({source}): it is pinned to what most nodes \
         report",
        image.image
    );
    findings.push(Finding::new(Code::ImageNotRead, text));
    Ok(ResolvedImage {
        key: image.key.clone(),
        written: image.image.clone(),
        source: reference,
        digest,
        subset: false,
        platforms: Vec::new(),
        children: Vec::new(),
        uses: image.uses.clone(),
        kept: true,
    })
}

/// `os/arch[/variant]`; attestations have the platform `unknown/unknown`.
fn platform(platform: &PlatformFields) -> Option<String> {
    let PlatformFields { os, architecture, variant, .. } = platform;
    let variant = variant.as_ref().map(|variant| format!("/{variant}")).unwrap_or_default();
    (os != "unknown").then(|| format!("{os}/{architecture}{variant}"))
}

fn open(image: &ImageUse, reference: &Reference, sources: &Sources) -> Result<Located, Error> {
    sources.locate(reference).map_err(|error| unreadable(image, error))
}

fn unreadable(image: &ImageUse, source: crate::registry::Error) -> Error {
    Error::ImageUnreadable { image: image.into(), source }
}
