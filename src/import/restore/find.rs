//! Reads what the choice of a version rests on.

use semver::Version;

use super::Selector;
use super::choose::{self, Candidate};
use crate::export::history::{self, Published};
use crate::export::{self, Target};
use crate::import::Error;
use crate::registry::RepositoryName;

/// The version that a selector means in `repository`, of those of which `is_meant`. Only exports
/// count: a chart without an origin of ours, a pinning tag or any other tag is no version.
///
/// # Errors
/// [`Error::NoVersion`] where there is none, or when the registry cannot be read.
pub async fn version(
    target: &Target,
    repository: &RepositoryName,
    selector: Selector,
    is_meant: impl Fn(&Published) -> bool,
) -> Result<Published, Error> {
    let versions = history::versions(target, repository).await?;
    let mut candidates: Vec<Candidate> = versions.iter().filter_map(Candidate::of).collect();
    if let Selector::Before(_) = selector {
        dated(target, repository, &mut candidates).await?;
    }
    for candidate in choose::choose(&candidates, selector) {
        if let Some(published) = read(target, repository, &candidate.version).await?
            && published.origin.is_some()
            && is_meant(&published)
        {
            return Ok(published);
        }
    }
    Err(Error::NoVersion {
        repository: target.address(repository),
        selector,
        nearest: choose::nearest(&candidates, selector),
    })
}

/// Dates the versions that do not say themselves when they were taken, and takes out what is no
/// export.
async fn dated(
    target: &Target,
    repository: &RepositoryName,
    candidates: &mut Vec<Candidate>,
) -> Result<(), export::Error> {
    let undated = candidates.iter().filter(|of| of.taken_at.is_none());
    let undated: Vec<Version> = undated.map(|of| of.version.clone()).collect();
    let read = history::past(target, repository, &undated).await?;
    candidates.retain_mut(|candidate| {
        if candidate.taken_at.is_some() {
            return true;
        }
        let mut all = read.iter().map(|past| &past.published);
        let found = all.find(|published| published.version == candidate.version);
        candidate.taken_at = found.and_then(|published| published.taken_at);
        found.is_some_and(|published| published.origin.is_some())
    });
    Ok(())
}

async fn read(
    target: &Target,
    repository: &RepositoryName,
    version: &Version,
) -> Result<Option<Published>, export::Error> {
    let past = history::past(target, repository, std::slice::from_ref(version)).await?;
    Ok(past.into_iter().next().map(|past| past.published))
}
