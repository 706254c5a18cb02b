//! From a resolution to what a chart is made of, and to the digest of that.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use semver::Version;

use crate::app::SecretsPolicy;
use crate::chart::original::Original;
use crate::chart::{Image, Input, sealed};
use crate::registry::{Digest, Tag};

use super::identity::{self, Content, ContentOptions};
use super::images::ResolvedImage;
use super::names::Names;
use super::request::ScheduledRun;
use super::{PlannedImage, Request, Resolution, Target};

/// What the chart is built from.
pub(super) fn chart<'a>(
    request: &Request,
    target: &Target,
    resolution: &'a Resolution,
    version: &Version,
    content: &Content,
    images: &[PlannedImage],
) -> Input<'a> {
    // Whole seconds, like the version: two exports of one content at one moment are one chart.
    let taken_at = Timestamp::from_second(resolution.taken_at.as_second());
    let taken_at = taken_at.unwrap_or(resolution.taken_at).to_string();
    let images = images
        .iter()
        .map(|planned| image(target, &resolution.names, &planned.image, planned.tags.last()));
    Input {
        app: &resolution.app,
        name: resolution.names.chart.to_string(),
        version: version.clone(),
        images: images.collect(),
        secrets: request.secrets,
        secret_values: &resolution.secret_values,
        sealed: resolution.sealed.as_ref().map(|sealed| &*sealed.text),
        templates: request.templates.clone(),
        annotations: annotations(request, resolution, content, &taken_at),
        created: taken_at,
    }
}

/// An image as the chart refers to it; `tag` is the last that it gets at the destination.
pub(super) fn image(
    target: &Target,
    names: &Names,
    image: &ResolvedImage,
    tag: Option<&Tag>,
) -> Image {
    let (registry, repository) = address(target, names, image);
    let tag = match &target.pull_address {
        Some(_) if !image.kept => tag,
        _ => image.source.tag.as_ref(),
    };
    Image {
        key: image.key.clone(),
        registry,
        repository,
        tag: tag.map(Tag::to_string).unwrap_or_default(),
        digest: image.digest.to_string(),
        source: image.written.clone(),
        platforms: image.platforms.clone(),
        uses: image.uses.clone(),
        kept: image.kept,
    }
}

fn annotations(
    request: &Request,
    resolution: &Resolution,
    content: &Content,
    taken_at: &str,
) -> BTreeMap<String, String> {
    let mut annotations = BTreeMap::from([
        (identity::ORIGIN.to_owned(), resolution.origin.clone()),
        (identity::APPLICATION_DIGEST.to_owned(), content.application.to_string()),
        (identity::CONTENT_DIGEST.to_owned(), content.digest.to_string()),
        (identity::TAKEN_AT.to_owned(), taken_at.to_owned()),
    ]);
    if let Some(sealed) = &resolution.sealed {
        annotations.insert(identity::SECRETS.to_owned(), sealed.identity.to_string());
    }
    annotations.extend(
        schedule(request, &resolution.origin).map(|of| (identity::SCHEDULE.to_owned(), of)),
    );
    annotations
}

/// The schedule whose run an export of `origin` is, as the annotation has it.
pub(super) fn schedule(request: &Request, origin: &str) -> Option<String> {
    let ScheduledRun { namespace, name, .. } = request.scheduled.as_ref()?;
    let cluster = origin.split('/').next().unwrap_or_default();
    Some(identity::schedule_of(cluster, namespace, name))
}

/// Digests over everything that decides the content.
pub(super) fn content(request: &Request, target: &Target, resolution: &Resolution) -> Content {
    let addresses = resolution.images.iter().map(|image| {
        let (registry, repository) = address(target, &resolution.names, image);
        format!("{registry}/{repository}")
    });
    let mut secret_digests = Vec::new();
    if request.secrets == SecretsPolicy::Include {
        // The namespace has others, which are no part of the chart.
        let uses = |name: &String| resolution.app.secrets.iter().any(|of| of.name == *name);
        for (name, values) in resolution.secret_values.0.iter().filter(|(name, _)| uses(name)) {
            for (key, value) in values {
                secret_digests.push((format!("{name}/{key}"), Digest::of(value.expose_secret())));
            }
        }
    }
    if let Some(sealed) = &resolution.sealed {
        secret_digests.push((sealed::FILE.to_owned(), sealed.identity.clone()));
    }
    let options = ContentOptions {
        chart: resolution.names.chart.as_str(),
        image_tag: resolution.names.image_tag.as_ref(),
        secrets: request.secrets,
        secret_digests,
        templates: &request.templates,
        release: resolution.original.as_ref().map(Original::record),
    };
    let application = identity::application_digest(&resolution.app, &resolution.images, &options);
    Content::new(application, &addresses.collect::<Vec<_>>())
}

/// Registry (host and path prefix) and repository of an image as the chart writes them.
pub(super) fn address(target: &Target, names: &Names, image: &ResolvedImage) -> (String, String) {
    match &target.pull_address {
        Some(address) if !image.kept => (address.clone(), names.images.to_string()),
        _ => (image.source.host.to_string(), image.source.repository.to_string()),
    }
}
