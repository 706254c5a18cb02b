//! Carries a plan out: images, then the chart's blobs, the chart's tag last, then the check that
//! every image is still there.
//!
//! Dropping the future ends the export; what was pushed until then is complete in itself, and no
//! chart refers to it. The same plan run again moves only what is missing.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::try_join_all;

use crate::registry::attach;
use crate::registry::blob::InMemory;
use crate::registry::copy::{Copier, DEFAULT_JOBS};
use crate::registry::manifest::OCI_MANIFEST;
use crate::registry::{
    CopyOptions, Descriptor, Digest, Located, Manifest, Platform, Progress, Revision,
};

use super::images::ImageName;
use super::{Action, Error, Plan, PlannedImage, Report, Sources, Status, Target, names, resolve};

/// Media type of a chart's config blob (helm, `pkg/registry/constants.go`).
pub(super) const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

/// Media type of a chart's archive (same).
pub(super) const HELM_CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Artefact type of a report that is attached to a chart.
pub const REPORT: &str = "application/vnd.outhaul.report.v1+json";

/// Annotation: when an artefact was made (image-spec, "Pre-Defined Annotation Keys").
const CREATED: &str = "org.opencontainers.image.created";

/// What a run needs besides the plan.
#[derive(Clone, Copy)]
pub struct Deps<'a> {
    /// Where the export goes.
    pub target: &'a Target,
    /// Where images are read.
    pub sources: &'a Sources,
    /// Only these platforms of each image; as planned.
    pub platforms: &'a [Platform],
    /// What copies to the target. Plans that share it send no blob twice.
    pub copier: &'a Copier,
    /// Who is told.
    pub progress: &'a dyn Progress,
    /// Whether the report of a new version is attached to it.
    pub attach_report: bool,
}

