//! Carries a plan out: who owns the images, the images, then the chart with its tag last, then the
//! check that every image is still there.
//!
//! Dropping the future ends the export; what was pushed until then is complete in itself, and no
//! chart refers to it. The same plan run again moves only what is missing.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::try_join_all;

use crate::registry::copy::{Copier, DEFAULT_JOBS};
use crate::registry::{CopyOptions, Platform, Progress, Revision};

use super::perform::{Observer, Step};
use super::publish::{check_version, publish};
use super::{
    Action, Error, Gate, Plan, PlannedImage, Report, Sources, Status, Target, moving, owner,
    resolve,
};

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
    /// Who is told when what was pushed is checked; `None`: nobody.
    pub observer: Option<&'a dyn Observer>,
}

/// Carries `plan` out.
///
/// # Errors
/// When an image cannot be copied or the chart not be pushed, or findings of the push stop it. No
/// chart is tagged then. When findings of the plan stop it, before anything is pushed.
pub async fn run(plan: &Plan, deps: Deps<'_>) -> Result<Report, Error> {
    plan.gate.check(&plan.findings)?;
    moving::check(plan, deps.target.charts()).await?;
    let started = Instant::now();
    let mut report = match plan.action {
        Action::Push => push(plan, deps).await?,
        Action::Unchanged => Report::new(plan, Status::Unchanged),
        Action::Restore => restore(plan, deps).await?,
    };
    moving::publish(plan, deps.target.charts()).await?;
    report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(report)
}

async fn push(plan: &Plan, deps: Deps<'_>) -> Result<Report, Error> {
    let mut report = Report::new(plan, Status::Exported);
    check_tags(plan, deps.target).await?;
    owner::mark(plan, deps.target).await?;
    copy_images(plan, deps.copier, deps, &mut report, |_| true).await?;
    if plan.gate != Gate::default() {
        // What the check after the tag would find comes too late to stop anything.
        check_images(plan, deps, &mut report).await?;
    }
    publish(plan, deps, &mut report).await?;
    if let Some(observer) = deps.observer {
        observer.step(Step::Checking);
    }
    check_images(plan, deps, &mut report).await?;
    Ok(report)
}

async fn restore(plan: &Plan, deps: Deps<'_>) -> Result<Report, Error> {
    let mut report = Report::new(plan, Status::Restored);
    owner::mark(plan, deps.target).await?;
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
            .map_err(|source| deps.target.not_copied(image.into(), source))
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
    check_version(plan, target.charts()).await?;
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
