//! A version that moves: clients of Epinio know `0.0.0` alone. It is the newest content of its origin,
//! beside the version that never moves, and comes after that one: it refers to the same images.

use semver::Version;

use crate::chart::ChartArchive;
use crate::registry::Manifest;
use crate::registry::manifest::OCI_MANIFEST;

use super::publish::{push_blobs, put};
use super::{Error, Plan, Target, history, names};

/// The version that moves for Epinio's clients.
pub const EPINIO: Version = Version::new(0, 0, 0);

/// The chart once more, under a version that moves.
#[derive(Clone, Debug)]
pub struct Moving {
    /// The version.
    pub version: Version,
    /// The same files, but for that version.
    pub archive: ChartArchive,
}

/// Refuses the version if it is of another origin, before anything is pushed.
pub(super) async fn check(plan: &Plan, target: &Target) -> Result<(), Error> {
    match &plan.moving {
        Some(moving) => is_there(plan, moving, target).await.map(drop),
        None => Ok(()),
    }
}

/// Moves the version to this content, unless it is there.
pub(super) async fn publish(plan: &Plan, target: &Target) -> Result<(), Error> {
    let Some(moving) = &plan.moving else { return Ok(()) };
    if is_there(plan, moving, target).await? {
        return Ok(());
    }
    push_blobs(plan, &moving.archive, target).await?;
    let manifest = Manifest::new(OCI_MANIFEST, moving.archive.manifest.clone());
    put(plan, target, names::version_tag(&moving.version)?.into(), &manifest).await?;
    tracing::info!(digest = %manifest.digest, "moved {}:{}", plan.chart, moving.version);
    Ok(())
}

/// Whether the version has this content already.
async fn is_there(plan: &Plan, moving: &Moving, target: &Target) -> Result<bool, Error> {
    let (store, repository) = (target.store.as_ref(), &plan.chart_repository);
    let found = history::published(store, repository, &moving.version).await;
    let Some(found) = found.map_err(|source| target.failed(source))? else { return Ok(false) };
    if found.origin.as_ref() != Some(&plan.origin) {
        return Err(Error::Foreign {
            repository: plan.chart.clone(),
            found: found.origin.unwrap_or_else(|| "not made by outhaul".to_owned()),
            ours: plan.origin.clone(),
        });
    }
    Ok(found.content.as_ref() == Some(&plan.content))
}