/// Carries `plan` out.
///
/// # Errors
/// When an image cannot be copied or the chart not be pushed. No chart is tagged then. When
/// findings stop the plan, before anything is pushed.
pub async fn run(plan: &Plan, deps: Deps<'_>) -> Result<Report, Error> {
    if !plan.stopped_by.is_empty() {
        return Err(Error::Stopped(plan.stopped_by.clone()));
    }
    let started = Instant::now();
    let mut report = match plan.action {
        Action::Push => push(plan, deps).await?,
        Action::Unchanged => Report::new(plan, Status::Unchanged),
        Action::Restore => restore(plan, deps).await?,
    };
    report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

async fn push(plan: &Plan, deps: Deps<'_>) -> Result<Report, Error> {
    let mut report = Report::new(plan, Status::Exported);
    check_tags(plan, deps.target).await?;
    copy_images(plan, deps.copier, deps, &mut report, |_| true).await?;
    push_chart(plan, deps).await?;
    check_images(plan, deps, &mut report).await?;
    if deps.attach_report {
        attach_report(plan, deps.target, &mut report).await;
    }
    Ok(report)
}

/// Attaches the report to the chart. Chart and images are whole by now: where the registry does not
/// take it, that is a finding.
async fn attach_report(plan: &Plan, target: &Target, report: &mut Report) {
    let subject = Manifest::new(OCI_MANIFEST, plan.archive.manifest.clone()).descriptor();
    let content = match serde_json::to_vec_pretty(report) {
        Ok(content) => content,
        Err(error) => return report.findings.push(not_attached(&error)),
    };
    let created = plan.files.annotations.get(CREATED);
    let annotations = created.map(|at| (CREATED.to_owned(), at.clone())).into_iter().collect();
    let (store, repository) = (target.store.as_ref(), &plan.chart_repository);
    let attached =
        attach::attach(store, repository, &subject, REPORT, &annotations, &content).await;
    match attached {
        Ok(digest) => report.attached = Some(digest),
        Err(error) => report.findings.push(not_attached(&error)),
    }
}

fn not_attached(error: &dyn std::error::Error) -> crate::app::Finding {
    let text = format!("the report could not be attached to the chart: {error}");
    crate::app::Finding::new(crate::app::Code::ReportNotAttached, text)
        .remedy("Keep what this command printed, or leave it out with `--no-attach-report`.")
}

async fn restore(plan: &Plan, deps: Deps<'_>) -> Result<Report, Error> {
    let mut report = Report::new(plan, Status::Restored);
    restore_images(plan, deps, &mut report, |image| !image.present).await?;
    Ok(report)
}

fn restored(image: &PlannedImage) -> crate::app::Finding {
    let text = format!("{} had gone from {}", image.image.digest, image.destination);
    crate::app::Finding::new(crate::app::Code::ImageRestored, text)
        .remedy("Look for a clean-up policy at the registry that removes images in use.")
}

/// A copier for [`Deps`].
pub fn copier(target: &Target, platforms: &[Platform]) -> Copier {
    new_copier(target, platforms, false)
}

fn new_copier(target: &Target, platforms: &[Platform], verify_present: bool) -> Copier {
    Copier::new(
        Arc::clone(&target.store),
        CopyOptions {
            platforms: platforms.to_vec(),
            signatures: true,
            jobs: DEFAULT_JOBS,
            verify_present,
        },
    )
}

/// Copies what went missing, asking for every blob, and says so.
async fn restore_images(
    plan: &Plan,
    deps: Deps<'_>,
    report: &mut Report,
    is_missing: impl Fn(&PlannedImage) -> bool,
) -> Result<(), Error> {
    let copier = new_copier(deps.target, deps.platforms, true);
    copy_images(plan, &copier, deps, report, &is_missing).await?;
    report.findings.extend(plan.images.iter().filter(|image| is_missing(image)).map(restored));
    Ok(())
}

/// Copies images at once; the copier bounds what is in flight.
async fn copy_images(
    plan: &Plan,
    copier: &Copier,
    deps: Deps<'_>,
    report: &mut Report,
    is_wanted: impl Fn(&PlannedImage) -> bool,
) -> Result<(), Error> {
    let wanted = plan.images.iter().enumerate();
    let wanted = wanted.filter(|(_, image)| !image.image.kept && is_wanted(image));
    let copies = wanted.map(|(index, planned)| async move {
        let image = &planned.image;
        let failed = |source| Error::ImageUnreadable { image: image.into(), source };
        let source = deps.sources.locate(&image.source).map_err(failed)?;
        let (revision, tags) = (image.source.revision(), &planned.tags);
        copier
            .copy(&source, &revision, &plan.image_repository, tags, deps.progress)
            .await
            .map(|copied| (index, copied))
            .map_err(|source| Error::Copy { image: image.into(), source })
    });
    for (index, copied) in try_join_all(copies).await? {
        let image = &plan.images[index].image;
        tracing::info!(bytes = copied.bytes_copied, digest = %image.digest, "copied {}", image.written);
        report.add(index, &copied);
    }
    Ok(())
}

/// Tags never move: neither the version's nor one that the user named.
async fn check_tags(plan: &Plan, target: &Target) -> Result<(), Error> {
    check_version(plan, target).await?;
    for image in &plan.images {
        for tag in &image.tags {
            let revision = Revision::Tag(tag.clone());
            let found = target.store.manifest_digest(&plan.image_repository, &revision).await;
            let found = found.map_err(|source| target.failed(source))?;
            if found.is_some_and(|digest| digest != image.image.digest) {
                let (repository, tag) = (image.destination.clone(), tag.to_string());
                return Err(Error::TagTaken { repository, tag });
            }
        }
    }
    Ok(())
}

/// Refuses the version if it is tagged with another chart.
async fn check_version(plan: &Plan, target: &Target) -> Result<(), Error> {
    let tag = Revision::Tag(names::version_tag(&plan.version)?);
    let found = target.store.manifest_digest(&plan.chart_repository, &tag).await;
    match found.map_err(|source| target.failed(source))? {
        Some(digest) if digest != plan.digest => Err(Error::VersionTaken {
            repository: plan.chart.clone(),
            version: plan.version.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Pushes config, archive and, last of all, the manifest under its tag. Registries know no
/// conditional PUT, so the tag is looked at right before and after: of two exports that take one
/// version at the same moment, at most one reports success.
async fn push_chart(plan: &Plan, deps: Deps<'_>) -> Result<(), Error> {
    let target = deps.target;
    if let Some(source) = &plan.chart_source {
        return copy_chart(plan, source, deps).await;
    }
    let there = |source| target.failed(source);
    for (media_type, bytes) in
        [(HELM_CONFIG, &plan.archive.config), (HELM_CHART, &plan.archive.tgz)]
    {
        let blob = Descriptor::new(media_type, Digest::of(bytes), bytes.len() as u64);
        if !target.store.has_blob(&plan.chart_repository, &blob).await.map_err(there)? {
            let source = InMemory(Bytes::copy_from_slice(bytes));
            let push = target.store.push_blob(&plan.chart_repository, &blob, None, &source);
            push.await.map_err(there)?;
        }
    }
    let manifest = Manifest::new(OCI_MANIFEST, plan.archive.manifest.clone());
    let tag = Revision::Tag(names::version_tag(&plan.version)?);
    check_version(plan, target).await?;
    let put = target.store.put_manifest(&plan.chart_repository, &tag, &manifest);
    put.await.map_err(there)?;
    check_version(plan, target).await?;
    tracing::info!(digest = %manifest.digest, "tagged {}:{}", plan.chart, plan.version);
    Ok(())
}

/// Copies the chart as it is elsewhere, with what refers to it, tag last.
async fn copy_chart(plan: &Plan, source: &Located, deps: Deps<'_>) -> Result<(), Error> {
    let tag = names::version_tag(&plan.version)?;
    let revision = Revision::Digest(plan.digest.clone());
    check_version(plan, deps.target).await?;
    deps.copier
        .copy(source, &revision, &plan.chart_repository, &[tag], deps.progress)
        .await
        .map_err(|source| Error::Copy { image: ImageName::alone(&plan.chart), source })?;
    check_version(plan, deps.target).await
}

/// A clean-up may have removed an image that was there when it was looked for. Once the chart is
/// tagged it protects its images, so what is whole now stays whole.
async fn check_images(plan: &Plan, deps: Deps<'_>, report: &mut Report) -> Result<(), Error> {
    let images: Vec<_> = plan.images.iter().map(|planned| planned.image.clone()).collect();
    let missing = || resolve::missing(deps.target, &plan.image_repository, &images);
    let gone = missing().await.map_err(|source| deps.target.failed(source))?;
    if gone.is_empty() {
        return Ok(());
    }
    restore_images(plan, deps, report, |image| gone.contains(&image.image.key)).await?;
    let gone = missing().await.map_err(|source| deps.target.failed(source))?;
    match plan.images.iter().find(|image| gone.contains(&image.image.key)) {
        Some(image) => Err(Error::Vanished {
            repository: image.destination.clone(),
            digest: image.image.digest.clone(),
        }),
        None => Ok(()),
    }
}
