//! The chart itself, once its images are there: content, report, and its tag last.

use bytes::Bytes;

use crate::app::{Code, Finding};
use crate::chart::ChartArchive;
use crate::registry::attach;
use crate::registry::blob::InMemory;
use crate::registry::manifest::OCI_MANIFEST;
use crate::registry::{Descriptor, Digest, Located, Manifest, Revision};

use super::Fidelity;
use super::identity::FIDELITY;
use super::images::ImageName;
use super::run::{Deps, copier};
use super::{Error, Plan, Report, Target, names};

/// Media type of a chart's config blob (helm, `pkg/registry/constants.go`).
pub(super) const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";

/// Media type of a chart's archive (same).
pub(super) const HELM_CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Artefact type of a report that is attached to a chart.
pub(super) const REPORT: &str = "application/vnd.outhaul.report.v1+json";

/// Annotation: when an artefact was made (image-spec, "Pre-Defined Annotation Keys").
const CREATED: &str = "org.opencontainers.image.created";

/// Pushes the chart, attaches the report, and tags the chart unless findings of the push itself
/// stop that. Registries know no conditional PUT, so the tag is looked at right before and after:
/// of two exports that take one version at the same moment, at most one reports success.
pub(super) async fn publish(plan: &Plan, deps: Deps<'_>, report: &mut Report) -> Result<(), Error> {
    let target = deps.target.charts();
    let tag = names::version_tag(&plan.version)?;
    let manifest = Manifest::new(OCI_MANIFEST, plan.archive.manifest.clone());
    if plan.chart_source.is_none() {
        push_blobs(plan, &plan.archive, target).await?;
        if deps.attach_report {
            put(plan, target, manifest.digest.clone().into(), &manifest).await?;
            attach_report(plan, target, &manifest.descriptor(), report).await;
        }
    }
    plan.gate.check(&report.findings)?;
    check_version(plan, target).await?;
    match &plan.chart_source {
        Some(source) => copy(plan, source, deps).await?,
        None => put(plan, target, tag.into(), &manifest).await?,
    }
    check_version(plan, target).await?;
    tracing::info!(digest = %plan.digest, "tagged {}:{}", plan.chart, plan.version);
    Ok(())
}

pub(super) async fn push_blobs(
    plan: &Plan,
    archive: &ChartArchive,
    target: &Target,
) -> Result<(), Error> {
    let there = |source| target.failed(source);
    for (media_type, bytes) in [(HELM_CONFIG, &archive.config), (HELM_CHART, &archive.tgz)] {
        let blob = Descriptor::new(media_type, Digest::of(bytes), bytes.len() as u64);
        if !target.store.has_blob(&plan.chart_repository, &blob).await.map_err(there)? {
            let source = InMemory(Bytes::copy_from_slice(bytes));
            let push = target.store.push_blob(&plan.chart_repository, &blob, None, &source);
            push.await.map_err(there)?;
        }
    }
    Ok(())
}

pub(super) async fn put(
    plan: &Plan,
    target: &Target,
    revision: Revision,
    manifest: &Manifest,
) -> Result<(), Error> {
    let put = target.store.put_manifest(&plan.chart_repository, &revision, manifest);
    put.await.map_err(|source| target.failed(source))
}

/// Copies the chart as it is elsewhere, with what refers to it, tag last.
async fn copy(plan: &Plan, source: &Located, deps: Deps<'_>) -> Result<(), Error> {
    let (tag, target) = (names::version_tag(&plan.version)?, deps.target.charts());
    let revision = Revision::Digest(plan.digest.clone());
    let copied = copier(target, &[])
        .copy(source, &revision, &plan.chart_repository, &[tag], deps.progress)
        .await;
    copied.map_err(|source| target.not_copied(ImageName::alone(&plan.chart), source))?;
    Ok(())
}

/// Refuses the version if it is tagged with another chart.
pub(super) async fn check_version(plan: &Plan, target: &Target) -> Result<(), Error> {
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

/// Attaches the report to the chart, which is whole but for its tag by now: where the registry does
/// not take it, that is a finding.
async fn attach_report(plan: &Plan, target: &Target, chart: &Descriptor, report: &mut Report) {
    let content = match serde_json::to_vec_pretty(report) {
        Ok(content) => content,
        Err(error) => return report.findings.push(not_attached(&error)),
    };
    let created = plan.files.annotations.get(CREATED);
    let created = created.map(|at| (CREATED.to_owned(), at.clone()));
    let Fidelity { objects, identical, .. } = &report.fidelity;
    let fidelity = (FIDELITY.to_owned(), format!("{identical}/{objects}"));
    let annotations = created.into_iter().chain([fidelity]).collect();
    let (store, repository) = (target.store.as_ref(), &plan.chart_repository);
    let attached = attach::attach(store, repository, chart, REPORT, &annotations, &content).await;
    match attached {
        Ok(digest) => report.attached = Some(digest),
        Err(error) => report.findings.push(not_attached(&error)),
    }
}

fn not_attached(error: &dyn std::error::Error) -> Finding {
    let text = format!("the report could not be attached to the chart: {error}");
    Finding::new(Code::ReportNotAttached, text)
        .remedy("Keep what this command printed, or leave it out with `--no-attach-report`.")
}
